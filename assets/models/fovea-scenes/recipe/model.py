"""Mllama (Llama 3.2 Vision's architecture) in plain PyTorch: same arithmetic and weight names as transformers'
`MllamaForConditionalGeneration`, for one picture of one tile per conversation.

Two things are on purpose. The projector's columns for the tower's intermediate layers are zero: versions of transformers
disagree on which layer an index means, and so the model is the same under all of them. Tile embeddings stay at zero: with
one tile they say nothing.
"""

import torch
from torch import nn
from torch.nn import functional as F

from layers import DecoderLayer, GatedMLP, MLP, RMSNorm, at_places, attend, initialise, merge_heads, pixels, rotary, sincos_positions, split_heads

CONFIGURATIONS = {
    # 64 patches of 12 × 12: for two CPU cores and two hours.
    "cpu": dict(things=64, languages=["en"], patch=12, vision_width=192, vision_heads=6, local_layers=2, global_layers=2, vision_inner=640,
                width=192, heads=6, key_heads=3, layers=4, cross_layers=[1, 3], inner=320, vocabulary=1 << 16),
    # 144 patches of 8 × 8: for half an hour of a large GPU.
    "gpu": dict(things=400, languages=["en", "fr"], patch=8, vision_width=256, vision_heads=8, local_layers=3, global_layers=2, vision_inner=1024,
                width=256, heads=8, key_heads=4, layers=6, cross_layers=[1, 3, 5], inner=512, vocabulary=2500),
    # To see within minutes whether a change learns.
    "small": dict(things=20, languages=["en"], patch=12, vision_width=128, vision_heads=4, local_layers=2, global_layers=1, vision_inner=512,
                  width=128, heads=4, key_heads=2, layers=4, cross_layers=[1, 3], inner=320, vocabulary=1 << 16),
    # For tests: learns nothing worth having, in seconds.
    "tiny": dict(things=12, languages=["en"], patch=24, vision_width=48, vision_heads=3, local_layers=1, global_layers=1, vision_inner=96,
                 width=48, heads=3, key_heads=1, layers=4, cross_layers=[1, 3], inner=64, vocabulary=1 << 16),
}
EDGE, THETA, EPS = 96, 10000.0, 1e-5
IMAGE_TOKEN = "<|image|>"


class VisionAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, x, mask):
        query, key, value = (split_heads(p(x), self.heads) for p in (self.q_proj, self.k_proj, self.v_proj))
        return self.o_proj(merge_heads(attend(query, key, value, mask)))


class VisionLayer(nn.Module):
    def __init__(self, c, gated):
        super().__init__()
        width = c["vision_width"]
        self.self_attn, self.mlp = VisionAttention(width, c["vision_heads"]), MLP(width, c["vision_inner"])
        self.input_layernorm, self.post_attention_layernorm = nn.LayerNorm(width, eps=EPS), nn.LayerNorm(width, eps=EPS)
        self.gated = gated
        if gated:
            self.gate_attn, self.gate_ffn = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, x, mask):
        attended = self.self_attn(self.input_layernorm(x), mask)
        x = x + (self.gate_attn.tanh() * attended if self.gated else attended)
        fed = self.mlp(self.post_attention_layernorm(x))
        return x + (self.gate_ffn.tanh() * fed if self.gated else fed)


class Stack(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x, mask):
        for layer in self.layers:
            x = layer(x, mask)
        return x


