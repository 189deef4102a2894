"""Everything that can stand in a picture, rendered once in a few sizes and kept in one file.

Sources, all installed with apt (see README.md): Noto Color Emoji (drawings), Unicode CLDR (names they are checked against),
Open Clip Art (drawings by title), DejaVu and Liberation (drawn words). Nothing of them is part of this repository.

    python3 drawings.py --things 100 --cache CACHE
"""

import argparse
import functools
import io
import json
import pathlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
EMOJI_FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
CLDR = pathlib.Path("/usr/share/unicode/cldr/common/annotations/en.xml")
CLIP_ART = pathlib.Path("/usr/share/openclipart/svg")
FONTS = [
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSerif-Regular.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf",
    "/usr/share/fonts/truetype/dejavu/DejaVuSerif-Bold.ttf",  # held out, as the last drawing of a thing is
]

# Longer edges of the rendered drawings, pixels; pictures are 96 × 96.
SIZES = [16, 20, 24, 30, 36, 44, 54, 66]
TEXT_HEIGHTS = [11, 14, 18, 23]

SHAPES = {  # English, French with article
    "circle": "un cercle", "square": "un carré", "triangle": "un triangle", "rectangle": "un rectangle", "oval": "un ovale",
    "cross": "une croix", "hexagon": "un hexagone",
}
COLOURS = {  # English: (French masculine, feminine, red, green, blue)
    "red": ("rouge", "rouge", 214, 39, 40), "orange": ("orange", "orange", 250, 140, 20), "yellow": ("jaune", "jaune", 248, 220, 40),
    "green": ("vert", "verte", 44, 150, 60), "blue": ("bleu", "bleue", 35, 85, 205), "purple": ("violet", "violette", 125, 50, 160),
    "pink": ("rose", "rose", 250, 150, 190), "brown": ("marron", "marron", 125, 75, 35), "black": ("noir", "noire", 15, 15, 15),
    "white": ("blanc", "blanche", 250, 250, 250), "grey": ("gris", "grise", 130, 130, 130),
}
WORDS = (
    "sun sea sky cat dog yes no stop go hot cold open exit up down left right red blue love home tea milk salt day night one two "
    "ten big old new fast slow music water bread paris hello bus taxi"
).split()


class Thing:
    """One line of things.txt."""

    def __init__(self, line):
        english, french = line.split("|")
        drawings, self.name = english.strip().split(" ", 1)
        self.emoji = list(drawings)
        self.french = french.strip()


