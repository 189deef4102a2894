"""Trains fovea-scenes-llava: python3 train.py --cache CACHE --work WORK --out OUT --minutes N (see ../../recipe/README.md)"""

import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[2] / "recipe"))

from model import CONFIGURATIONS, Llava  # noqa: E402
from scenes_training import main  # noqa: E402

if __name__ == "__main__":
    main(Llava, CONFIGURATIONS)
