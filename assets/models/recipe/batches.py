"""Batches of scenes with conversations about them, packed so that no computation is spent on padding.

Each row has one picture and a fixed number of tokens, filled with several conversations about that picture that do not see
each other. The picture is seen once for all of them, and one shape serves every batch.
"""

import numpy as np

from chats import Asker
from tokens import CHUNKS
from drawings import SHAPES
from scenes import COLOUR_NAMES, EDGE, SHAPE_NAMES, Composer


class Labels:
    """What the patches of a picture show, as class numbers; trains the tower alongside, and is thrown away with its head."""

    def __init__(self, drawings, grid):
        self.grid, self.patch = grid, EDGE / grid
        self.numbers = {("thing", index): index for index in range(len(drawings.things))}
        for kind, values in (("shape", SHAPE_NAMES), ("text", drawings.texts)):
            for value in values:
                self.numbers[kind, value] = len(self.numbers)
        self.background = len(self.numbers)
        self.count = self.background + 1
        self.colours = {name: index for index, name in enumerate(COLOUR_NAMES)}

    def cells(self, box):
        """Rows and columns of patches whose centre lies in the box, at least one of each."""
        left, top, right, bottom = (value / self.patch - 0.5 for value in box)
        x0, y0 = int(np.ceil(left)), int(np.ceil(top))
        x1, y1 = int(np.floor(right)) + 1, int(np.floor(bottom)) + 1
        if x1 <= x0:
            x0 = min(self.grid - 1, max(0, round((left + right) / 2)))
            x1 = x0 + 1
        if y1 <= y0:
            y0 = min(self.grid - 1, max(0, round((top + bottom) / 2)))
            y1 = y0 + 1
        return slice(max(0, y0), min(self.grid, y1)), slice(max(0, x0), min(self.grid, x1))

    def write(self, scene, names, colours):
        """names, colours: [grid, grid]; colours -1 where there is none to tell."""
        names[...] = self.background
        colours[...] = -1
        for item in scene.items:
            cells = self.cells(item.box)
            names[cells] = self.numbers[item.kind, item.which]
            if item.colour:
                colours[cells] = self.colours[item.colour]


