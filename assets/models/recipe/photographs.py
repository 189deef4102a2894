"""Fits and measures the picture check: a rule that tells photographs from scenes like those of the training.

    python3 photographs.py --cache CACHE --pictures FOLDER [--pictures FOLDER ...] [--write]

`FOLDER`s hold the unpacked packages of photographs.txt; CACHE is that of drawings.py. The rule is linear in sixteen statistics of the
picture at 96 pixels: scenes consist of drawings with sharp edges on one fill (flat, a gradient, grain or a texture of two colours), and
photographs have detail of every size. It is fitted to training scenes and to crops of the photographs marked "fit", and its bias lets
one training scene in a hundred pass for a photograph. --write writes picture_check.json and prints the figures for the cards."""

import argparse
import json
import pathlib

import numpy as np
from PIL import Image

import export
from drawings import Drawings
from scenes import EDGE, Composer

HERE = pathlib.Path(__file__).resolve().parent
BLOCK = 8
NAMES = [
    "detail10", "detail25", "detail50", "detail75", "detail90", "detailSpread", "equal", "near", "apart", "far", "change10", "change25",
    "change50", "change75", "colours", "saturation"]
FALSE_ALARMS = 0.01  # of the training scenes


def statistics(picture):
    """The sixteen statistics of [height, width, 3] bytes. `PictureStatistics.swift` computes the same."""
    picture = picture.astype(np.float64)
    rows, columns = picture.shape[0] // BLOCK, picture.shape[1] // BLOCK
    blocks = picture[:rows * BLOCK, :columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK, 3).transpose(0, 2, 4, 1, 3)
    blocks = blocks.reshape(rows * columns, 3, BLOCK * BLOCK)
    # Deviation of each block from a plane.
    y, x = np.mgrid[0:BLOCK, 0:BLOCK].reshape(2, -1) - (BLOCK - 1) / 2
    basis = np.stack([np.full(BLOCK * BLOCK, 1 / BLOCK), x / np.linalg.norm(x), y / np.linalg.norm(y)])
    detail = np.sqrt(((blocks - blocks @ basis.T @ basis) ** 2).mean((1, 2)))
    # Differences between neighbouring pixels, and between the means of neighbouring blocks.
    steps = np.concatenate([np.abs(np.diff(picture, axis=axis)).max(2).ravel() for axis in (1, 0)])
    means = blocks.mean(2).reshape(rows, columns, 3)
    change = np.concatenate([np.abs(np.diff(means, axis=axis)).max(2).ravel() for axis in (1, 0)])
    colours = np.unique((picture // 16).astype(int).reshape(-1, 3) @ np.array([256, 16, 1])).size
    return np.array([
        *np.log(np.quantile(detail, [0.1, 0.25, 0.5, 0.75, 0.9]) + 0.5), np.log(detail + 0.5).std(),
        (steps <= 1).mean(), ((steps > 1) & (steps <= 6)).mean(), ((steps > 6) & (steps <= 24)).mean(), (steps > 24).mean(),
        *np.log(np.quantile(change, [0.1, 0.25, 0.5, 0.75]) + 0.5),
        np.log(colours), np.log((picture.max(2) - picture.min(2)).mean() + 1)])


def at_model_size(image):
    scale = min(EDGE / image.width, EDGE / image.height)
    size = [min(EDGE, max(2 * BLOCK, int(side * scale))) for side in image.size]
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def crops(image, count, random):
    yield image
    for _ in range(count):
        share = random.uniform(0.3, 0.8)
        width, height = int(image.width * share), int(image.height * share)
        left, top = random.integers(0, image.width - width + 1), random.integers(0, image.height - height + 1)
        yield image.crop((left, top, left + width, top + height))


def photographs(folders):
    """{use: [(name, picture)]}"""
    found = {"fit": [], "measure": []}
    for line in (HERE / "photographs.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        use, name = line.split(" ", 1)
        path = next((folder / name for folder in folders if (folder / name).exists()), None)
        if path is None:
            raise SystemExit(f"{name} is in none of the folders")
        found[use].append((name, Image.open(path).convert("RGB")))
    return found


def scenes(cache, count, seed, held_out):
    composer = Composer(Drawings(cache), seed, held_out=held_out)
    canvas, result = np.empty((EDGE, EDGE, 3), np.uint8), []
    for _ in range(count):
        scene = composer.scene()
        composer.paint(scene, canvas)
        result.append(statistics(canvas[:scene.height, :scene.width]))
    return np.array(result)


def fit(photos, drawn, penalty=1e-3):
    """Logistic regression by Newton's method, both classes weighing the same. Returns weights of the statistics as they are, and the bias."""
    x, y = np.concatenate([photos, drawn]), np.repeat([1.0, 0.0], [len(photos), len(drawn)])
    share = np.where(y == 1, 0.5 / len(photos), 0.5 / len(drawn))
    mean, deviation = (x * share[:, None]).sum(0), x.std(0)
    z = np.c_[(x - mean) / deviation, np.ones(len(x))]
    beta, ridge = np.zeros(z.shape[1]), np.r_[np.full(x.shape[1], penalty), 0]
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(z @ beta, -30, 30)))
        gradient = z.T @ (share * (p - y)) + ridge * beta
        beta -= np.linalg.solve((z * (share * p * (1 - p))[:, None]).T @ z + np.diag(ridge), gradient)
    weights = beta[:-1] / deviation
    return weights, -np.quantile(drawn @ weights, 1 - FALSE_ALARMS)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", required=True)
    parser.add_argument("--pictures", required=True, action="append", type=pathlib.Path)
    parser.add_argument("--scenes", type=int, default=6000)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    random = np.random.default_rng(1)
    photos = photographs(arguments.pictures)
    fitted = np.array([statistics(at_model_size(crop)) for _, image in photos["fit"] for crop in crops(image, 12, random)])
    weights, bias = fit(fitted, scenes(arguments.cache, arguments.scenes, 5, held_out=False))
    held_out = scenes(arguments.cache, arguments.scenes, 9, held_out=True) @ weights + bias
    scores = {name: float(statistics(at_model_size(image)) @ weights + bias) for name, image in photos["measure"]}
    missed = [name for name, score in scores.items() if score <= 0]
    alarms = int((held_out > 0).sum())
    print(f"false alarms: {alarms} of {len(held_out)} held-out scenes ({alarms / len(held_out):.1%})")
    print(f"missed: {len(missed)} of {len(scores)} photographs ({len(missed) / len(scores):.1%}): {', '.join(missed)}")
    if arguments.write:
        check = {
            "weights": {name: round(float(weight), 5) for name, weight in zip(NAMES, weights)}, "bias": round(float(bias), 5),
            "measured": {
                "scenes": len(held_out), "falseAlarms": alarms, "photographs": len(scores), "missed": len(missed)}}
        for model in ("fovea-scenes", "fovea-scenes-llava"):
            folder = HERE.parent / model
            (folder / "picture_check.json").write_text(json.dumps(check, indent=2) + "\n", "utf-8")
            export.describe(folder)


if __name__ == "__main__":
    main()
