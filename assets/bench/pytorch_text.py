"""SmolLM2-135M's shapes in PyTorch, eager attention, all attention weights returned: prefill of 512, decode at 128."""

import argparse

import torch
import transformers
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

from measure import median, report

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("--dtype", choices=["float32", "bfloat16"], default="float32")
arguments.add_argument("--tokens", type=int, default=16, help="decoded in each run")
options = arguments.parse_args()

config = LlamaConfig(
    vocab_size=49152, hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9, num_key_value_heads=3,
    max_position_embeddings=8192, rms_norm_eps=1e-5, rope_theta=100000.0, tie_word_embeddings=True, attn_implementation="eager")
torch.manual_seed(0)
model = LlamaForCausalLM(config).eval().to(getattr(torch, options.dtype))


@torch.inference_mode()
def prefill(count):
    cache = DynamicCache()
    ids = torch.randint(0, 1000, (1, count))
    model(input_ids=ids, past_key_values=cache, use_cache=True, output_attentions=True, logits_to_keep=1)
    return cache


@torch.inference_mode()
def decode(cache):
    for _ in range(options.tokens):
        model(input_ids=torch.tensor([[11]]), past_key_values=cache, use_cache=True, output_attentions=True)


prefill_seconds = median(lambda: prefill(512))
caches = [prefill(128) for _ in range(6)]
decode_seconds = median(lambda: decode(caches.pop())) / options.tokens
report(
    engine=f"PyTorch {torch.__version__} eager, transformers {transformers.__version__}", dtype=options.dtype, threads=torch.get_num_threads(),
    prefill_tokens_per_second=512 / prefill_seconds, decode_tokens_per_second=1 / decode_seconds)
