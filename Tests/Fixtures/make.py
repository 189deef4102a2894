#!/usr/bin/env python3
"""Writes the small fixtures of this folder: one tiny random model per family and PyTorch's values for it.

    python make.py REFERENCE_FIXTURES

REFERENCE_FIXTURES is the folder of the larger set, which holds generate.py and generate_more.py. Their models are made
again with every weight rounded to float16, so that weights take half the space and the values stay exact: the goldens
are float32 arithmetic on the rounded weights. Of the goldens only a few steps and cases are kept. No test needs Python.

Needs: torch, transformers, tokenizers, sentencepiece, protobuf, safetensors, gguf, pillow, numpy.
"""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = Path(sys.argv[1]).resolve()
sys.path.insert(0, str(SOURCE))
sys.dont_write_bytecode = True

import generate as base
import generate_more as more
import torch
from safetensors.torch import load_file, save_file
from transformers.models.whisper import modeling_whisper

# For each family, the names of tensors to drop; steps other than the first two and the last are dropped everywhere.
FAMILIES = {
    "t5": r"batch/enc\.attn|long/step1",
    "flan-t5": r"batch/|long/",
    "marian": r"batch/enc\.attn|second/",
    "bart": r"batch/enc\.attn|second/",
    "m2m100": r"batch/enc\.attn|second/",
    "whisper-80": r"$^",
    "llama3": r"$^",
    "gpt2": r"$^",
    "llava": r"square/|image_c|resized_u8|image_a/(vision|image_features)|pair/step(0|\d+\.self)|wide/step0\.self\.1",
    "smolvlm": r"square/|image_[ac]/|resized_u8|pixel_attention_mask",
    "mllama": r"(small|tall)/|image_c|resized_u8|two/(pixel_values|vision|cross_attention_states)|aspect_ratio|cross_attention_mask"
              r"|vision\.attn\.(local|global)\.[1-9]",
    "blip": r"image_c|resized_u8|prompted/(enc|step\d+\.(self|cross))",
    "vit-gpt2": r"resized_u8|image_b/(enc|step|greedy|decoder_start)",
    "trocr": r"resized_u8|image_b/(enc|step|greedy|decoder_start)",
}
TOKENIZERS = ["bpe-gpt2", "bpe-llama2", "bpe-llama3", "wordpiece"]
# Frames of sound that Whisper's golden records, and query rows of its encoder's attention.
FRAMES, ROWS = 300, [0, 555]
# Strings of a tokenizer's golden.
CASES = 180


def rounded(model):
    with torch.no_grad():
        # Position tables that are computed, not stored, stay as they are.
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        biases = [buffer for name, buffer in model.named_buffers() if name.endswith("final_logits_bias")]
        for tensor in trained + biases:
            tensor.copy_(tensor.half().float())
    return model


def round_every_model():
    """Rounds what every `build` of the larger set returns, and Whisper's position table, which its own check rebuilds."""
    family, table, sound = base.make_family, modeling_whisper.sinusoids, base.sound
    make = lambda name, build, *rest, **named: family(name, lambda seed: rounded(build(seed)), *rest, **named)
    base.make_family = more.make_family = make
    modeling_whisper.sinusoids = lambda *sizes: table(*sizes).half().float()
    base.sound = lambda: sound()[: (FRAMES - 10) * 160]
    more.make_pickles = lambda model: None


def generate(folder):
    base.OUT = folder
    base.make_inputs()
    base.make_tokenizers()
    plan = {
        "t5": lambda: base.make_t5("t5"), "flan-t5": lambda: base.make_t5("flan-t5"), "marian": base.make_marian,
        "bart": base.make_bart, "whisper-80": lambda: base.make_whisper(80), "llama3": lambda: base.make_llama("llama3"),
        "gpt2": base.make_gpt2, "llava": base.make_llava, "mllama": base.make_mllama, "smolvlm": base.make_smolvlm,
        "blip": base.make_blip, "vit-gpt2": lambda: base.make_vision_encoder_decoder("gpt2"),
        "trocr": lambda: base.make_vision_encoder_decoder("trocr"), "m2m100": more.make_m2m100,
    }
    with tempfile.TemporaryDirectory() as scratch:
        more.SCRATCH = Path(scratch)
        for make in plan.values():
            make()