class Batches:
    """Endless batches of NumPy arrays. `prefix`: tokens that the picture takes in the text (0: none but its mark)."""

    def __init__(self, drawings, encoder, grid, prefix, rows, length, seed, languages, held_out=False, new_drawings=False, counts=None):
        options = {"counts": counts} if counts else {}
        self.composer = Composer(drawings, seed, held_out, new_drawings, **options)
        self.asker = Asker(drawings, [*np.atleast_1d(seed), held_out, new_drawings], languages)
        self.encoder, self.labels, self.prefix, self.rows, self.length = encoder, Labels(drawings, grid), prefix, rows, length
        self.start = 1 + prefix if prefix else 0

    def pictures(self, rows):
        """Scenes with pixels and patch labels alone."""
        scenes = [self.composer.scene() for _ in range(rows)]
        images = np.empty((rows, EDGE, EDGE, 3), np.uint8)
        names, colours = (np.empty((rows, self.labels.grid, self.labels.grid), np.int64) for _ in range(2))
        for index, scene in enumerate(scenes):
            self.composer.paint(scene, images[index])
            self.labels.write(scene, names[index], colours[index])
        return {"scenes": scenes, "images": images, "names": names, "colours": colours, "counts": np.array([len(scene.items) for scene in scenes])}

    def empty(self, rows, length):
        """answers: [(row, place)]; guides: [(row, place, said, item's box)], where the one who speaks or hears a thing's name looks at it."""
        return {
            "ids": np.full((rows, length), self.encoder.pad, np.int64), "positions": np.zeros((rows, length), np.int64),
            "segments": np.full((rows, length), -1, np.int64), "sees": np.zeros((rows, length, 1), np.float32), "answers": [], "turns": [], "guides": []}

    def append(self, batch, row, at, segment, ids, answer, turns, scene, prefix):
        """Puts a conversation into a row from place `at` on; returns the place after it."""
        if prefix:  # the mark of the question and the picture are there already, shared
            ids, answer = ids[1 + prefix:], answer[1 + prefix:]
        end = at + len(ids)
        batch["ids"][row, at:end] = ids
        batch["positions"][row, at:end] = np.arange(len(ids)) + (1 + prefix if prefix else 0)
        batch["segments"][row, at:end] = segment
        batch["sees"][row, at + (0 if prefix else 1):end] = 1
        places = [at + i for i, said in enumerate(answer) if said]
        batch["answers"] += [(row, place) for place in places]
        # Runs of answer tokens belong to the turns in order.
        runs, begin = [], None
        for i, said in enumerate(answer + [False]):
            if said and begin is None:
                begin = i
            elif not said and begin is not None:
                runs.append((at + begin, at + i))
                begin = None
        batch["turns"] += [(row, first, last, turn, scene) for (first, last), turn in zip(runs, turns)]
        for (first, _), turn in zip(runs, turns):
            question = first - 2 - len(self.encoder.newline) - len(self.encoder.encode(turn.question))
            for said, named, text, begin in ((True, turn.names, turn.answer, first - 1), (False, turn.asked, turn.question, question)):
                for item, word in named:
                    place = self.place(text, word, last=not said)
                    if place is not None:
                        batch["guides"].append((row, begin + place, said, scene.items[item].box))
        return end

    def place(self, text, word, last):
        """Where in the text's tokens the word's first or last one is."""
        place = 0
        for chunk in CHUNKS.findall(text):
            length = len(self.encoder.encode(chunk))
            if chunk.strip() == word:
                return place + (length - 1 if last else 0)
            place += length
        return None

    def finish(self, batch):
        """Lists to arrays. `places` [rows, places]: where answer tokens are chosen, `slots`: each answer's column there."""
        answers = np.array(batch["answers"])
        rows = answers[:, 0]
        slots = np.arange(len(rows)) - np.searchsorted(rows, rows)
        places = np.zeros((len(batch["ids"]), -(-(int(slots.max()) + 1) // 16) * 16), np.int64)
        places[rows, slots] = answers[:, 1] - 1
        batch.update(answers=answers, slots=slots, places=places)
        guides = batch.pop("guides")
        batch["guide_places"] = np.array([guide[:3] for guide in guides], np.int64).reshape(-1, 3)
        batch["guide_patches"] = np.zeros((len(guides), self.labels.grid, self.labels.grid), np.float32)
        for patches, (_, _, _, box) in zip(batch["guide_patches"], guides):
            patches[self.labels.cells(box)] = 1
        return batch

    def chats(self, batch):
        """Adds packed conversations to a batch of pictures."""
        rows = len(batch["scenes"])
        batch.update(self.empty(rows, self.start + self.length))
        for row, scene in enumerate(batch["scenes"]):
            at, segment = self.start, 1
            if self.prefix:
                batch["ids"][row, :at] = [self.encoder.user] + [self.encoder.image] * self.prefix
                batch["positions"][row, :at] = np.arange(at)
                batch["segments"][row, :at] = 0
            refused = 0
            while refused < 2:
                turns = self.asker.chat(scene)
                ids, answer = self.encoder.chat(turns, image_count=self.prefix or 1)
                if at + len(ids) - (1 + self.prefix if self.prefix else 0) > self.start + self.length:
                    refused += 1
                    continue
                at = self.append(batch, row, at, segment, ids, answer, turns, scene, self.prefix)
                segment += 1
        return self.finish(batch)

    def text_only(self, rows=8, length=64):
        batch = self.empty(rows, length)
        for row in range(rows):
            at, segment = 0, 1
            while True:
                turns = self.asker.small_talk()
                ids, answer = self.encoder.chat(turns, with_image=False)
                if at + len(ids) > length:
                    break
                at = self.append(batch, row, at, segment, ids, answer, turns, None, 0)
                segment += 1
        batch["sees"][...] = 0
        return self.finish(batch)

    def batch(self):
        return self.chats(self.pictures(self.rows))
