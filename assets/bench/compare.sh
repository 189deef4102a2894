#!/usr/bin/env bash
# All peers that PYTHON can import, then fovea, one after another.
#   PYTHON, FOVEA    the interpreter and the program (default: python3, fovea)
#   GGUF, WHISPER    a GGUF file of SmolLM2-135M, a CTranslate2 folder of Whisper tiny.en (default: where `fovea pull` puts them)
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3} fovea=${FOVEA:-fovea}
models=${XDG_DATA_HOME:-$HOME/.local/share}/fovea/models
gguf=${GGUF:-$models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf} whisper=${WHISPER:-$models/whisper-tiny.en}
has() { "$python" -c "import $1" 2>/dev/null; }

uptime
if has transformers && has torch; then
    "$python" "$here/pytorch_text.py"
    "$python" "$here/pytorch_text.py" --dtype bfloat16
    "$python" "$here/pytorch_whisper.py"
fi
if has ctranslate2; then "$python" "$here/faster_whisper.py" "$whisper"; fi
if has llama_cpp; then
    "$python" "$here/llama_cpp_text.py" "$gguf"
    GGML_VK_VISIBLE_DEVICES=0 "$python" "$here/llama_cpp_text.py" "$gguf" --gpu --runs 1 --tokens 4
fi
"$fovea" bench "$gguf"
"$fovea" bench "$whisper"
uptime
