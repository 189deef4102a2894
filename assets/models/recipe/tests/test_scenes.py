"""python3 -m unittest discover -s assets/models/recipe/tests (needs NumPy; draws its own sprites)"""

import pathlib
import sys
import unittest

import numpy as np

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))

from batches import Labels  # noqa: E402
from chats import Asker, English, French  # noqa: E402
from drawings import COLOURS, FONTS, SIZES, TEXT_HEIGHTS, WORDS, things  # noqa: E402
from scenes import COLOUR_NAMES, EDGE, SHAPE_NAMES, Composer, Item, Scene, turned  # noqa: E402
from tokens import CHUNKS  # noqa: E402


class FakeDrawings:
    """Opaque rectangles of one colour each, so that pixels can be checked."""

    def __init__(self):
        listed = things(12)
        self.things = []
        for index, thing in enumerate(listed):
            drawings = [[self.sprite(size, (index * 20, 255 - index * 20, 40 * drawing)) for size in SIZES] for drawing in range(1 + index % 2)]
            self.things.append({"name": thing.name, "french": thing.french, "sprites": drawings})
        self.names = [thing.name for thing in listed]
        self.shapes = {name: [np.full((size, size), 255, np.uint8) for size in SIZES] for name in SHAPE_NAMES}
        texts = WORDS + [str(number) for number in range(100)]
        self.texts = {text: [[np.full((height, 6 * len(text)), 255, np.uint8) for height in TEXT_HEIGHTS] for _ in FONTS] for text in texts}

    def sprite(self, size, colour):
        return np.concatenate([np.full((size, size - 2, 3), colour, np.uint8), np.zeros((size, size - 2, 1), np.uint8)], axis=-1)

    def training_drawings(self, thing):
        return range(max(1, len(self.things[thing]["sprites"]) - 1))

    def held_out_drawing(self, thing):
        count = len(self.things[thing]["sprites"])
        return count - 1 if count > 1 else None


def truth_of_side(scene, item, other, side):
    (x, y), (u, v) = item.centre, other.centre
    return {"left of": x < u, "right of": x > u, "above": y < v, "below": y > v}[side]


class SceneTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.drawings = FakeDrawings()
        cls.composer = Composer(cls.drawings, 1, background_count=16)
        cls.scenes = [cls.composer.scene() for _ in range(1500)]
        cls.language = English(cls.drawings)

    def test_boxes_hold_exactly_what_was_painted(self):
        canvas = np.empty((EDGE, EDGE, 3), np.uint8)
        for scene in self.scenes[:300]:
            self.composer.paint(scene, canvas)
            ground = turned(self.composer.backgrounds[scene.background], scene.turn).copy()
            ground[scene.height:] = 0
            ground[:, scene.width:] = 0
            outside = np.ones((EDGE, EDGE), bool)
            for item in scene.items:
                left, top, right, bottom = item.box
                self.assertTrue(0 <= left < right <= scene.width and 0 <= top < bottom <= scene.height)
                inside = canvas[top:bottom, left:right].reshape(-1, 3).astype(int)
                if item.kind == "thing":
                    wanted = self.drawings.things[item.which]["sprites"][item.drawing][item.size][0, 0, :3].astype(int)
                    self.assertTrue((np.abs(inside - wanted) <= 1).all())
                else:
                    self.assertTrue((np.abs(inside - np.array(COLOURS[item.colour][2:])) <= 17).all())
                self.assertTrue(outside[top:bottom, left:right].all(), "items overlap")
                outside[top:bottom, left:right] = False
            self.assertTrue((canvas[outside] == ground[outside]).all())

    def test_training_and_held_out_never_meet(self):
        held_out = Composer(self.drawings, 1, held_out=True, background_count=16)
        compositions = {held_out.scene().composition for _ in range(500)}
        self.assertFalse(compositions & {scene.composition for scene in self.scenes})
        self.assertEqual([s.composition for s in self.scenes[:5]],
                         [s.composition for c in [Composer(self.drawings, 1, background_count=16)] for s in [c.scene() for _ in range(5)]])

    def test_held_out_drawings_stay_out_of_training(self):
        for scene in self.scenes:
            for item in scene.items:
                if item.kind == "thing":
                    self.assertIn(item.drawing, self.drawings.training_drawings(item.which))
        new = Composer(self.drawings, 1, held_out=True, new_drawings=True, background_count=16)
        for _ in range(100):
            self.assertTrue(all(item.drawing == 1 for item in new.scene().items))

    def test_answers_are_true(self):
        """Each answer is worked out again from its question's words and the boxes."""
        asker = Asker(self.drawings, 3)
        checked = {}
        for scene in self.scenes:
            by_name = {}
            for item in scene.items:
                for name in {self.language.the(item), self.language.the(item, False)}:
                    by_name.setdefault(name, []).append(item)
            for _ in range(4):
                turn = asker.some_turn(scene, self.language)
                if self.check(turn, scene, by_name):
                    checked[turn.task] = checked.get(turn.task, 0) + 1
        for task in ("what", "where", "side", "sides", "count", "count all", "colour", "is colour", "read", "there", "absent", "describe"):
            self.assertGreater(checked.get(task, 0), 20, f"{task}: {checked}")

    def named(self, turn, by_name):
        names = [name for name in by_name if name[4:] and f"{name} " in turn.question.rstrip("?.") + " "]
        return by_name[max(names, key=len)] if names else []

    def check(self, turn, scene, by_name):
        items, language = scene.items, self.language
        phrases = [language.a(item) for item in items]
        if turn.task == "what":
            self.assertEqual(turn.answer.lower(), phrases[0].lower() + ".")
        elif turn.task == "where":
            item, = self.named(turn, by_name)
            x, y = item.centre[0] / scene.width, item.centre[1] / scene.height
            words = turn.answer
            self.assertEqual(("left" in words, "right" in words, "top" in words, "bottom" in words), (x < 1 / 3, x > 2 / 3, y < 1 / 3, y > 2 / 3))
        elif turn.task == "side":
            reference = self.named(turn, by_name)[0]
            side = next(side for side in language.sides.values() if f" {side} " in turn.question)
            there = [item for item in items if item is not reference and truth_of_side(scene, item, reference, side)]
            self.assertEqual(turn.answer.lower(), (language.a(there[0]).lower() if there else "nothing") + ".")
            self.assertLessEqual(len(there), 1)
        elif turn.task == "sides":
            side = next(side for side in language.sides.values() if f" {side} " in turn.question)
            first, second = turn.question[3:-1].split(f" {side} ")
            self.assertEqual(turn.answer == "Yes.", truth_of_side(scene, by_name[first][0], by_name[second][0], side))
        elif turn.task == "count all":
            self.assertEqual(turn.answer, language.numbers[len(items)] + ".")
        elif turn.task == "count":
            names = [n for item in items for n in {language.plural(item), language.plural(item, False)} if n and f" {n} " in turn.question.rstrip("?.") + " "]
            plural = max(names, key=len) if names else None
            number = sum(plural in (language.plural(item), language.plural(item, False)) for item in items) if plural else 0
            if number and plural != re_plural(turn.question, plural):
                number = 0  # asked for another colour than that of the shapes there
            self.assertEqual(turn.answer, language.numbers[number] + ".")
        elif turn.task == "colour":
            self.assertIn(items[turn.item].colour, turn.answer.lower())
            self.assertIn(items[turn.item], self.named(turn, by_name))
        elif turn.task == "is colour":
            self.assertEqual(turn.answer == "Yes.", turn.question.rstrip("?").endswith(items[turn.item].colour))
        elif turn.task == "read":
            self.assertEqual([f"It says {item.which}." for item in items if item.kind == "text"], [turn.answer])
        elif turn.task == "there":
            self.assertEqual(turn.answer == "Yes.", any(f" {phrase} " in " " + turn.question.rstrip("?") + " " for phrase in phrases))
        elif turn.task == "absent":
            self.assertFalse(any(f"no {name[4:]}." in turn.answer for name in by_name))
        elif turn.task == "describe":
            order = sorted(items, key=lambda item: item.centre[0])
            self.assertTrue(turn.answer.lower().startswith(self.language.a(order[0]).lower()) or turn.answer.split()[0].lower() in
                            ("two", "three", "four", "five", "six"))
            self.assertTrue(all(word in turn.answer for _, word in turn.names))
        else:
            return False
        return True

    def test_names_in_answers_are_words_of_their_own(self):
        asker = Asker(self.drawings, 4)
        for scene in self.scenes[:300]:
            for turn in asker.chat(scene):
                for index, word in turn.names:
                    self.assertIn(word, [chunk.strip() for chunk in CHUNKS.findall(turn.answer)])
                    self.assertIn(word, self.language.noun(scene.items[index]))

    def test_patch_labels(self):
        labels = Labels(self.drawings, 8)
        scene = Scene([Item("thing", 3, None, 0, 0, False, (24, 48, 48, 72))], EDGE, EDGE, 0, 0)
        names, colours = np.zeros((8, 8), int), np.zeros((8, 8), int)
        labels.write(scene, names, colours)
        self.assertEqual([tuple(p) for p in np.argwhere(names == 3)], [(4, 2), (4, 3), (5, 2), (5, 3)])
        self.assertTrue((colours == -1).all())

    def test_french(self):
        language = French(self.drawings)
        item = Item("shape", "oval", "green", 0, 0, False)
        self.assertEqual((language.a(item), language.the(item), language.of_the(item), language.plural(item)),
                         ("un ovale vert", "l'ovale vert", "de l'ovale vert", "ovales verts"))
        self.assertEqual(language.a(Item("shape", "cross", "green", 0, 0, False)), "une croix verte")
        horse = Item("thing", self.drawings.names.index("horse"), None, 0, 0, False)
        self.assertEqual((language.plural(horse), language.of_the(horse)), ("chevaux", "du cheval"))


def re_plural(question, plural):
    """The counted thing of the question: a colour in front belongs to it."""
    before = question[:question.index(plural)].split()
    return f"{before[-1]} {plural}" if before and before[-1] in COLOUR_NAMES else plural


if __name__ == "__main__":
    unittest.main()
