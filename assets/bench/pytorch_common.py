"""What the PyTorch scripts share: their options, and models of a configuration's shapes with random weights."""

import argparse
import json
import sys

import torch
import transformers
from transformers import AutoConfig, DynamicCache, EncoderDecoderCache

from measure import median, report

# Exit code that says: it does not fit the device.
DOES_NOT_FIT = 3


def parse(doc, tokens):
    arguments = argparse.ArgumentParser(description=doc)
    arguments.add_argument("--config", help="a folder with config.json, as assets/configs has them; default: the shapes named above")
    arguments.add_argument("--device", default="cpu", help="cpu, cuda, cuda:1")
    arguments.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float32")
    arguments.add_argument("--tokens", type=int, default=tokens, help="decoded in each run")
    arguments.add_argument("--runs", type=int, default=5, help="of which the median counts")
    arguments.add_argument("--like", help="what `fovea bench --json` wrote of the model: tokens, prompts and pictures are as there")
    options = arguments.parse_args()
    options.measured = json.load(open(options.like)) if options.like else {}
    return options


def configuration(options, default):
    config = AutoConfig.from_pretrained(options.config) if options.config else default
    config._attn_implementation = "eager"
    return config


def build(model_class, config, options):
    """A model with random weights, made where it is to run."""
    torch.manual_seed(0)
    with torch.device(options.device):
        make = getattr(model_class, "from_config", None) or model_class._from_config
        return make(config, attn_implementation="eager", dtype=getattr(torch, options.dtype)).eval()


def ids(*values, options):
    return torch.tensor([values], device=options.device)


def timed(work, options):
    """Median seconds of `work`, what it left running on the device included."""

    def finished():
        work()
        if options.device.startswith("cuda"):
            torch.cuda.synchronize()

    return median(finished, options.runs)


@torch.inference_mode()
def decode_from(model, encoded, options):
    """Decodes from nothing, attending to what an encoder put out."""
    cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
    for _ in range(options.tokens):
        model(
            encoder_outputs=encoded, decoder_input_ids=ids(11, options=options), past_key_values=cache, use_cache=True,
            output_attentions=True)


def tell(options, **figures):
    where = {"threads": torch.get_num_threads()}
    if options.device.startswith("cuda"):
        where = {"device": torch.cuda.get_device_name(options.device)}
    if options.config:
        where["config"] = options.config
    report(
        engine=f"PyTorch {torch.__version__} eager, transformers {transformers.__version__}", dtype=options.dtype, **where,
        **{name: value for name, value in figures.items() if value is not None})


def run(main):
    """Ends with `DOES_NOT_FIT` where the device's memory is too small."""
    try:
        main()
    except torch.cuda.OutOfMemoryError as error:
        print(f"it does not fit: {str(error).splitlines()[0]}", file=sys.stderr)
        sys.exit(DOES_NOT_FIT)
