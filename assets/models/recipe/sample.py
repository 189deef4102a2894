"""Draws the picture that the playground opens with: python3 sample.py OUT.png

Things of the smallest vocabulary, at places that the model is asked about, on a sky. 480 × 480 pixels; the model sees 96. Placed where
`fovea-scenes` answers every usual question rightly: it does not with all pictures, see its card."""

import sys

import numpy as np
from PIL import Image

from drawings import render_emoji

EDGE = 480
PLACED = [("🐈", 0.66, 0.71, 0.28), ("🌳", 0.01, 0.34, 0.27), ("☀", 0.65, 0.02, 0.27)]  # left, top, size


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
