"""The results of gpu.sh as one table in Markdown.

    python3 assets/bench/table.py FOLDER

Reads FOLDER/fovea-*.json (what `fovea bench --json` wrote), FOLDER/pytorch-*.json (one line of the PyTorch scripts) and
FOLDER/notes.txt (what was skipped, what failed). Standard library only.
"""

import json
import pathlib
import sys


def load(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def figure(value):
    """Three significant figures."""
    if not value:
        return "–"
    text = f"{value:.3g}"
    return f"{value:.0f}" if "e" in text else text


def seconds(value):
    if not value:
        return "–"
    return f"{figure(value)} s" if value >= 1 else f"{figure(value * 1000)} ms"


def percent(part, whole):
    return f"{100 * part / whole:.0f} %" if part and whole else "–"


def rate(value, unit):
    for scale, prefix in [(1e12, "T"), (1e9, "G"), (1e6, "M")]:
        if value >= scale:
            return f"{figure(value / scale)} {prefix}{unit}"
    return f"{figure(value)} {unit}"


def matrix_peak(report):
    """Operations a second in products of matrices, on devices whose kernels use them."""
    return report["ceilings"].get("matrix_operations_per_second")


def row(model, weights, report, pytorch):
    peak = matrix_peak(report) or report["ceilings"]["operations_per_second"]

    def share(operations, time):
        return percent(operations / time if operations and time else None, peak)

    plain, watched = report["decode"][0], report["decode"][1]
    encoder = report.get("encoder_seconds")
    return [
        model, weights, figure(1 / plain["seconds_per_token"]),
        percent(report["decode_bytes_per_token"] / plain["seconds_per_token"], report["ceilings"]["copy_bytes_per_second"]),
        f"{100 * watched['cost']:.1f} %", figure(report["prefill_tokens"] / report["prefill_seconds"]),
        share(report.get("prefill_operations"), report["prefill_seconds"]), seconds(encoder), share(report.get("encoder_operations"), encoder),
        figure(pytorch.get("decode_tokens_per_second")), figure(pytorch.get("prefill_tokens_per_second")),
        seconds(pytorch.get("encoder_seconds")),
    ]


HEADER = [
    "model", "weights", "decode tokens/s", "of copy bandwidth", "watching costs", "prefill tokens/s", "of arithmetic", "encoder", "of arithmetic",
    "PyTorch decode tokens/s", "PyTorch prefill tokens/s", "PyTorch encoder",
]


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(sys.argv[1])
    reports = {}
    for path in sorted(folder.glob("fovea-*.json")):
        report = load(path)
        if report:
            model, weights = path.stem.removeprefix("fovea-").rsplit("-", 1)
            reports[model, weights] = report
    peers = {path.stem.removeprefix("pytorch-"): load(path) or {} for path in folder.glob("pytorch-*.json")}
    if reports:
        report = next(iter(reports.values()))
        ceilings = report["ceilings"]
        print(
            f"{report['device']}, {report['driver']}: reads {rate(ceilings['read_bytes_per_second'], 'B/s')}, copies "
            f"{rate(ceilings['copy_bytes_per_second'], 'B/s')}, f32 {rate(ceilings['operations_per_second'], 'FLOP/s')}"
            + (f", f16 matrices {rate(matrix_peak(report), 'FLOP/s')}." if matrix_peak(report) else ".")
        )
    engines = {f"{peer['engine']}, {peer['dtype']} on {peer.get('device', 'the CPU')}" for peer in peers.values() if peer}
    for engine in sorted(engines):
        print(f"Beside it {engine}, all attention weights returned.")
    rows = [row(*key, report, peers.get(key[0], {})) for key, report in reports.items()]
    if rows:
        print()
        for cells in [HEADER, ["---"] * 2 + ["---:"] * (len(HEADER) - 2)] + rows:
            print("| " + " | ".join(cells) + " |")
    notes = folder / "notes.txt"
    if notes.exists() and notes.read_text().strip():
        print()
        for line in notes.read_text().splitlines():
            print(f"- {line}")


if __name__ == "__main__":
    main()
