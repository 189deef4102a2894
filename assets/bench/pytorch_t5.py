"""T5 in PyTorch, eager attention, all attention weights returned: encoder of 256 tokens, decode. Without --config
FLAN-T5 small's shapes."""

import torch
from transformers import T5Config, T5ForConditionalGeneration

from pytorch_common import build, configuration, decode_from, parse, run, tell, timed


def small():
    return T5Config(d_model=512, d_kv=64, d_ff=1024, num_layers=8, num_heads=6, feed_forward_proj="gated-gelu", tie_word_embeddings=False)


@torch.inference_mode()
def main():
    options = parse(__doc__, tokens=32)
    model = build(T5ForConditionalGeneration, configuration(options, small()), options)
    options.tokens = options.measured.get("decode_tokens", options.tokens)
    source = torch.randint(0, 1000, (1, 256), device=options.device)

    def encode():
        return model.encoder(source, output_attentions=True)

    encoder_seconds = timed(encode, options)
    encoded = encode()
    decode_seconds = timed(lambda: decode_from(model, encoded, options), options) / options.tokens
    tell(options, encoder_seconds=encoder_seconds, decode_tokens_per_second=1 / decode_seconds)


run(main)