def half(tensor):
    """The tensor in float16 where that loses nothing."""
    narrow = tensor.half() if tensor.is_floating_point() else tensor
    return narrow.contiguous() if torch.equal(narrow.to(tensor.dtype), tensor) else tensor


def write_lines(path, document, key):
    """JSON with one line for each member of `key`, so that changes can be read."""
    members = document.pop(key)
    head = json.dumps(document, ensure_ascii=False)[:-1]
    pairs = members.items() if isinstance(members, dict) else enumerate(members)
    lines = [(f"{json.dumps(k)}: " if isinstance(members, dict) else "") + json.dumps(v, ensure_ascii=False) for k, v in pairs]
    left, right = "{}" if isinstance(members, dict) else "[]"
    path.write_text(f"{head},\n{json.dumps(key)}: {left}\n" + ",\n".join(lines) + f"\n{right}}}\n", encoding="utf-8")


def cut_golden(source, target, drop):
    tensors, document = load_file(source / "golden.safetensors"), json.loads((source / "golden.json").read_text())
    last = max(int(n) for name in tensors for n in re.findall(r"/step(\d+)\.", name))
    kept = {}
    for name, tensor in tensors.items():
        step = re.search(r"/step(\d+)\.", name)
        if re.search(drop, name) or (step and 1 < int(step[1]) < last):
            continue
        if name == "features.head":
            assert bool((tensor[:, FRAMES:] == tensors["features.tail"][0]).all())
            tensor = tensor[:, :FRAMES]
        elif "enc.attn_row" in name and source.name.startswith("whisper"):
            index = tensors["main/enc.attn_row_index"].tolist()
            rows = [index.index(row) for row in ROWS]
            tensor = tensor[rows] if name.endswith("row_index") else tensor[:, rows]
        kept[name] = tensor.contiguous()
    save_file(kept, str(target / "golden.safetensors"))
    for key in ("attention_entropy_over_log_n", "about"):
        document.pop(key, None)
    if "prompts" in document:
        runs = {name.split("/")[0] for name in kept}
        document["prompts"] = {case: prompt for case, prompt in document["prompts"].items() if case in runs}
    document["note"] = "Weights rounded to float16, all arithmetic in float32. Cut by Tests/Fixtures/make.py."
    described = document["tensors"]
    document["tensors"] = {
        name: {"shape": list(tensor.shape), "tolerance": described[name]["tolerance"]} for name, tensor in kept.items()}
    write_lines(target / "golden.json", document, "tensors")


def cut(folder):
    models = HERE / "models"
    shutil.rmtree(models, ignore_errors=True)
    for name, drop in FAMILIES.items():
        source, target = folder / name, models / name
        target.mkdir(parents=True)
        for path in source.glob("*config*.json"):
            if not path.name.startswith("tokenizer"):
                shutil.copy(path, target)
        weights = {key: half(tensor) for key, tensor in load_file(source / "model.safetensors").items()}
        save_file(weights, str(target / "model.safetensors"), metadata={"format": "pt"})
        cut_golden(source, target, drop)
    (models / "inputs").mkdir()
    for kind in "abde":
        shutil.copy(folder / "inputs" / f"image_{kind}.png", models / "inputs")
    for name in TOKENIZERS:
        source, target = folder / "tokenizers" / name, models / "tokenizers" / name
        target.mkdir(parents=True)
        for path in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(source / path, target)
        golden = json.loads((source / "golden_tokens.json").read_text(encoding="utf-8"))
        # The shortest strings say most; their order stays.
        short = sorted(golden["cases"], key=lambda case: len(case["ids"]))[:CASES]
        golden["cases"] = [case for case in golden["cases"] if case in short]
        for case in golden["cases"]:
            for key in [key for key in case if key.startswith("sentencepiece")]:
                del case[key]
        write_lines(target / "golden_tokens.json", golden, "cases")


round_every_model()
with tempfile.TemporaryDirectory() as scratch:
    generate(Path(scratch))
    cut(Path(scratch))
size = sum(path.stat().st_size for path in (HERE / "models").rglob("*") if path.is_file())
print(f"{size / 1e6:.1f} MB")
