#!/usr/bin/env bash
# Prepares a training: setup.sh BUILD. Debian packages, a virtual environment (unless PYTHON is set), drawings, sentence pairs.
# FRA_ENG: the zip of sentence pairs (default: data/fra-eng.zip in the folder `shared` beside the checkout). GPU=1: data for the larger models.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1
mkdir -p "$build/cache"
configuration=cpu
[ -n "${GPU:-}" ] && configuration=gpu
if [ -z "${NO_APT:-}" ]; then
    $(command -v sudo) apt-get install -y -qq --no-install-recommends \
        fonts-noto-color-emoji unicode-cldr-core openclipart-svg librsvg2-bin fonts-dejavu-core fonts-dejavu-extra fonts-liberation python3-venv >/dev/null
fi
python=${PYTHON:-$build/venv/bin/python}
if [ ! -x "$(command -v "$python")" ]; then
    python3 -m venv "$build/venv"
    "$python" -m pip install -q -r "$here/requirements.txt"
fi
things=400
"$python" "$here/drawings.py" --things $things --cache "$build/cache/drawings"
pieces=5000
[ $configuration = gpu ] && pieces=7000
"$python" "$here/../fovea-fra-eng/recipe/data.py" --pairs "${FRA_ENG:-$here/../../../../shared/data/fra-eng.zip}" --cache "$build/cache/pairs-$configuration" --pieces $pieces
