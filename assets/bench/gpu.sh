#!/usr/bin/env bash
# Everything there is to measure on a real GPU, in one run with nobody at it: correctness against PyTorch's numbers, then
# `fovea bench` of large models with random weights, then PyTorch on the same card, then one table. Needs no Swift.
#
#   assets/bench/gpu.sh [--small] [--traces] [--fixtures FOLDER] [--out FOLDER] PROGRAM
#
#   PROGRAM      a folder with a static build of fovea, its libraries in PROGRAM/lib (README.md says how to make it)
#   --fixtures   the reference models (default: shared/fixtures/models beside the checkout)
#   --out        for results, logs and the table (default: gpu-results); what is there already is not measured again, so a
#                run that was cut short goes on where it stopped
#   --traces     compares traces even where tests could run
#   --small      small models and few tokens, to rehearse on any device
#   PYTHON       the interpreter that has numpy, and torch with transformers (default: python3)
#   FOVEA_DEVICE chooses the device, as everywhere; TIME_LIMIT ends a single step (default: 900 s)
#
# Ends with 1 if anything failed, and says what.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON:-python3} limit=${TIME_LIMIT:-900}
out=gpu-results program='' traces='' fixtures=${FOVEA_SHARED:-$root/../shared}/fixtures/models
models='llava-1.5-7b llama-3.2-11b-vision llama-3.1-8b whisper-large-v3 t5-3b' formats='f16 q8_0 q4_0' options='--tokens 64'
usage() { sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2; }
while [ $# -gt 0 ]; do
    case $1 in
    --small)
        models='smolvlm-256m whisper-tiny.en flan-t5-small smollm2-135m' formats='f16 q8_0' options='--tokens 8 --repeats 1 --skip-first-token'
        small=1 ;;
    --traces) traces=1 ;;
    --fixtures | --out) [ $# -gt 1 ] || usage; [ "$1" = --out ] && out=$2 || fixtures=$2; shift ;;
    -*) usage ;;
    *) [ -z "$program" ] || usage; program=$1 ;;
    esac
    shift
done
fovea=$program/fovea
[ -x "$fovea" ] || { echo "gpu.sh: there is no program “$fovea”" >&2; usage; }
fovea=$(cd "$program" && pwd)/fovea
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
export FOVEA_ASSETS=${FOVEA_ASSETS:-$root/assets}
: >"$out/notes.txt"
failures=0

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
note() { say "$*"; echo "$*" >>"$out/notes.txt"; }
failed() { note "FAILED: $*"; failures=$((failures + 1)); }
# last LOG: what a program said last, on one line.
last() { tail -n 3 "$1" | tr '\n' ' ' | cut -c1-300; }

# result NAME COMMAND...: keeps what the command prints in NAME.json if it succeeds; what it says goes to NAME.log.
result() {
    local name=$1 code
    shift
    if [ -s "$out/$name.json" ]; then say "$name: already there"; return 0; fi
    say "$name"
    timeout "$limit" "$@" >"$out/$name.part" 2>"$out/$name.log"
    code=$?
    if [ $code = 0 ]; then mv "$out/$name.part" "$out/$name.json"; fi
    return $code
}

# Of PROGRAM/lib only what the system lacks: an older copy of what it has could break the card's driver or PyTorch. Each
# library may need further ones.
missing() { ldd "$fovea" | awk '/=> not found/ { print $1 }'; }
mkdir -p "$out/lib"
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$out/lib
before=''
while lacking=$(missing) && [ "$lacking" != "$before" ]; do
    before=$lacking
    for library in $lacking; do
        if [ -e "$program/lib/$library" ]; then cp -L "$program/lib/$library" "$out/lib"; fi
    done
done

# (a) The device.
say "devices"
if ! timeout "$limit" "$fovea" devices >"$out/devices.txt" 2>&1; then
    cat "$out/devices.txt"
    echo "gpu.sh: fovea does not run here; missing libraries: $(missing | tr '\n' ' ')" >&2
    exit 1