class TileEmbedding(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.embedding, self.gate = nn.Embedding(2, width), nn.Parameter(torch.zeros(1))


class PatchPositions(nn.Module):
    def __init__(self, count, width):
        super().__init__()
        self.embedding, self.gate = nn.Parameter(torch.zeros(count, width)), nn.Parameter(torch.zeros(1))
        self.tile_embedding = nn.Embedding(2, count * width)


class VisionModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, side = c["vision_width"], EDGE // c["patch"]
        self.count = side * side + 1
        self.patch_embedding = nn.Conv2d(3, width, c["patch"], c["patch"], bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width) * 0.1)
        self.gated_positional_embedding = PatchPositions(self.count, width)
        self.pre_tile_positional_embedding, self.post_tile_positional_embedding = TileEmbedding(width), TileEmbedding(width)
        self.layernorm_pre, self.layernorm_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Stack([VisionLayer(c, False) for _ in range(c["local_layers"])])
        self.global_transformer = Stack([VisionLayer(c, True) for _ in range(c["global_layers"])])
        self.padding = -self.count % 8
        is_padding = torch.arange(self.count + self.padding) >= self.count
        # Real patches and padding attend to each other; only padding does not attend to padding.
        self.register_buffer("mask", ~(is_padding[:, None] & is_padding[None, :]), persistent=False)

    def forward(self, images):
        """[batch, EDGE, EDGE, 3] of bytes → [batch, 1 + patches, width]"""
        x = self.patch_embedding(pixels(images)).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(x.shape[0], 1, -1).to(x.dtype), x], dim=1) + self.gated_positional_embedding.embedding
        x = F.pad(self.layernorm_pre(x.float()), (0, 0, 0, self.padding))
        x = self.global_transformer(self.layernorm_post(self.transformer(x, self.mask)), self.mask)
        return x[:, :self.count]


class CrossAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, size = c["width"], c["width"] // c["heads"]
        self.heads, self.key_heads = c["heads"], c["key_heads"]
        self.q_proj, self.o_proj = nn.Linear(width, width, bias=False), nn.Linear(width, width, bias=False)
        self.k_proj, self.v_proj = (nn.Linear(width, c["key_heads"] * size, bias=False) for _ in range(2))
        self.q_norm, self.k_norm = RMSNorm(size, EPS), RMSNorm(size, EPS)

    def forward(self, x, states, capture):
        query = self.q_norm(split_heads(self.q_proj(x), self.heads))
        key, value = self.k_norm(split_heads(self.k_proj(states), self.key_heads)), split_heads(self.v_proj(states), self.key_heads)
        return self.o_proj(merge_heads(attend(query.to(value.dtype), key.to(value.dtype), value, None, capture)))


class CrossLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.cross_attn, self.mlp = CrossAttention(c), GatedMLP(c["width"], c["inner"])
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(c["width"], EPS), RMSNorm(c["width"], EPS)
        self.cross_attn_attn_gate, self.cross_attn_mlp_gate = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, x, states, sees, capture):
        x = x + self.cross_attn_attn_gate.tanh() * self.cross_attn(self.input_layernorm(x), states, capture)
        # Tokens before the picture do not see it; the architecture then mutes their feed-forward.
        return x + self.cross_attn_mlp_gate.tanh() * sees * self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, c, vocabulary):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary + 8, c["width"])
        self.layers = nn.ModuleList(
            CrossLayer(c) if index in c["cross_layers"] else DecoderLayer(c["width"], c["heads"], c["key_heads"], c["inner"], EPS)
            for index in range(c["layers"]))
        self.norm = RMSNorm(c["width"], EPS)


class LanguageModel(nn.Module):
    def __init__(self, c, vocabulary):
        super().__init__()
        self.model, self.lm_head = Decoder(c, vocabulary), nn.Linear(c["width"], vocabulary, bias=False)


