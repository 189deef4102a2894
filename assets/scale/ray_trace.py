"""Traces rows with actors of Ray Data; each holds a model in `fovea trace --worker`.

    python ray_trace.py fovea-fra-eng rows.jsonl attention --actors 2

Rows are JSON objects as for `fovea trace --batch`. Results are Parquet files of pyarrow in OUT/index (one for each block:
custom_id, text, the file of tensors, the whole record as JSON) and the tensors' files in OUT/tensors. Rows whose
custom_id is in OUT/index already are left out: a run that was stopped goes on. Ray starts an actor that died again and
gives its block to another one.

Needs the packages ray[data] and pyarrow.
"""

import argparse
import glob
import json
import os
import subprocess
import sys

import pyarrow
import pyarrow.parquet
import ray


class Tracer:
    """Holds one worker, whose model stays loaded."""

    def __init__(self, program, model, folder, options):
        self.folder = folder
        self.worker = subprocess.Popen(
            [program, "trace", model, "--worker", "--out", folder + "/tensors", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, batch):
        table = {"custom_id": [], "text": [], "file": [], "record": []}
        for row in batch["row"]:
            self.worker.stdin.write(row + "\n")
            self.worker.stdin.flush()
            answer = self.worker.stdout.readline()
            if not answer:
                raise RuntimeError("the worker ended")
            answer = json.loads(answer)
            record = answer["record"]
            table["custom_id"].append(record["custom_id"])
            table["text"].append(record.get("text") or record.get("error") or "")
            table["file"].append(answer.get("file") or "")
            table["record"].append(json.dumps(record))
        # Written beside and renamed: the index never holds half a block. The name follows from the rows, so that a
        # block that is done twice is one file.
        name = f"{self.folder}/index/{abs(hash(tuple(table['custom_id']))):016x}"
        pyarrow.parquet.write_table(pyarrow.table(table), name + ".partial")
        os.rename(name + ".partial", name + ".parquet")
        return {"custom_id": table["custom_id"]}


def finished(folder):
    """Names of the rows that are in the index."""
    names = set()
    for path in glob.glob(folder + "/index/*.parquet"):
        names.update(pyarrow.parquet.read_table(path, columns=["custom_id"])["custom_id"].to_pylist())
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("rows")
    parser.add_argument("out")
    parser.add_argument("--actors", type=int, default=2)
    parser.add_argument("--gpus", type=float, default=0, help="GPUs of each actor")
    parser.add_argument("--batch", type=int, default=16, help="rows of a block")
    parser.add_argument("--program", default="fovea")
    parser.epilog = "Behind -- come more options of fovea trace."
    arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    given = parser.parse_args(arguments[:split])
    options = arguments[split + 1:]
    folder = os.path.abspath(given.out)
    os.makedirs(folder + "/index", exist_ok=True)
    done = finished(folder)
    rows = {}
    with open(given.rows, encoding="utf-8") as file:
        for line in filter(str.strip, file):
            name = json.loads(line)["custom_id"]
            if name not in done:
                rows.setdefault(name, line.strip())
    print(f"{len(done)} rows done, {len(rows)} to do")
    if not rows:
        return
    ray.init(runtime_env={"env_vars": {"PYTHONHASHSEED": "0"}}, include_dashboard=False)
    blocks = max(1, -(-len(rows) // given.batch))
    data = ray.data.from_items([{"row": row} for row in rows.values()], override_num_blocks=blocks)
    traced = data.map_batches(
        Tracer, fn_constructor_args=(given.program, given.model, folder, options), batch_size=given.batch,
        concurrency=given.actors, num_gpus=given.gpus, max_restarts=-1, max_task_retries=-1)
    print(f"{traced.count()} rows traced, {len(finished(folder))} in all")


if __name__ == "__main__":
    main()
