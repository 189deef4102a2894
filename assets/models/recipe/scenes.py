"""Pictures with known contents: what stands where, and the pixels. NumPy only, more than 1,500 pictures a second and core.

A picture is 96 × 96: a background and one to six items (things, coloured shapes, drawn words and numbers) that do not overlap.
`Scene.composition` names what is in it; a fixed tenth of all compositions is held out (`is_held_out`), so that no picture
of the evaluation shows a set of items that training ever showed together (single things: no thing at that place and size).
"""

import dataclasses
import zlib

import numpy as np

from drawings import COLOURS, SHAPES, SIZES, TEXT_HEIGHTS, FONTS

EDGE = 96
COLOUR_NAMES = list(COLOURS)
SHAPE_NAMES = list(SHAPES)
HELD_OUT_SHARE = 10  # one composition in so many
NUMBERS_SHARE = 0.4  # of drawn texts

# Size indices into SIZES by number of items.
SIZE_RANGE = {1: (2, 8), 2: (1, 6), 3: (1, 5), 4: (0, 4), 5: (0, 3), 6: (0, 3)}


@dataclasses.dataclass(slots=True)
class Item:
    kind: str  # "thing", "shape" or "text"
    which: object  # index of the thing, name of the shape, or the text
    colour: str | None  # of a shape or text
    drawing: int  # of a thing: which drawing; of a text: which font
    size: int  # index into SIZES or TEXT_HEIGHTS
    flipped: bool
    box: tuple = (0, 0, 0, 0)  # left, top, right, bottom; pixels, right and bottom exclusive

    @property
    def key(self):
        """What makes it the same item to a reader: not its drawing, place or size."""
        return (self.kind, self.which, self.colour if self.kind == "shape" else None)

    @property
    def centre(self):
        left, top, right, bottom = self.box
        return (left + right) / 2, (top + bottom) / 2


