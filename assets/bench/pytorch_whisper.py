"""Whisper tiny.en's shapes in PyTorch, eager attention, all attention weights returned: encoder, decode."""

import argparse

import torch
import transformers
from transformers import DynamicCache, EncoderDecoderCache, WhisperConfig, WhisperForConditionalGeneration

from measure import median, report

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--tokens", type=int, default=32, help="decoded in each run")
options = arguments.parse_args()

config = WhisperConfig(
    vocab_size=51864, d_model=384, encoder_layers=4, decoder_layers=4, encoder_attention_heads=6, decoder_attention_heads=6,
    encoder_ffn_dim=1536, decoder_ffn_dim=1536, attn_implementation="eager")
torch.manual_seed(0)
model = WhisperForConditionalGeneration(config).eval()
features = torch.randn(1, 80, 3000)


@torch.inference_mode()
def encode():
    return model.model.encoder(features, output_attentions=True)


@torch.inference_mode()
def decode(encoded):
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    for _ in range(options.tokens):
        model(
            encoder_outputs=encoded, decoder_input_ids=torch.tensor([[11]]), past_key_values=cache, use_cache=True, output_attentions=True)


encoder_seconds = median(encode)
encoded = encode()
decode_seconds = median(lambda: decode(encoded)) / options.tokens
report(
    engine=f"PyTorch {torch.__version__} eager, transformers {transformers.__version__}", dtype="float32", threads=torch.get_num_threads(),
    encoder_seconds=encoder_seconds, decode_tokens_per_second=1 / decode_seconds)
