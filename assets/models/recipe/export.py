"""Weights as f16 safetensors with what a program needs beside them; sizes and digests."""

import hashlib
import json
import pathlib

LIMIT = 48_000_000  # bytes, all default models together


def write(model, folder, configuration, files, leave_out=()):
    """model.safetensors, config.json, generation_config.json, and `files` (name → object written as JSON)."""
    import torch
    from safetensors.torch import save_file
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in model.state_dict().items() if name not in leave_out}
    for name, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ValueError(f"{name} does not fit float16")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    for name, value in {"config.json": configuration, **files}.items():
        (folder / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return describe(folder)


ATTENTION_KEPT = 40  # questions whose attention is kept


def keep_questions(folder, records, attention):
    """What transformers answered, for another program to be held against: questions.json, and attention.safetensors with
    `NNN.L` [answer tokens, heads, keys] of the first questions."""
    from safetensors.torch import save_file
    kept = pathlib.Path(folder) / "questions"
    kept.mkdir(exist_ok=True)
    (kept / "questions.json").write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", "utf-8")
    save_file(attention, kept / "attention.safetensors")


def describe(folder):
    """Size and digest of every file, also written to SHA256SUMS."""
    folder = pathlib.Path(folder)
    lines, total = [], 0
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.name != "SHA256SUMS" and path.suffix in (".safetensors", ".json", ".model", ".png"):
            data = path.read_bytes()
            total += len(data)
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {path.name}")
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", "utf-8")
    return total
