"""A decoder-only model in PyTorch, eager attention, all attention weights returned: prefill, decode, and the tower with
projector of one that sees. Without --config SmolLM2-135M's shapes: prefill of 512, decode at 128."""

import torch
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, DynamicCache, LlamaConfig

from pytorch_common import build, configuration, ids, parse, run, tell, timed


def smollm2():
    return LlamaConfig(
        vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
        max_position_embeddings=8192, rms_norm_eps=1e-5, rope_theta=100000.0, tie_word_embeddings=True)


def encoder(model, config, tiles, options):
    """What runs once for a picture."""
    size = config.vision_config.image_size

    def pixels(*shape):
        return torch.rand(*shape, 3, size, size, device=options.device).to(getattr(torch, options.dtype))

    if config.model_type != "mllama":
        picture = pixels(1) if config.model_type == "llava" else pixels(1, tiles)
        return lambda: model.get_image_features(pixel_values=picture, output_attentions=True)
    slots = config.vision_config.max_num_tiles
    # Grid number 1 is one tile; the tower runs over all slots whatever they hold.
    picture, inner = pixels(1, 1, slots), model.model
    grid, mask = ids(1, options=options), ids([1] + [0] * (slots - 1), options=options)

    def encode():
        out = inner.vision_model(pixel_values=picture, aspect_ratio_ids=grid, aspect_ratio_mask=mask).last_hidden_state
        return inner.multi_modal_projector(out).reshape(-1, out.shape[-2], inner.hidden_size)

    return encode


@torch.inference_mode()
def main():
    options = parse(__doc__, tokens=16)
    config = configuration(options, smollm2())
    sees = hasattr(config, "vision_config")
    model = build(AutoModelForImageTextToText if sees else AutoModelForCausalLM, config, options)
    encode = encoder(model, config, options.measured.get("picture_tiles", 1), options) if sees else None
    # Where pictures are tokens any others cost the same; where they are not the decoder attends to what the tower gave.
    more = {"cross_attention_states": encode()} if config.model_type == "mllama" else {}
    vocabulary = min(1000, config.get_text_config().vocab_size)
    prompt, context = options.measured.get("prefill_tokens", 512), options.measured.get("decode_context", 128)
    options.tokens = options.measured.get("decode_tokens", options.tokens)

    def prefill(count):
        cache = DynamicCache()
        model(
            input_ids=torch.randint(0, vocabulary, (1, count), device=options.device), past_key_values=cache, use_cache=True,
            output_attentions=True, logits_to_keep=1, **more)
        return cache

    def decode(cache):
        for _ in range(options.tokens):
            model(input_ids=ids(11, options=options), past_key_values=cache, use_cache=True, output_attentions=True)

    encoder_seconds = timed(encode, options) if encode else None
    prefill_seconds = timed(lambda: prefill(prompt), options)
    caches = [prefill(context) for _ in range(options.runs + 1)]
    decode_seconds = timed(lambda: decode(caches.pop()), options) / options.tokens
    tell(
        options, encoder_seconds=encoder_seconds, prefill_tokens_per_second=prompt / prefill_seconds,
        decode_tokens_per_second=1 / decode_seconds)


run(main)
