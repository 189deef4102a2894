"""Draws the picture that the playground opens with: python3 sample.py OUT.png

Things of the smallest vocabulary, at places that the model is asked about, on a sky. 480 × 480 pixels; the model sees 96."""

import sys

import numpy as np
from PIL import Image

from drawings import render_emoji

EDGE = 480
PLACED = [("🐈", 0.59, 0.59, 0.31), ("🌳", 0.08, 0.42, 0.25), ("☀", 0.55, 0.09, 0.34)]  # left, top, size


def draw():
    rows = np.linspace(0, 1, EDGE)[:, None, None]
    sky, ground = np.array([150, 200, 245]), np.array([225, 240, 215])
    picture = Image.fromarray(np.broadcast_to(sky * (1 - rows) + ground * rows, (EDGE, EDGE, 3)).astype(np.uint8))
    for character, left, top, size in PLACED:
        drawing = render_emoji(character)
        scale = size * EDGE / max(drawing.size)
        drawing = drawing.resize([round(value * scale) for value in drawing.size], Image.Resampling.LANCZOS)
        picture.paste(drawing, (round(left * EDGE), round(top * EDGE)), drawing)
    return picture


if __name__ == "__main__":
    draw().save(sys.argv[1])