def things(count):
    lines = [line for line in (HERE / "things.txt").read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert count <= len(lines), f"things.txt has {len(lines)} things"
    return [Thing(line) for line in lines[:count]]


# MARK: Rendering

def trimmed(image, margin=0):
    """An RGBA picture without its transparent rim, or None where it shows next to nothing."""
    alpha = np.asarray(image)[..., 3]
    rows, columns = np.flatnonzero(alpha.max(1) > 24), np.flatnonzero(alpha.max(0) > 24)
    if len(rows) < 8 or len(columns) < 8 or (alpha > 24).mean() < 0.04:
        return None
    return image.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


@functools.cache
def emoji_font():
    from PIL import ImageFont
    return ImageFont.truetype(EMOJI_FONT, 109)  # the one size the font's bitmaps have


def render_emoji(character):
    from PIL import Image, ImageDraw
    image = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(image).text((8, 8), character, font=emoji_font(), embedded_color=True)
    return trimmed(image)


def render_svg(path):
    from PIL import Image
    try:
        png = subprocess.run(
            ["rsvg-convert", "--width", "160", "--height", "160", "--keep-aspect-ratio", str(path)], capture_output=True, timeout=10,
            check=True).stdout
        return trimmed(Image.open(io.BytesIO(png)).convert("RGBA"))
    except (subprocess.SubprocessError, OSError):
        return None


def premultiplied(image, longer_edge):
    """[height, width, 4] of bytes: colour times opacity, and 255 - opacity, which is all that painting needs."""
    from PIL import Image
    width, height = image.size
    scale = longer_edge / max(width, height)
    image = image.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.LANCZOS)
    pixels = np.asarray(image).astype(np.uint16)
    alpha = pixels[..., 3:]
    return np.concatenate([(pixels[..., :3] * alpha + 127) // 255, 255 - alpha], axis=-1).astype(np.uint8)


def shape_mask(name, size):
    """Opacity of a shape, [height, width] of bytes, drawn eight times larger and averaged."""
    from PIL import Image, ImageDraw
    edge = size * 8
    width, height = {"rectangle": (edge, edge * 5 // 9), "oval": (edge, edge * 5 // 9)}.get(name, (edge, edge))
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    if name in ("circle", "oval"):
        draw.ellipse((0, 0, width - 1, height - 1), fill=255)
    elif name == "triangle":
        draw.polygon([(width / 2, 0), (width - 1, height - 1), (0, height - 1)], fill=255)
    elif name == "cross":
        draw.rectangle((width * 0.35, 0, width * 0.65, height), fill=255)
        draw.rectangle((0, height * 0.35, width, height * 0.65), fill=255)
    elif name == "hexagon":
        angles = np.arange(6) * np.pi / 3
        draw.polygon([(width / 2 * (1 + np.cos(a)), height / 2 * (1 + np.sin(a))) for a in angles], fill=255)
    else:
        draw.rectangle((0, 0, width, height), fill=255)
    return np.asarray(image.resize((max(1, width // 8), max(1, height // 8)), Image.Resampling.BOX))


def text_mask(text, font_path, height):
    from PIL import Image, ImageDraw, ImageFont
    font = ImageFont.truetype(font_path, height * 4)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (right - left + 8, bottom - top + 8))
    ImageDraw.Draw(image).text((4 - left, 4 - top), text, font=font, fill=255)
    return np.asarray(image.resize((max(1, image.width // 4), max(1, image.height // 4)), Image.Resampling.BOX))


def is_a_card(image):
    """Whether the drawing is a filled rectangle: a label, a flag, a picture with its background."""
    return (np.asarray(image)[..., 3] > 128).mean() > 0.93


def distinct(drawings):
    """Leaves out drawings that look like an earlier one; the last of equal ones stays out of training only if it is new."""
    kept, seen = [], []
    for source, image in drawings:
        small = np.asarray(image.resize((16, 16))).astype(np.float32)
        small[..., :3] *= small[..., 3:] / 255
        if all(np.abs(small - other).mean() > 12 for other in seen):
            kept.append((source, image))
            seen.append(small)
    return kept


# MARK: Open Clip Art by title

# Titles that are right but mean something else.
OTHER_MEANINGS = {("mouse", "mouse1"), ("turkey", "flag"), ("bat", "recreation")}

def clip_art_by_title(names, limit=3):
    """Drawings whose title says exactly what they show, e.g. "Cat", "cartoon cat 2", "clipart by … - cat03"."""
    modifiers = {"a", "the", "cartoon", "simple", "little", "small", "big", "cute", "sitting", "icon", "clipart", "clip", "art", "old", "drawing"}
    found = {name: [] for name in names}
    wanted = {name.lower(): name for name in names}
    single = {name.lower() for name in names if " " not in name} | {"cherries", "folder", "label"}
    for path in sorted(CLIP_ART.rglob("*.svg")) if CLIP_ART.exists() else []:
        head = path.read_bytes()[:8000].decode("utf-8", "replace")
        match = re.search(r"<dc:title>([^<]*)</dc:title>", head)
        if not match:
            continue
        title = re.sub(r"^clipart by [a-z ]+ - ", "", match.group(1).strip().lower())
        words = [word for word in re.findall(r"[a-z]+", title) if word not in modifiers]
        name = wanted.get(" ".join(words))
        if any(name == other and folder in str(path) for other, folder in OTHER_MEANINGS):
            continue
        # A file that is called after another thing has somebody else's title.
        called = set(re.findall(r"[a-z]+", path.stem.lower()))
        if name and called & single and not called & set(name.lower().split()):
            continue
        if name and len(found[name]) < limit:
            found[name].append(path)
    return found


# MARK: The cache

class Drawings:
    """What `prepare` wrote: things, shapes and texts with their pixels. Read-only; shared by all worker processes."""

    def __init__(self, folder, count=None):
        folder = pathlib.Path(folder)
        index = json.loads((folder / "drawings.json").read_text("utf-8"))
        pixels = np.load(folder / "drawings.npz")["pixels"]

        def view(entry):
            offset, *shape = entry
            return pixels[offset:offset + int(np.prod(shape))].reshape(shape)

        self.things = index["things"][:count]
        for thing in self.things:
            thing["sprites"] = [[view(entry) for entry in drawing] for drawing in thing["drawings"]]
        self.shapes = {name: [view(entry) for entry in sizes] for name, sizes in index["shapes"].items()}
        self.texts = {text: [[view(entry) for entry in sizes] for sizes in fonts] for text, fonts in index["texts"].items()}
        self.names = [thing["name"] for thing in self.things]

    def training_drawings(self, thing):
        """Indices of a thing's drawings that training may show: all but the last, where there are several."""
        return range(max(1, len(self.things[thing]["sprites"]) - 1))

    def held_out_drawing(self, thing):
        count = len(self.things[thing]["sprites"])
        return count - 1 if count > 1 else None


def cldr_names():
    names = {}
    for annotation in ElementTree.parse(CLDR).getroot().iter("annotation"):
        names.setdefault(annotation.get("cp"), []).extend(part.strip().lower() for part in annotation.text.split("|"))
    return names


def prepare(count, folder, clip_art=True):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pieces, offset = [], 0

    def keep(array):
        nonlocal offset
        pieces.append(np.ascontiguousarray(array).reshape(-1))
        entry = [offset, *array.shape]
        offset += array.size
        return entry

    listed, known = things(count), cldr_names()
    found = clip_art_by_title([thing.name for thing in listed]) if clip_art else {}
    index = {"sizes": SIZES, "things": [], "shapes": {}, "texts": {}}
    for thing in listed:
        said = {word for character in thing.emoji for name in known.get(character, []) for word in [name, *name.split()]}
        if thing.name.lower() not in said and not set(thing.name.lower().split()) & said:
            print(f"note: CLDR does not call {''.join(thing.emoji)} \"{thing.name}\" but {sorted(known.get(thing.emoji[0], []))[:4]}")
        # Clip art goes between: the held-out last drawing is an emoji where there are two, else clip art.
        images = [("emoji " + character, render_emoji(character)) for character in thing.emoji]
        art = [("clip art " + path.name, render_svg(path)) for path in found.get(thing.name, [])]
        art = [(source, image) for source, image in art if image is not None and not is_a_card(image)]
        ordered = distinct(images[:1] + images[1:-1] + art + images[1:][-1:])
        assert ordered, f"no drawing of {thing.name}"
        index["things"].append({
            "name": thing.name, "french": thing.french, "sources": [source for source, _ in ordered],
            "drawings": [[keep(premultiplied(image, size)) for size in SIZES] for _, image in ordered]})
    for name in SHAPES:
        index["shapes"][name] = [keep(shape_mask(name, size)) for size in SIZES]
    for text in WORDS + [str(number) for number in range(100)]:
        index["texts"][text] = [[keep(text_mask(text, font, height)) for height in TEXT_HEIGHTS] for font in FONTS]
    np.savez_compressed(folder / "drawings.npz", pixels=np.concatenate(pieces))
    (folder / "drawings.json").write_text(json.dumps(index, ensure_ascii=False), "utf-8")
    several = sum(len(thing["drawings"]) > 1 for thing in index["things"])
    print(f"{count} things, {sum(len(t['drawings']) for t in index['things'])} drawings ({several} things have several), {offset / 1e6:.0f} MB of pixels")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--things", type=int, default=400)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--no-clip-art", action="store_true")
    arguments = parser.parse_args()
    prepare(arguments.things, arguments.cache, not arguments.no_clip_art)
