"""Whisper in PyTorch, eager attention, all attention weights returned: encoder of a 30 s window, decode. Without --config
Whisper tiny.en's shapes."""

import torch
from transformers import WhisperConfig, WhisperForConditionalGeneration

from pytorch_common import build, configuration, decode_from, parse, run, tell, timed


def tiny():
    return WhisperConfig(
        vocab_size=51864, d_model=384, encoder_layers=4, decoder_layers=4, encoder_attention_heads=6, decoder_attention_heads=6,
        encoder_ffn_dim=1536, decoder_ffn_dim=1536)


@torch.inference_mode()
def main():
    options = parse(__doc__, tokens=32)
    config = configuration(options, tiny())
    model = build(WhisperForConditionalGeneration, config, options)
    options.tokens = options.measured.get("decode_tokens", options.tokens)
    features = torch.randn(1, config.num_mel_bins, 2 * config.max_source_positions, device=options.device).to(model.dtype)

    def encode():
        return model.model.encoder(features, output_attentions=True)

    encoder_seconds = timed(encode, options)
    encoded = encode()
    decode_seconds = timed(lambda: decode_from(model, encoded, options), options) / options.tokens
    tell(options, encoder_seconds=encoder_seconds, decode_tokens_per_second=1 / decode_seconds)


run(main)