@dataclasses.dataclass(slots=True)
class Scene:
    items: list
    width: int  # of the part that is not black padding
    height: int
    background: int
    turn: int  # bit 0: upside down, bit 1: mirrored

    def cell(self, item):
        """Column and row (0 to 2 each) of the item's centre, and how far it is from the nearest border between cells (share of the edge)."""
        x, y = item.centre[0] / self.width, item.centre[1] / self.height
        margin = min(abs(x - 1 / 3), abs(x - 2 / 3), abs(y - 1 / 3), abs(y - 2 / 3))
        return min(2, int(x * 3)), min(2, int(y * 3)), margin

    @property
    def composition(self):
        if len(self.items) == 1:
            item = self.items[0]
            return repr((item.key, self.cell(item)[:2], item.size // 2))
        return repr(sorted(repr(item.key) for item in self.items))

    @property
    def is_held_out(self):
        return zlib.crc32(self.composition.encode()) % HELD_OUT_SHARE == 0


# MARK: Backgrounds

def backgrounds(count, seed):
    """[count, EDGE, EDGE, 3] of bytes: flat, gradients, noise and textures, one in four of each."""
    random = np.random.default_rng(seed)
    result = np.empty((count, EDGE, EDGE, 3), np.uint8)
    y, x = np.mgrid[0:EDGE, 0:EDGE].astype(np.float32) / EDGE
    for index in range(count):
        first, second = random.integers(0, 256, 3).astype(np.float32), random.integers(0, 256, 3).astype(np.float32)
        kind = index % 4
        if kind == 0:
            picture = np.broadcast_to(first, (EDGE, EDGE, 3))
        elif kind == 1:
            angle = random.random() * 2 * np.pi
            share = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5
            if random.random() < 0.3:
                share = np.hypot(x - random.random(), y - random.random())
            share = np.clip(share, 0, 1)[..., None]
            picture = first * (1 - share) + second * share
        elif kind == 2:  # smooth blotches and fine grain
            coarse = random.integers(3, 9)
            grid = random.random((coarse + 1, coarse + 1)).astype(np.float32)
            fx, fy = x * coarse, y * coarse
            ix, iy = fx.astype(int), fy.astype(int)
            tx, ty = fx - ix, fy - iy
            share = ((grid[iy, ix] * (1 - tx) + grid[iy, ix + 1] * tx) * (1 - ty)
                     + (grid[iy + 1, ix] * (1 - tx) + grid[iy + 1, ix + 1] * tx) * ty)[..., None]
            near = np.clip(first + random.normal(0, 45, 3), 0, 255)
            picture = first * (1 - share) + near * share + random.normal(0, random.random() * 12, (EDGE, EDGE, 3))
        else:  # stripes, checks, dots, in two colours close to each other
            near = np.clip(first + random.normal(0, 35, 3), 0, 255)
            period = random.uniform(5, 20)
            angle = random.random() * np.pi
            u, v = EDGE * (x * np.cos(angle) + y * np.sin(angle)), EDGE * (y * np.cos(angle) - x * np.sin(angle))
            texture = random.integers(0, 3)
            if texture == 0:
                share = np.sin(u * 2 * np.pi / period) > 0
            elif texture == 1:
                share = (np.sin(u * 2 * np.pi / period) > 0) ^ (np.sin(v * 2 * np.pi / period) > 0)
            else:
                share = np.sin(u * 2 * np.pi / period) * np.sin(v * 2 * np.pi / period) > 0.5
            picture = np.where(share[..., None], near, first)
        result[index] = np.clip(picture, 0, 255)
    return result


def turned(picture, turn):
    return picture[::1 - 2 * (turn & 1), ::1 - (turn & 2)]


# MARK: Composing

class Composer:
    """Makes scenes and paints them.

    - held_out: only held-out compositions, or only the others.
    - new_drawings: things are shown by their held-out drawing (and only things that have one appear).
    """

    def __init__(self, drawings, seed, held_out=False, new_drawings=False, counts=(0.3, 0.2, 0.18, 0.14, 0.1, 0.08), background_count=512):
        self.drawings, self.held_out, self.new_drawings = drawings, held_out, new_drawings
        self.random = np.random.default_rng([seed, held_out, new_drawings])
        self.set_counts(counts)
        self.backgrounds = backgrounds(background_count, [seed, 77, held_out])
        things = range(len(drawings.things))
        self.things = [t for t in things if drawings.held_out_drawing(t) is not None] if new_drawings else list(things)
        self.texts = [text for text in drawings.texts if not text.isdigit()]
        self.uniform = iter(())

    def set_counts(self, counts):
        self.count_limits = np.cumsum(counts) / np.sum(counts)

    # One call into NumPy for thousands of numbers: single draws would take most of the time.
    def _next(self):
        for value in self.uniform:
            return value
        self.uniform = iter(self.random.random(8192).tolist())
        return next(self.uniform)

    def _below(self, limit):
        return int(self._next() * limit)

    def _item(self, count):
        share = self._next()
        low, high = SIZE_RANGE[count]
        size = low + self._below(high - low)
        if self.new_drawings or share < 0.66:
            thing = self.things[self._below(len(self.things))]
            if self.new_drawings:
                drawing = self.drawings.held_out_drawing(thing)
            else:
                drawing = self._below(len(self.drawings.training_drawings(thing)))
            return Item("thing", thing, None, drawing, size, self._next() < 0.5)
        colour = COLOUR_NAMES[self._below(len(COLOUR_NAMES))]
        if share < 0.87:
            return Item("shape", SHAPE_NAMES[self._below(len(SHAPE_NAMES))], colour, 0, size, False)
        text = str(self._below(100)) if self._next() < NUMBERS_SHARE else self.texts[self._below(len(self.texts))]
        heights = len(TEXT_HEIGHTS) if count == 1 else 3 if count <= 3 else 2
        return Item("text", text, colour, self._below(len(FONTS) - 1), self._below(heights), False)

    def _extent(self, item):
        if item.kind == "thing":
            height, width, _ = self.drawings.things[item.which]["sprites"][item.drawing][item.size].shape
        elif item.kind == "shape":
            height, width = self.drawings.shapes[item.which][item.size].shape
        else:
            height, width = self.drawings.texts[item.which][item.drawing][item.size].shape
        return width, height

    def _attempt(self):
        count = int(np.searchsorted(self.count_limits, self._next())) + 1
        items = [self._item(count) for _ in range(count)]
        if count >= 2 and self._next() < 0.4:
            # Several of a kind, so that there is something to count.
            of_a_kind = 2 + self._below(count - 1)
            for index in range(1, of_a_kind):
                items[index] = dataclasses.replace(items[0], flipped=self._next() < 0.5 and items[0].kind == "thing")
        width, height = EDGE, EDGE
        if self._next() < 0.1:  # a picture that is not square is padded with black to the right or below
            shorter = EDGE - 8 - self._below(28)
            width, height = (shorter, EDGE) if self._next() < 0.5 else (EDGE, shorter)
        background, turn = self._below(len(self.backgrounds)), self._below(4)
        ground = turned(self.backgrounds[background], turn)
        boxes = []
        for item in items:
            w, h = self._extent(item)
            if w > width or h > height:
                return None
            for _ in range(24):
                left, top = self._below(width - w + 1), self._below(height - h + 1)
                if all(left >= r + 1 or left + w + 1 <= l or top >= b + 1 or top + h + 1 <= t for l, t, r, b in boxes):
                    break
            else:
                return None
            item.box = (left, top, left + w, top + h)
            boxes.append(item.box)
            if item.kind != "thing":
                around = ground[top:top + h:3, left:left + w:3].reshape(-1, 3).mean(0).tolist()
                if sum(abs(a - b) for a, b in zip(around, COLOURS[item.colour][2:])) < 110:
                    return None  # a person could not see it either
        return Scene(items, width, height, background, turn)

    def scene(self):
        while True:
            scene = self._attempt()
            if scene is not None and scene.is_held_out == self.held_out:
                return scene

    def paint(self, scene, canvas):
        """Paints into `canvas` [EDGE, EDGE, 3], bytes."""
        canvas[...] = turned(self.backgrounds[scene.background], scene.turn)
        for item in scene.items:
            left, top, right, bottom = item.box
            region = canvas[top:bottom, left:right]
            if item.kind == "thing":
                sprite = self.drawings.things[item.which]["sprites"][item.drawing][item.size]
                if item.flipped:
                    sprite = sprite[:, ::-1]
                colour, transparency = sprite[..., :3], sprite[..., 3:]
            else:
                masks = self.drawings.shapes[item.which] if item.kind == "shape" else self.drawings.texts[item.which][item.drawing]
                mask = masks[item.size][..., None]
                wobble = [min(255, max(0, value + self._below(31) - 15)) for value in COLOURS[item.colour][2:]]
                colour, transparency = (mask * np.array(wobble, np.uint16) >> 8).astype(np.uint8), 255 - mask
            blended = np.multiply(region, transparency, dtype=np.uint16)
            blended += 255
            blended >>= 8
            blended += colour
            region[...] = blended
        canvas[scene.height:] = 0
        canvas[:, scene.width:] = 0
