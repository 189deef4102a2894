#!/usr/bin/env bash
# train-all.sh cpu|gpu BUILD            trains the default models, or goes on; evaluates them (cpu) when they are finished.
# train-all.sh further BUILD            trains the picture models that are here further, on a CPU, and evaluates them.
# train-all.sh evaluate cpu|gpu BUILD   evaluates finished models and writes their cards.
# MINUTES: length of the whole training (cpu: 120, further: 80, gpu: 22). WAIT: seconds until this command returns (gpu: 570). OUT: see README.md.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
models=$(dirname "$here")
evaluate=
[ "$1" = evaluate ] && { evaluate=1; shift; }
further=
[ "$1" = further ] && { further=-further; set -- cpu "$2"; }
configuration=$1
build=$2
mkdir -p "$build"
build=$(cd "$build" && pwd)
python=${PYTHON:-$build/venv/bin/python}
[ -x "$(command -v "$python")" ] || python=python3
export PYTHONUNBUFFERED=1

all=(fovea-scenes fovea-scenes-llava fovea-fra-eng)

train() {  # NAME MINUTES CACHE [options]
    local name=$1 minutes=$2 cache=$3
    shift 3
    [ -e "$build/$name$further.finished" ] && return
    "$python" "$models/$name/recipe/train.py" --configuration "$configuration" --cache "$build/cache/$cache" --work "$build/work/$name$further" \
        --out "$build/out/$name" --minutes "$minutes" "$@" >>"$build/$name$further.log" 2>&1
    touch "$build/$name$further.finished"
}

evaluation() {  # NAME...
    local on="two CPU cores" name
    [ "$configuration" = gpu ] && on=${TRAINED_ON:-"one NVIDIA H100"}
    for name in "${@:-${all[@]}}"; do
        local cache=drawings
        [ $name = fovea-fra-eng ] && cache=pairs-$configuration
        cp "$build/out/$name"/* "$models/$name/"
        mv "$models/$name/log.jsonl" "$models/$name/recipe/log.jsonl"
        (cd "$build" && "$python" "$models/$name/recipe/evaluate.py" --configuration "$configuration" --cache "$build/cache/$cache" \
            --model "$models/$name" --trained-on "$on")
    done
    "$python" "$here/sample.py" "$models/fovea-scenes/sample.png" || echo "no sample picture: it needs Debian's fonts"
    local bytes
    bytes=$(cat "$models"/fovea-*/*.safetensors "$models"/fovea-*/*.json "$models"/fovea-*/*.model | wc -c)
    echo "all models: $bytes bytes"
    [ "$bytes" -le 48000000 ] || { echo "more than 48 MB"; return 1; }
}

if [ -n "$evaluate" ]; then evaluation; exit; fi

if [ -n "$further" ]; then
    minutes=${MINUTES:-80}
    export OMP_NUM_THREADS=1
    train fovea-scenes "$minutes" drawings --threads 1 --rows 48 --rate 1.2e-3 --further "$models/fovea-scenes" &
    first=$!
    train fovea-scenes-llava "$minutes" drawings --threads 1 --rows 32 --rate 1.6e-3 --further "$models/fovea-scenes-llava"
    wait $first
    evaluation fovea-scenes fovea-scenes-llava
    exit
fi

if [ "$configuration" = cpu ]; then
    minutes=${MINUTES:-120}
    export OMP_NUM_THREADS=1
    train fovea-scenes "$minutes" drawings --threads 1 --rows 48 &
    first=$!
    train fovea-fra-eng $((minutes * 8 / 10)) pairs-cpu --threads 1
    train fovea-scenes-llava $((minutes * 2 / 10)) drawings --threads 1 --rows 32 --twin "$build/work/fovea-scenes"
    wait $first
    evaluation
    exit
fi

# The trainings share one GPU: none of these small models fills it. They outlive this command where they may.
minutes=${MINUTES:-22}
if [ -z "${INNER:-}" ]; then
    for name in "${all[@]}"; do
        running=$(cat "$build/$name.pid" 2>/dev/null || true)
        if [ ! -e "$build/$name.finished" ] && ! { [ -n "$running" ] && kill -0 "$running" 2>/dev/null; }; then
            INNER=$name MINUTES=$minutes setsid nohup "$0" gpu "$build" >/dev/null 2>&1 &
            echo $! >"$build/$name.pid"
        fi
    done
    for ((second = 0; second < ${WAIT:-570}; second += 5)); do
        [ "$(ls "$build"/*.finished 2>/dev/null | wc -l)" = 3 ] && break
        sleep 5
    done
    tail -n 2 "$build"/*.log
    if [ "$(ls "$build"/*.finished 2>/dev/null | wc -l)" = 3 ]; then
        if [ -n "${OUT:-}" ]; then tar c -C "$build/out" . | split -b 15000000 - "$OUT/models.tar.part-"; fi
        echo finished
    fi
    exit
fi
cores=$(nproc)
case $INNER in
    fovea-scenes) train "$INNER" "$minutes" drawings --device cuda --rows 256 --workers $((cores * 4 / 10)) --evaluate-every 2 --compile ;;
    fovea-scenes-llava) train "$INNER" "$minutes" drawings --device cuda --rows 192 --workers $((cores * 3 / 10)) --evaluate-every 2 --compile ;;
    fovea-fra-eng) train "$INNER" $((minutes / 2)) pairs-gpu --device cuda --tokens 24000 --evaluate-every 1 ;;
esac
