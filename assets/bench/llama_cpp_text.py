"""A GGUF file in llama.cpp: load, first token, prefill of 512, decode at 128."""

import argparse
import time

import llama_cpp

from measure import median, report

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("file")
arguments.add_argument("--gpu", action="store_true", help="all layers on the Vulkan device")
arguments.add_argument("--verbose", action="store_true")
arguments.add_argument("--tokens", type=int, default=16, help="decoded in each run")
arguments.add_argument("--runs", type=int, default=5)
options = arguments.parse_args()

began = time.perf_counter()
model = llama_cpp.Llama(
    options.file, n_gpu_layers=-1 if options.gpu else 0, n_ctx=1024, n_batch=512, n_ubatch=512, verbose=options.verbose)
loaded = time.perf_counter()
prompt = [(index * 37 + 11) % 1000 for index in range(512)]


def prefill(count):
    model.reset()
    model.eval(prompt[:count])


def decode():
    for index in range(options.tokens):
        model.eval([prompt[index]])


prefill(24)
first = time.perf_counter()
prefill_seconds = median(lambda: prefill(512), options.runs)
prefill(128)
decode_seconds = median(decode, options.runs) / options.tokens
report(
    engine=f"llama-cpp-python {llama_cpp.__version__}", device="vulkan" if options.gpu else "cpu", load_seconds=loaded - began,
    first_token_seconds=first - began, prefill_tokens_per_second=512 / prefill_seconds, decode_tokens_per_second=1 / decode_seconds)
