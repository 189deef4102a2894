"""Runs `fovea trace` on the reference models and holds every tensor against PyTorch's, each by its own tolerance.

    python3 assets/bench/compare_trace.py FOVEA FIXTURES [--device SELECTOR] [--only llama,t5]

FIXTURES holds model folders with `golden.safetensors` and `golden.json`, `gguf/` with `NAME.gguf` beside `NAME.golden/`, and
`inputs/`. Needs numpy. Ends with 1 when a tensor is off, missing or a run fails.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy

TYPES = {"F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "u1"}
# What a trace must show of a case where the reference has it.
EXPECTED = ("step", "enc.", "vision.", "image_features", "cross_attention_states", "greedy", "hidden.")


def read(path):
    """Tensors by name: eight bytes of header length, the header as JSON, the data."""
    data = pathlib.Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    body = memoryview(data)[8 + length:]
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            first, end = entry["data_offsets"]
            tensors[name] = numpy.frombuffer(body[first:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def error(actual, expected, tolerance):
    """How far off as a multiple of what is allowed; infinite for another shape, dimensions of one apart."""
    actual, expected = actual.squeeze(), expected.squeeze()
    if actual.shape != expected.shape:
        return numpy.inf
    if tolerance["kind"] == "exact":
        return 0.0 if numpy.array_equal(actual, expected) else numpy.inf
    allowed = tolerance["value"] * (numpy.abs(expected).max() if tolerance["kind"] == "rel" else 1)
    off = numpy.abs(actual.astype(numpy.float64) - expected).max() if actual.size else 0.0
    return numpy.inf if numpy.isnan(off) else float(off / max(allowed, 1e-30))


class Case:
    """One prompt of a reference model."""

    def __init__(self, name, golden, described, inputs):
        self.prefix, self.golden, self.described, self.inputs = name + "/", golden, described, inputs
        prompt = described.get("prompts", {}).get(name, {})
        self.images = prompt.get("images", [name + ".png"] if name.startswith("image_") else [])

    def arguments(self):
        def ids(name):
            return ",".join(str(token) for token in self.golden[self.prefix + name].flatten())

        result = ["--max-tokens", str(self.golden[self.prefix + "greedy"].size)]
        for image in self.images:
            result += ["--image", str(self.inputs / image)]
        for name, option in [("input_ids", "--ids"), ("decoder_start", "--decoder-ids")]:
            if self.prefix + name in self.golden:
                result += [option, ids(name)]
        if self.described.get("family", "").startswith("whisper"):
            result += ["--audio", str(self.inputs / "audio.wav")]
        rows = [name for name in ("enc.attn_row_index", "attn_row_index") if self.prefix + name in self.golden]
        return result + (["--encoder-rows", ids(rows[0])] if rows else [])

    def names(self, traced):
        """Where the reference may keep a tensor of a trace: with the case, or with its picture."""
        images = [image.removesuffix(".png") for image in self.images]
        if traced.startswith("picture"):
            number, traced = traced.removeprefix("picture").split(".", 1)
            return [f"{images[int(number)]}/{traced}"]
        name = {"generated_ids": "greedy", "decoder_input_ids": "decoder_start"}.get(traced, traced)
        names = [self.prefix + name, self.prefix + name.replace("enc.attn.", "enc.attn_rows.")]
        return names + ([f"{images[0]}/{name}"] if len(images) == 1 else [])


def check(fovea, device, model, folder, inputs):
    """Problems of a model, the tensors compared and the largest error among them."""
    golden, described = read(folder / "golden.safetensors"), json.loads((folder / "golden.json").read_text())
    problems, count, worst = [], 0, (0.0, "")
    for name in sorted(name.split("/")[0] for name in golden if name.endswith("/greedy")):
        case = Case(name, golden, described, inputs)
        with tempfile.TemporaryDirectory() as place:
            out = place + "/trace.safetensors"
            command = [fovea, "trace", str(model), "--out", out] + case.arguments() + (["--device", device] if device else [])
            run = subprocess.run(command, capture_output=True, text=True)
            if run.returncode:
                problems.append(f"{name}: fovea trace ended with {run.returncode}: {run.stderr.strip()[-300:]}")
                continue
            traced = read(out)
        compared = set()
        for tensor, values in traced.items():
            for reference in case.names(tensor):
                if reference in golden and reference not in compared:
                    compared.add(reference)
                    off = error(values, golden[reference], described["tensors"][reference]["tolerance"])
                    worst = max(worst, (off, reference))
                    if off > 1:
                        problems.append(f"{reference} {values.shape}: {off:.3g} times what is allowed")
        count += len(compared)
        missing = [
            reference for reference in golden
            if reference.startswith(case.prefix) and reference.removeprefix(case.prefix).startswith(EXPECTED)
            and reference not in compared and not reference.endswith("attn_row_index")]
        if missing:
            problems.append(f"{name}: not in the trace: {', '.join(sorted(missing)[:5])}")
    return problems, count, worst


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("fovea")
    arguments.add_argument("fixtures", type=pathlib.Path)
    arguments.add_argument("--device")
    arguments.add_argument("--only", default="", help="models, separated by commas")
    options = arguments.parse_args()
    models = {}
    for path in sorted(options.fixtures.iterdir()):
        if (path / "golden.safetensors").exists() and (path / "config.json").exists():
            models[path.name] = (path, path)
    for path in sorted(options.fixtures.glob("gguf/*.gguf")):
        models[path.name] = (path, path.with_suffix(".golden"))
    wanted = [name for name in options.only.split(",") if name] or list(models)
    failed = 0
    for name in wanted:
        problems, count, (off, tensor) = check(options.fovea, options.device, *models[name], options.fixtures / "inputs")
        if not count:
            problems.append("nothing was compared")
        failed += bool(problems)
        print(f"{name:20} {count:4} tensors, the largest error {off:.2f} of what is allowed ({tensor})", flush=True)
        for problem in problems:
            print(f"    {problem}", flush=True)
    print(f"{len(wanted) - failed} of {len(wanted)} models agree with PyTorch")
    sys.exit(1 if failed or not wanted else 0)


if __name__ == "__main__":
    main()
