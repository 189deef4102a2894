#!/bin/bash
# Shows that kill -9 loses nothing: a batch over 8 shards whose runs are killed every few seconds gives the same bytes as
# one that is left alone.
#
#     FOVEA=path/to/fovea MODEL=path/to/fovea-fra-eng ROWS=2000 ./interrupted.sh FOLDER
set -euo pipefail
folder=${1:?a folder for the results}
fovea=${FOVEA:-fovea} model=${MODEL:-fovea-fra-eng} rows=${ROWS:-2000} shards=${SHARDS:-8}
mkdir -p "$folder"
python3 - "$rows" >"$folder/rows.jsonl" <<'ROWS'
import json, sys
animals = "chat chien cheval lapin coq âne loup renard".split()
for i in range(int(sys.argv[1])):
    print(json.dumps({"custom_id": f"row-{i}", "prompt": f"Le {animals[i % len(animals)]} a {i} ans."}))
ROWS
# `exec`: a run in the background has the program's process number.
trace() {
    exec "$fovea" trace "$model" --batch "$folder/rows.jsonl" --out "$1" --shard "$2/$shards" --max-tokens 12 \
        --stop-at-end --reduce topk:8 2>>"$folder/log"
}
started=$SECONDS
for ((i = 0; i < shards; i++)); do (trace "$folder/whole" "$i"); done
echo "undisturbed: $((SECONDS - started)) s"

started=$SECONDS
kills=0
for ((i = 0; i < shards; i++)); do
    until [ -f "$folder/killed/shard-0000$i-of-0000$shards.done.json" ]; do
        trace "$folder/killed" "$i" &
        run=$!
        # 2 to 6 s.
        for ((wait = 0; wait < 20 + RANDOM % 40; wait++)); do
            kill -0 "$run" 2>/dev/null || break
            sleep 0.1
        done
        if kill -KILL "$run" 2>/dev/null; then kills=$((kills + 1)); fi
        wait "$run" || true
    done
done
echo "killed $kills times: $((SECONDS - started)) s"
for result in whole killed; do "$fovea" trace --merge "$folder/$result"; done
cmp "$folder/whole/manifest.jsonl" "$folder/killed/manifest.jsonl"
cmp "$folder/whole/manifest.json" "$folder/killed/manifest.json"
for ((i = 0; i < shards; i++)); do
    cmp "$folder"/{whole,killed}/"shard-0000$i-of-0000$shards.safetensors"
done
[ "$kills" -gt 0 ]
echo "equal to the byte: $(wc -l <"$folder/whole/manifest.jsonl") rows"
