"""How long a person waits for a model's first answer, from the start of the program, and how fast the answer then comes.

    python3 assets/bench/first_answer.py PROGRAM MODEL PROMPT [PICTURE]

Runs `PROGRAM run MODEL` once to warm the cache of compiled shaders, then five times; prints medians as JSON. Nothing of the
model stays between runs: each opens the device, loads the weights and reads the picture anew.
"""

import json
import os
import statistics
import subprocess
import sys
import time


def run(command):
    """(seconds to the first byte of the answer, seconds in all, the answer)"""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    first = os.read(process.stdout.fileno(), 1)
    arrived = time.monotonic() - started
    rest = process.stdout.read()
    process.wait()
    if process.returncode or not first:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}")
    return arrived, time.monotonic() - started, (first + rest).decode().strip()


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, model, prompt = sys.argv[1:4]
    command = [program, "run", model, "--prompt", prompt] + (["--image", sys.argv[4]] if len(sys.argv) > 4 else [])
    run(command)
    runs = [run(command) for _ in range(5)]
    events = subprocess.run(command + ["--json"], capture_output=True, check=True, text=True).stdout.splitlines()
    finished = json.loads(events[-1])
    print(json.dumps({
        "model": model, "first_token_seconds": round(statistics.median(run[0] for run in runs), 3),
        "whole_run_seconds": round(statistics.median(run[1] for run in runs), 3), "answer": runs[0][2],
        "finished": {key: value for key, value in finished.items() if key != "event"}}, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
