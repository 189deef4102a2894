#!/usr/bin/env python3
"""Draws what `tmux capture-pane -e -N -p` printed as a picture.

    tmux capture-pane -e -N -p -t NAME | assets/screenshot/ansi2png.py OUT.png [--columns N] [--rows N] [--size PIXELS]

Needs Pillow and DejaVu Sans Mono (Debian: fonts-dejavu-core). Blocks and shades are drawn as rectangles, so that they
meet exactly; everything else is drawn with the font.
"""
import argparse
import re
import sys
import unicodedata

from PIL import Image, ImageDraw, ImageFont

FONTS = "/usr/share/fonts/truetype/dejavu/"
BACKGROUND, FOREGROUND = (13, 15, 19), (214, 219, 226)
ANSI = [
    (30, 33, 39), (224, 108, 117), (152, 195, 121), (229, 192, 123), (97, 175, 239), (198, 120, 221), (86, 182, 194), (190, 196, 206),
    (92, 99, 112), (240, 130, 138), (170, 215, 140), (240, 205, 140), (120, 195, 255), (215, 145, 235), (105, 205, 215), (240, 244, 250),
]


def palette(number):
    """A colour of xterm's table of 256."""
    if number < 16:
        return ANSI[number]
    if number < 232:
        number -= 16
        steps = (0, 95, 135, 175, 215, 255)
        return steps[number // 36], steps[number // 6 % 6], steps[number % 6]
    return (8 + 10 * (number - 232),) * 3


class Pen:
    def __init__(self):
        self.reset()

    def reset(self):
        self.fore = self.back = None
        self.bold = self.dim = self.italic = self.underline = self.reverse = False

    def apply(self, parameters):
        values = [int(v) if v else 0 for v in re.split("[;:]", parameters)]
        at = 0
        while at < len(values):
            v = values[at]
            if v == 0: self.reset()
            elif v == 1: self.bold = True
            elif v == 2: self.dim = True
            elif v == 3: self.italic = True
            elif v == 4: self.underline = True
            elif v == 7: self.reverse = True
            elif v == 22: self.bold = self.dim = False
            elif v == 23: self.italic = False
            elif v == 24: self.underline = False
            elif v == 27: self.reverse = False
            elif 30 <= v <= 37: self.fore = ANSI[v - 30]
            elif 90 <= v <= 97: self.fore = ANSI[v - 82]
            elif 40 <= v <= 47: self.back = ANSI[v - 40]
            elif 100 <= v <= 107: self.back = ANSI[v - 92]
            elif v == 39: self.fore = None
            elif v == 49: self.back = None
            elif v in (38, 48):
                if values[at + 1] == 5:
                    color, at = palette(values[at + 2]), at + 2
                else:
                    color, at = tuple(values[at + 2:at + 5]), at + 4
                if v == 38: self.fore = color
                else: self.back = color
            at += 1

    def colors(self):
        fore, back = self.fore or FOREGROUND, self.back or BACKGROUND
        if self.dim: fore = tuple((f + b) // 2 for f, b in zip(fore, back))
        return (back, fore) if self.reverse else (fore, back)


def parse(text):
    """Rows of (character, foreground, background, bold, italic, underline, columns)."""
    pen, rows = Pen(), []
    for line in text.split("\n"):
        row = []
        for piece in re.split("(\x1b\\[[0-9;:]*m)", line):
            if piece.startswith("\x1b["):
                pen.apply(piece[2:-1])
                continue
            for character in re.sub("\x1b\\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\x0e\x0f]", "", piece):
                if unicodedata.combining(character) and row:
                    row[-1] = (row[-1][0] + character,) + row[-1][1:]
                    continue
                columns = 2 if unicodedata.east_asian_width(character) in "WF" else 1
                row.append((character, *pen.colors(), pen.bold, pen.italic, pen.underline, columns))
        rows.append(row)
    while rows and not rows[-1]:
        rows.pop()
    return rows


def block(character):
    """Rectangles (left, top, right, bottom, opacity) in eighths of a cell, or None for what the font draws."""
    code = ord(character[0])
    if character == "▀": return [(0, 0, 8, 4, 1)]
    if 0x2581 <= code <= 0x2588: return [(0, 8 - (code - 0x2580), 8, 8, 1)]
    if 0x2589 <= code <= 0x258F: return [(0, 0, 8 - (code - 0x2588), 8, 1)]
    if character == "▐": return [(4, 0, 8, 8, 1)]
    quarters = {"▘": 1, "▝": 2, "▖": 4, "▌": 5, "▞": 6, "▛": 7, "▗": 8, "▚": 9, "▜": 11, "▙": 13, "▟": 14}.get(character)
    if quarters: return [(n % 2 * 4, n // 2 * 4, n % 2 * 4 + 4, n // 2 * 4 + 4, 1) for n in range(4) if quarters >> n & 1]
    if 0x2591 <= code <= 0x2593: return [(0, 0, 8, 8, (code - 0x2590) / 4)]
    return None


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("out")
    arguments.add_argument("--columns", type=int)
    arguments.add_argument("--rows", type=int)
    arguments.add_argument("--size", type=int, default=16)
    arguments = arguments.parse_args()
    rows = parse(sys.stdin.read())
    size = arguments.size
    fonts = {
        (bold, italic): ImageFont.truetype(FONTS + "DejaVuSansMono" + name + ".ttf", size)
        for (bold, italic), name in {(False, False): "", (True, False): "-Bold", (False, True): "-Oblique", (True, True): "-BoldOblique"}.items()
    }
    plain = fonts[False, False]
    width = round(plain.getlength("M"))
    ascent, descent = plain.getmetrics()
    height = ascent + descent
    columns = arguments.columns or max((sum(c[6] for c in row) for row in rows), default=1)
    count = arguments.rows or len(rows)
    margin = width
    image = Image.new("RGB", (columns * width + 2 * margin, count * height + 2 * margin), BACKGROUND)
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(rows[:count]):
        x = 0
        for character, fore, back, bold, italic, underline, span in row:
            left, top = margin + x * width, margin + y * height
            if back != BACKGROUND:
                draw.rectangle((left, top, left + span * width - 1, top + height - 1), fill=back)
            shapes = block(character)
            if shapes is not None:
                for l, t, r, b, opacity in shapes:
                    color = tuple(round(f * opacity + k * (1 - opacity)) for f, k in zip(fore, back))
                    draw.rectangle((left + l * width // 8, top + t * height // 8, left + r * width // 8 - 1, top + b * height // 8 - 1), fill=color)
            elif character in "─│":
                # Lines meet from cell to cell, whatever the font's line height.
                middle_x, middle_y = left + width // 2, top + height // 2
                box = (left, middle_y, left + width - 1, middle_y) if character == "─" else (middle_x, top, middle_x, top + height - 1)
                draw.rectangle(box, fill=fore)
            elif character != " ":
                draw.text((left, top), character, font=fonts[bold, italic], fill=fore)
            if underline:
                draw.line((left, top + ascent + 1, left + span * width - 1, top + ascent + 1), fill=fore)
            x += span
    image.save(arguments.out)


if __name__ == "__main__":
    main()
