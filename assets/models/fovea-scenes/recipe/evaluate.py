"""Evaluates fovea-scenes: python3 evaluate.py --cache CACHE --model OUT (see ../../recipe/README.md)"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(1, str(HERE.parents[1] / "recipe"))

from model import CONFIGURATIONS, Mllama  # noqa: E402
from scenes_evaluation import main  # noqa: E402

if __name__ == "__main__":
    sys.argv += ["--card", str(HERE / "card.md")]
    main(Mllama, CONFIGURATIONS)