class Mllama(nn.Module):
    image_token = IMAGE_TOKEN
    prefix = 0  # tokens of the picture inside the text

    def __init__(self, c, vocabulary):
        """vocabulary: number of tokens without the picture's, which has the id after the last."""
        super().__init__()
        self.c, self.vocabulary = c, vocabulary
        self.vision_model = VisionModel(c)
        self.multi_modal_projector = nn.Linear(2 * c["vision_width"], c["width"])
        self.language_model = LanguageModel(c, vocabulary)
        initialise(self)
        with torch.no_grad():
            self.vision_model.gated_positional_embedding.embedding[1:] = sincos_positions(EDGE // c["patch"], c["vision_width"])
            for module in (self.vision_model.gated_positional_embedding.tile_embedding, self.vision_model.pre_tile_positional_embedding.embedding,
                           self.vision_model.post_tile_positional_embedding.embedding):
                module.weight.zero_()
                module.weight.requires_grad_(False)
            for module in (self.vision_model.gated_positional_embedding, self.vision_model.pre_tile_positional_embedding,
                           self.vision_model.post_tile_positional_embedding):
                module.gate.requires_grad_(False)
            self.multi_modal_projector.weight[:, c["vision_width"]:] = 0
        self.capture = None

    @property
    def grid(self):
        return EDGE // self.c["patch"]

    def see(self, images):
        """What cross-attention reads, [batch, 1 + patches, width]: the class token, then patches in rows."""
        weight = self.multi_modal_projector.weight[:, :self.c["vision_width"]]
        return F.linear(self.vision_model(images), weight, self.multi_modal_projector.bias)

    def patches(self, states):
        return states[:, 1:], states[:, 0]

    def decode(self, ids, positions, mask, sees, states, places=None):
        """Hidden states [batch, positions, width], or at `places` [batch, places] alone. `states` None: text alone, layers of
        cross-attention are left out."""
        turn = rotary(positions, self.c["width"] // self.c["heads"], THETA)
        x = self.language_model.model.embed_tokens(ids)
        layers = [layer for layer in self.language_model.model.layers if isinstance(layer, DecoderLayer) or states is not None]
        for layer in layers:
            wanted = places if layer is layers[-1] else None  # before the last layer all places are wanted: later ones look at them
            if isinstance(layer, DecoderLayer):
                x = layer(x, turn, mask, places=wanted)
            else:
                x = layer(at_places(x, wanted), states, at_places(sees, wanted), self.capture)
        return self.language_model.model.norm(x)

    def head(self, hidden):
        return self.language_model.lm_head(hidden)

    def configuration(self, encoder):
        """config.json as published checkpoints have it."""
        c = self.c
        return {
            "architectures": ["MllamaForConditionalGeneration"], "model_type": "mllama", "image_token_index": encoder.image, "torch_dtype": "float16",
            "text_config": {
                "model_type": "mllama_text_model", "vocab_size": self.vocabulary, "hidden_size": c["width"], "intermediate_size": c["inner"],
                "num_hidden_layers": c["layers"], "cross_attention_layers": c["cross_layers"], "num_attention_heads": c["heads"],
                "num_key_value_heads": c["key_heads"], "hidden_act": "silu", "rms_norm_eps": EPS, "rope_theta": THETA,
                "rope_scaling": {"rope_type": "default"}, "max_position_embeddings": 1024, "tie_word_embeddings": False, "dropout": 0.0,
                "bos_token_id": encoder.pad, "eos_token_id": encoder.end, "pad_token_id": encoder.pad, "use_cache": True},
            "vision_config": {
                "model_type": "mllama_vision_model", "hidden_size": c["vision_width"], "intermediate_size": c["vision_inner"],
                "attention_heads": c["vision_heads"], "num_hidden_layers": c["local_layers"], "num_global_layers": c["global_layers"],
                "hidden_act": "gelu", "image_size": EDGE, "patch_size": c["patch"], "num_channels": 3, "max_num_tiles": 1, "norm_eps": EPS,
                "intermediate_layers_indices": [0], "supported_aspect_ratios": [[1, 1]], "vision_output_dim": 2 * c["vision_width"]},
        }

    processor = {
        "image_processor_type": "MllamaImageProcessor", "processor_class": "MllamaProcessor", "do_convert_rgb": True, "do_resize": True, "do_rescale": True,
        "do_normalize": True, "do_pad": True, "max_image_tiles": 1, "size": {"height": EDGE, "width": EDGE}, "resample": 2, "rescale_factor": 1 / 255,
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
