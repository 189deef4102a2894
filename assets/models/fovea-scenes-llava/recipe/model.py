"""LLaVA in plain PyTorch: same arithmetic and weight names as transformers' `LlavaForConditionalGeneration` (CLIP tower,
two-layer projector, Llama). The picture's patches stand in the text as tokens, before the first question."""

import torch
from torch import nn
from torch.nn import functional as F

from layers import DecoderLayer, MLP, RMSNorm, attend, initialise, merge_heads, pixels, rotary, sincos_positions, split_heads

CONFIGURATIONS = {
    "cpu": dict(things=64, languages=["en"], patch=12, vision_width=192, vision_heads=6, vision_layers=4, vision_inner=640,
                width=192, heads=6, key_heads=3, layers=4, inner=320, vocabulary=1 << 16),
    "gpu": dict(things=400, languages=["en", "fr"], patch=8, vision_width=256, vision_heads=8, vision_layers=4, vision_inner=1024,
                width=256, heads=8, key_heads=4, layers=4, inner=512, vocabulary=2500),
    "small": dict(things=20, languages=["en"], patch=12, vision_width=128, vision_heads=4, vision_layers=3, vision_inner=512,
                  width=128, heads=4, key_heads=2, layers=4, inner=320, vocabulary=1 << 16),
    "tiny": dict(things=12, languages=["en"], patch=24, vision_width=48, vision_heads=3, vision_layers=2, vision_inner=96,
                 width=48, heads=3, key_heads=1, layers=2, inner=64, vocabulary=1 << 16),
}
EDGE, THETA, EPS = 96, 10000.0, 1e-5
IMAGE_TOKEN = "<image>"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class TowerAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x):
        query, key, value = (split_heads(p(x), self.heads) for p in (self.q_proj, self.k_proj, self.v_proj))
        return self.out_proj(merge_heads(attend(query, key, value)))


class TowerLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        width = c["vision_width"]
        self.self_attn, self.mlp = TowerAttention(width, c["vision_heads"]), MLP(width, c["vision_inner"], "quick_gelu")
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width, eps=EPS), nn.LayerNorm(width, eps=EPS)

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Embeddings(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, side = c["vision_width"], EDGE // c["patch"]
        self.class_embedding = nn.Parameter(torch.randn(width) * 0.1)
        self.patch_embedding = nn.Conv2d(3, width, c["patch"], c["patch"], bias=False)
        self.position_embedding = nn.Embedding(side * side + 1, width)


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.layers = nn.ModuleList(TowerLayer(c) for _ in range(c["vision_layers"]))


class Tower(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embeddings, self.encoder = Embeddings(c), Encoder(c)
        # The tower's last norm is not used by LLaVA; it is in the file because its class has it.
        self.pre_layrnorm, self.post_layernorm = nn.LayerNorm(c["vision_width"], eps=EPS), nn.LayerNorm(c["vision_width"], eps=EPS)
        self.post_layernorm.requires_grad_(False)

    def forward(self, images):
        x = self.embeddings.patch_embedding(pixels(images, MEAN, STD)).flatten(2).transpose(1, 2)
        x = torch.cat([self.embeddings.class_embedding.expand(x.shape[0], 1, -1).to(x.dtype), x], dim=1) + self.embeddings.position_embedding.weight
        x = self.pre_layrnorm(x.float())
        for layer in self.encoder.layers:
            x = layer(x)
        return x[:, 1:]


class Wrapped(nn.Module):
    """One more level of names."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


class Projector(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.linear_1, self.linear_2 = nn.Linear(c["vision_width"], c["width"]), nn.Linear(c["width"], c["width"])

    def forward(self, x):
        return self.linear_2(F.gelu(self.linear_1(x)))


class Llava(nn.Module):
    image_token = IMAGE_TOKEN

    def __init__(self, c, vocabulary):
        super().__init__()
        self.c, self.vocabulary = c, vocabulary + 1  # the picture's token is one of them
        self.vision_tower = Wrapped(vision_model=Tower(c))
        self.multi_modal_projector = Projector(c)
        layers = nn.ModuleList(DecoderLayer(c["width"], c["heads"], c["key_heads"], c["inner"], EPS) for _ in range(c["layers"]))
        self.language_model = Wrapped(
            model=Wrapped(embed_tokens=nn.Embedding(self.vocabulary, c["width"]), layers=layers, norm=RMSNorm(c["width"], EPS)),
            lm_head=nn.Linear(c["width"], self.vocabulary, bias=False))
        initialise(self)
        with torch.no_grad():
            self.vision_tower.vision_model.embeddings.position_embedding.weight[1:] = sincos_positions(EDGE // c["patch"], c["vision_width"])
        self.capture = None

    @torch.no_grad()
    def start_from(self, twin, images):
        """Takes over what the twin of the other architecture has learnt, as LLaVA starts from a tower and a decoder that are there.

        The tower's layers fit but for small things: the twin has no biases, another activation, gates (multiplied into the weights)
        and a norm in the middle, in place of which later layers add in the stream's own size, measured on `images`. Of the decoder,
        its words and its layers of self-attention; layers of cross-attention give their values and feed-forward."""
        tower = self.vision_tower.vision_model
        own = tower.embeddings
        mean, std = (torch.tensor(v, device=images.device).reshape(1, 3, 1, 1) for v in (MEAN, STD))
        patch = twin["vision_model.patch_embedding.weight"]
        own.patch_embedding.weight.copy_(patch * std / 0.5)
        own.class_embedding.copy_(twin["vision_model.class_embedding"])
        own.position_embedding.weight.copy_(twin["vision_model.gated_positional_embedding.embedding"])
        own.position_embedding.weight[1:] += (patch * (mean - 0.5) / 0.5).sum((1, 2, 3))
        for part in ("weight", "bias"):
            getattr(tower.pre_layrnorm, part).copy_(twin[f"vision_model.layernorm_pre.{part}"])
        local = sum(name.endswith("input_layernorm.weight") and ".transformer." in name for name in twin)
        scale = 1.0
        for index, layer in enumerate(tower.encoder.layers):
            if index == local:
                kept, tower.encoder.layers = tower.encoder.layers, tower.encoder.layers[:local]
                scale = float(tower(images).std(-1).mean())
                tower.encoder.layers = kept
            prefix = f"vision_model.transformer.layers.{index}." if index < local else f"vision_model.global_transformer.layers.{index - local}."
            gates = [twin[prefix + gate].tanh() if prefix + gate in twin else 1.0 for gate in ("gate_attn", "gate_ffn")]
            for name in ("q", "k", "v"):
                getattr(layer.self_attn, name + "_proj").weight.copy_(twin[f"{prefix}self_attn.{name}_proj.weight"])
            layer.self_attn.out_proj.weight.copy_(twin[prefix + "self_attn.o_proj.weight"] * gates[0] * scale)
            for part in ("weight", "bias"):
                getattr(layer.mlp.fc1, part).copy_(twin[f"{prefix}mlp.fc1.{part}"])
                getattr(layer.mlp.fc2, part).copy_(twin[f"{prefix}mlp.fc2.{part}"] * gates[1] * scale)
                getattr(layer.layer_norm1, part).copy_(twin[f"{prefix}input_layernorm.{part}"])
                getattr(layer.layer_norm2, part).copy_(twin[f"{prefix}post_attention_layernorm.{part}"])
        self.multi_modal_projector.linear_1.weight /= scale
        decoder, prefix = self.language_model.model, "language_model.model."
        count = self.vocabulary - 1
        decoder.embed_tokens.weight[:count] = twin[prefix + "embed_tokens.weight"][:count]
        self.language_model.lm_head.weight[:count] = twin["language_model.lm_head.weight"][:count]
        decoder.norm.weight.copy_(twin[prefix + "norm.weight"])
        for index, layer in enumerate(decoder.layers):
            names = {name[len(f"{prefix}layers.{index}."):]: value for name, value in twin.items() if name.startswith(f"{prefix}layers.{index}.")}
            for name, parameter in layer.named_parameters():
                crossed = name.replace("self_attn", "cross_attn")
                if name in names:
                    parameter.copy_(names[name])
                elif crossed in names and "q_proj" not in name and "k_proj" not in name:
                    parameter.copy_(names[crossed])

    @property
    def grid(self):
        return EDGE // self.c["patch"]

    @property
    def prefix(self):
        return self.grid ** 2

    def see(self, images):
        """What takes the place of the picture's tokens, [batch, patches, width]."""
        return self.multi_modal_projector(self.vision_tower.vision_model(images))

    def patches(self, states):
        return states, states.mean(1)

    def decode(self, ids, positions, mask, sees, states, places=None):
        """Hidden states [batch, positions, width], or at `places` [batch, places] alone. `ids` hold `prefix` picture tokens from place 1 on where `states` are given."""
        turn = rotary(positions, self.c["width"] // self.c["heads"], THETA)
        x = self.language_model.model.embed_tokens(ids)
        if states is not None:
            x = torch.cat([x[:, :1], states.to(x.dtype), x[:, 1 + self.prefix:]], dim=1)
        layers = self.language_model.model.layers
        for layer in layers:
            x = layer(x, turn, mask, self.capture, places if layer is layers[-1] else None)
        return self.language_model.model.norm(x)

    def head(self, hidden):
        return self.language_model.lm_head(hidden)

    def configuration(self, encoder):
        c = self.c
        return {
            "architectures": ["LlavaForConditionalGeneration"], "model_type": "llava", "image_token_index": encoder.image, "torch_dtype": "float16",
            "image_seq_length": self.prefix, "multimodal_projector_bias": True, "projector_hidden_act": "gelu", "vision_feature_layer": -1,
            "vision_feature_select_strategy": "default", "tie_word_embeddings": False,
            "text_config": {
                "model_type": "llama", "vocab_size": self.vocabulary, "hidden_size": c["width"], "intermediate_size": c["inner"],
                "num_hidden_layers": c["layers"], "num_attention_heads": c["heads"], "num_key_value_heads": c["key_heads"],
                "head_dim": c["width"] // c["heads"], "hidden_act": "silu", "rms_norm_eps": EPS, "rope_theta": THETA, "max_position_embeddings": 1024,
                "tie_word_embeddings": False, "attention_bias": False, "mlp_bias": False,
                "bos_token_id": encoder.pad, "eos_token_id": encoder.end, "pad_token_id": encoder.pad, "use_cache": True},
            "vision_config": {
                "model_type": "clip_vision_model", "hidden_size": c["vision_width"], "intermediate_size": c["vision_inner"],
                "num_attention_heads": c["vision_heads"], "num_hidden_layers": c["vision_layers"], "hidden_act": "quick_gelu", "image_size": EDGE,
                "patch_size": c["patch"], "num_channels": 3, "layer_norm_eps": EPS, "projection_dim": c["width"]},
        }

    processor = {
        "image_processor_type": "CLIPImageProcessor", "processor_class": "LlavaProcessor", "do_convert_rgb": True, "do_resize": True,
        "do_center_crop": True, "do_rescale": True, "do_normalize": True, "size": {"shortest_edge": EDGE}, "crop_size": {"height": EDGE, "width": EDGE},
        "resample": 3, "rescale_factor": 1 / 255, "image_mean": list(MEAN), "image_std": list(STD)}