fi
cat "$out/devices.txt"
if [ -z "${small:-}" ] && grep -q '(cpu).*chosen' "$out/devices.txt"; then
    echo "gpu.sh: the chosen device is a CPU, on which this would take days: is the card's Vulkan driver there? --small rehearses." >&2
    exit 1
fi

# (b) Correctness: the tests where they can run, else traces held against the reference.
tests='ModelsTests|ComputeTests|GenerationTests'
bundle=$(find "$program" -maxdepth 1 -name '*.xctest' | head -n 1)
if [ ! -d "$fixtures" ]; then
    failed "correctness: there are no reference models in $fixtures (--fixtures)"
elif [ -e "$out/correctness.ok" ]; then
    say "correctness: already there"
else
    fixtures=$(cd "$fixtures" && pwd)
    say "correctness"
    # Tests find their models only below a folder of this shape, and pass over them otherwise.
    case $fixtures in */fixtures/models) export FOVEA_SHARED=${fixtures%/fixtures/models} ;; *) traces=1 ;; esac
    if [ -z "$traces" ] && [ -n "$bundle" ]; then
        timeout $((4 * limit)) "$bundle" --testing-library swift-testing --filter "$tests" >"$out/correctness.log" 2>&1
    elif [ -z "$traces" ] && command -v swift >/dev/null && [ -f "$root/Package.swift" ]; then
        timeout $((4 * limit)) swift test --package-path "$root" --filter "$tests" >"$out/correctness.log" 2>&1
    else
        timeout "$limit" "$python" "$here/compare_trace.py" "$fovea" "$fixtures" >"$out/correctness.log" 2>&1
    fi
    code=$?
    tail -n 40 "$out/correctness.log"
    if [ $code = 0 ]; then touch "$out/correctness.ok"; else failed "correctness: $(last "$out/correctness.log")"; fi
fi

# (c) fovea.
for model in $models; do
    # By its path: an installed model of the same name would come first, and may have no configuration to read.
    config=$root/assets/configs/$model
    for weights in $formats; do
        plan=$("$fovea" plan "$config" --weights "$weights" --json 2>"$out/plan.log")
        if echo "$plan" | grep -q '"fits" *: *false'; then
            note "skipped: $model in $weights does not fit the device"
        elif [ -z "$plan" ]; then
            failed "plan of $model in $weights: $(last "$out/plan.log")"
        else
            result "fovea-$model-$weights" "$fovea" bench "$config" --dummy-weights "$weights" --json $options ||
                failed "fovea bench $model in $weights: $(last "$out/fovea-$model-$weights.log")"
        fi
    done
done

# (d) PyTorch on the same card, with the prompts and pictures of the measurements above.
cuda='import sys, torch, transformers; sys.exit(0 if torch.cuda.is_available() else 4)'
"$python" -c "$cuda" >/dev/null 2>&1
case $? in
0) device=cuda dtype=float16 runs=5 ;;
4) if [ -n "${small:-}" ]; then device=cpu dtype=float32 runs=1; else device=''; note "skipped: PyTorch, which sees no CUDA device"; fi ;;
*) device='' && note "skipped: PyTorch, which $python cannot import together with transformers" ;;
esac
for model in $models; do
    [ -n "$device" ] || break
    like=$out/fovea-$model-f16.json
    [ -s "$like" ] || { note "skipped: PyTorch with $model, which was not measured in f16"; continue; }
    case $model in whisper*) script=whisper ;; *t5*) script=t5 ;; *) script=text ;; esac
    result "pytorch-$model" "$python" "$here/pytorch_$script.py" --config "$root/assets/configs/$model" --device $device --dtype $dtype \
        --runs $runs --like "$like"
    case $? in
    0) ;;
    3) note "skipped: PyTorch with $model does not fit the device" ;;
    *) failed "PyTorch with $model: $(last "$out/pytorch-$model.log")" ;;
    esac
done

"$python" "$here/table.py" "$out" | tee "$out/table.md" || failed "the table"
if [ $failures -gt 0 ]; then
    echo
    echo "gpu.sh: $failures failed:" >&2
    grep FAILED "$out/notes.txt" >&2
    exit 1
fi
