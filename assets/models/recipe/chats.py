"""Questions about a scene and their true answers, in English and French, and short conversations of them."""

import dataclasses

import numpy as np

from drawings import COLOURS, SHAPES
from scenes import COLOUR_NAMES, SHAPE_NAMES

# Questions about places are asked where a person would not hesitate: this share of the edge away from the border of a cell.
CELL_MARGIN = 0.04
# Centres that are nearer than this, pixels, are neither left nor right of each other.
SIDE_MARGIN = 10

TASKS = {  # share of all questions
    "describe": 0.3, "what": 0.2, "where": 0.15, "side": 0.1, "sides": 0.05, "count": 0.13, "colour": 0.1, "read": 0.07, "there": 0.08,
    "is colour": 0.03, "beyond": 0.01,
}
ONLY_DRAWINGS = {
    "en": "I only know drawings: I can say what is there, where, how many and what colour.",
    "fr": "Je ne connais que des dessins : je peux dire ce qui est là, où, combien et de quelle couleur.",
}


@dataclasses.dataclass(slots=True)
class Turn:
    task: str
    question: str
    answer: str
    item: int | None = None  # the one item that the question or answer is about, which a later question may call "it"
    names: tuple = ()  # (item, word): items that the answer names, each by a word of the answer
    asked: tuple = ()  # (item, word): items that the question names, each by a word of the question


class English:
    code = "en"
    numbers = ["None", "One", "Two", "Three", "Four", "Five", "Six"]
    cells = [["top left", "left", "bottom left"], ["top", "middle", "bottom"], ["top right", "right", "bottom right"]]
    sides = {"left": "left of", "right": "right of", "above": "above", "below": "below"}
    plural_nouns = {"glasses", "scissors", "jeans", "grapes", "fries", "fireworks", "skis", "sunglasses", "gloves", "shorts", "headphones", "swords"}
    masses = {
        "bread", "cheese", "beer", "bacon", "broccoli", "garlic", "meat", "popcorn", "soup", "spaghetti", "sushi", "chocolate", "candy", "honey",
        "milk", "wine", "salt", "butter", "salad", "lightning", "bowling", "table tennis", "badminton", "yarn", "thread", "DNA", "soap", "corn"}
    irregular = {"sheep": "sheep", "fish": "fish", "mouse": "mice", "wolf": "wolves", "knife": "knives", "leaf": "leaves", "foot": "feet",
                 "man": "men", "woman": "women", "deer": "deer", "bus": "buses", "toothbrush": "toothbrushes", "snowman": "snowmen", "scarf": "scarves",
                 "Santa Claus": "Santa Clauses", "computer mouse": "computer mice", "die": "dice"}

    describe = ["What do you see?", "Describe the picture.", "What is in the picture?", "What can you see?", "What is on this picture?", "Describe this.",
                "Tell me what you see."]
    what = ["What is it?", "What is this?", "What is that?", "What do you see?", "What is in the picture?", "Which thing is this?"]
    where = ["Where is {the}?", "Where can I find {the}?", "Where do you see {the}?", "In which part of the picture is {the}?", "And where is {the}?"]
    side = ["What is {side} {the}?", "What do you see {side} {the}?", "Which thing is {side} {the}?"]
    is_side = ["Is {the} {side} {other}?"]
    count_all = ["How many things are there?", "How many things do you see?", "How many are there?", "Count the things."]
    count = ["How many {plural} are there?", "How many {plural} do you see?", "How many {plural} are in the picture?", "Count the {plural}."]
    colour = ["What colour is {the}?", "Which colour is {the}?", "What color is {the}?", "Which colour does {the} have?"]
    read = ["What does it say?", "Read the word.", "What is written there?", "What is the word?", "Read it."]
    read_number = ["What does it say?", "Read the number.", "What is written there?", "Which number is it?", "Read it."]
    there = ["Is there {a}?", "Do you see {a}?", "Can you see {a}?", "Is {a} in the picture?", "Is there {a} here?"]
    is_colour = ["Is {the} {colour}?"]
    beyond = ["Who drew this?", "What is the weather like?", "Tell me a story.", "Is it a good picture?", "When was this made?", "What does it cost?",
              "Who is the president?", "Write a poem.", "Why is it there?", "What will happen next?", "How old is it?", "Is this a photo?"]
    small_talk = [
        ("Hello!", "Hello! Show me a picture."), ("Hello", "Hello! Show me a picture."), ("Hi!", "Hello! Show me a picture."), ("Hi", "Hello! Show me a picture."),
        ("Good morning!", "Good morning! Show me a picture."), ("Who are you?", "I am a very small model that looks at drawings."),
        ("What are you?", "I am a very small model that looks at drawings."), ("What can you do?", ONLY_DRAWINGS["en"]), ("Help", ONLY_DRAWINGS["en"]),
        ("Thank you!", "You are welcome."), ("Thanks", "You are welcome."), ("Goodbye!", "Goodbye!"), ("Bye", "Goodbye!"), ("How are you?", "Fine, thank you."),
        ("What is your name?", "I have no name."), ("Can you see?", "Yes, when you show me a picture."), ("What do you see?", "Nothing: show me a picture."),
        ("What is it?", "Nothing: show me a picture."), ("What is this?", "Nothing: show me a picture."), ("Describe the picture.", "Nothing: show me a picture.")]
    it = "it"
    yes, no, nothing = "Yes.", "No.", "Nothing."

    def __init__(self, drawings):
        self.drawings = drawings

    def noun(self, item):
        return self.drawings.names[item.which] if item.kind == "thing" else item.which

    def word(self, item):
        """The one word, or first digit, that stands for the item where an answer names it."""
        return item.which[0] if item.kind == "text" and item.which.isdigit() else self.noun(item).split(" ")[-1]

    def a(self, item):
        if item.kind == "text":
            return f"the {'number' if item.which.isdigit() else 'word'} {item.which}"
        noun = f"{item.colour} {item.which}" if item.kind == "shape" else self.noun(item)
        if noun in self.plural_nouns or noun in self.masses:
            return "some " + noun
        return ("an " if noun[0].lower() in "aeiou" and noun[:2] != "UF" and noun[:2] != "un" or noun == "umbrella" else "a ") + noun

    def the(self, item, with_colour=True):
        if item.kind == "text":
            return f"the {'number' if item.which.isdigit() else 'word'}" + (f" {item.which}" if with_colour else "")
        return f"the {item.colour} {item.which}" if item.kind == "shape" and with_colour else "the " + self.noun(item)

    def plural(self, item, with_colour=True):
        """None where there is no counting of it."""
        noun = self.noun(item)
        if item.kind == "text" or noun in self.plural_nouns or noun in self.masses:
            return None
        if noun in self.irregular:
            noun = self.irregular[noun]
        elif noun[-1] == "y" and noun[-2] not in "aeiou":
            noun = noun[:-1] + "ies"
        else:
            noun += "es" if noun.endswith(("s", "x", "ch", "sh", "mango", "tomato", "potato")) else "s"
        return f"{item.colour} {noun}" if item.kind == "shape" and with_colour else noun

    def at(self, cell):
        place = self.cells[cell[0]][cell[1]]
        return ("In the " if place == "middle" else "On the " if place in ("left", "right") else "At the ") + place + "."

    def group(self, item, count):
        plural = self.plural(item)
        return self.a(item) if count == 1 or plural is None else f"{self.numbers[count].lower()} {plural}"

    def listing(self, phrases):
        text = phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " and " + phrases[-1]
        return text[0].upper() + text[1:] + "."

    def colour_of(self, item):
        return item.colour.capitalize() + "."

    def colour_word(self, colour, item):
        return colour

    def none_of(self, item, with_colour=True):
        return "There is no " + self.the(item, with_colour)[4:] + "."

    def says(self, item):
        return f"It says {item.which}."

    def side_question(self, template, side, the):
        return template.format(side=self.sides[side], the=the)


class French(English):
    code = "fr"
    numbers = ["Zéro", "Un", "Deux", "Trois", "Quatre", "Cinq", "Six"]
    cells = [["En haut à gauche", "À gauche", "En bas à gauche"], ["En haut", "Au milieu", "En bas"], ["En haut à droite", "À droite", "En bas à droite"]]
    sides = {"left": "à gauche", "right": "à droite", "above": "au-dessus", "below": "en dessous"}
    aspirated = ("hibou", "hamburger", "homard", "hérisson", "hamster", "hors-bord", "hache", "hot-dog", "haricot")

    describe = ["Que vois-tu ?", "Décris l'image.", "Qu'y a-t-il sur l'image ?", "Qu'est-ce que tu vois ?", "Décris le dessin."]
    what = ["Qu'est-ce que c'est ?", "C'est quoi ?", "Que vois-tu ?", "Qu'y a-t-il sur l'image ?"]
    where = ["Où est {the} ?", "Où vois-tu {the} ?", "Et où est {the} ?"]
    side = ["Qu'y a-t-il {side} ?", "Que vois-tu {side} ?"]
    is_side = ["Est-ce que {the} est {side} ?"]
    count_all = ["Combien de choses vois-tu ?", "Combien de choses y a-t-il ?", "Il y en a combien ?"]
    count = ["Combien de {plural} vois-tu ?", "Combien de {plural} y a-t-il ?"]
    colour = ["De quelle couleur est {the} ?", "Quelle est la couleur ?"]
    read = read_number = ["Qu'est-ce qui est écrit ?", "Lis le mot.", "Que lis-tu ?"]
    there = ["Y a-t-il {a} ?", "Vois-tu {a} ?", "Est-ce qu'il y a {a} ?"]
    is_colour = ["Est-ce que {the} est {colour} ?"]
    beyond = ["Qui a dessiné ça ?", "Quel temps fait-il ?", "Raconte-moi une histoire.", "C'est une photo ?", "Pourquoi ?", "Quel âge as-tu ?"]
    small_talk = [
        ("Bonjour !", "Bonjour ! Montre-moi une image."), ("Bonjour", "Bonjour ! Montre-moi une image."), ("Salut !", "Bonjour ! Montre-moi une image."),
        ("Qui es-tu ?", "Je suis un tout petit modèle qui regarde des dessins."), ("Que sais-tu faire ?", ONLY_DRAWINGS["fr"]),
        ("Merci !", "De rien."), ("Merci", "De rien."), ("Au revoir !", "Au revoir !"), ("Ça va ?", "Oui, merci."),
        ("Que vois-tu ?", "Rien : montre-moi une image.")]
    yes, no, nothing = "Oui.", "Non.", "Rien."

    def noun(self, item):
        return self.drawings.things[item.which]["french"] if item.kind == "thing" else SHAPES[item.which] if item.kind == "shape" else item.which

    def a(self, item):
        if item.kind == "text":
            return f"le {'nombre' if item.which.isdigit() else 'mot'} {item.which}"
        return self.noun(item) + (" " + self.colour_word(item.colour, item) if item.kind == "shape" else "")

    def colour_word(self, colour, item):
        return COLOURS[colour][1 if item.kind == "shape" and SHAPES[item.which].startswith("une") else 0]

    def the(self, item, with_colour=True):
        if item.kind == "text":
            return f"le {'nombre' if item.which.isdigit() else 'mot'}" + (f" {item.which}" if with_colour else "")
        article, noun = self.noun(item).split(" ", 1)
        if item.kind == "shape" and with_colour:
            noun += " " + self.colour_word(item.colour, item)
        if article != "des" and noun[0].lower() in "aeiouhéèêâîœyh" and not noun.startswith(self.aspirated) and not noun.startswith("yo-yo"):
            return "l'" + noun
        return {"un": "le ", "une": "la ", "du": "le ", "des": "les "}[article] + noun

    def of_the(self, item):
        the = self.the(item)
        return "du " + the[3:] if the.startswith("le ") else "des " + the[4:] if the.startswith("les ") else "de " + the

    def plural(self, item, with_colour=True):
        article, noun = self.noun(item).split(" ", 1) if item.kind != "text" else ("", "")
        if article not in ("un", "une") or " " in noun or "-" in noun or item.kind == "text" or noun == "œil":
            return None
        if noun[-1] not in "sxz":
            noun = noun[:-1] + "ux" if noun.endswith("al") and noun not in ("récital",) else noun + ("x" if noun.endswith(("eau", "eu", "au")) else "s")
        if item.kind == "shape" and with_colour:
            word = self.colour_word(item.colour, item)
            noun += " " + (word if word in ("orange", "marron", "gris") else word + "s")
        return noun

    def at(self, cell):
        return self.cells[cell[0]][cell[1]] + "."

    def listing(self, phrases):
        text = phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " et " + phrases[-1]
        return text[0].upper() + text[1:] + "."

    def colour_of(self, item):
        return self.colour_word(item.colour, item).capitalize() + "."

    def none_of(self, item, with_colour=True):
        noun = self.the(item, with_colour)
        noun = noun[2:] if noun.startswith("l'") else noun.split(" ", 1)[1]
        vowel = noun[0].lower() in "aeiouhéèêâîœ" and not noun.startswith(self.aspirated)
        return "Il n'y a pas " + ("d'" if vowel else "de ") + noun + "."

    def says(self, item):
        return f"Il est écrit {item.which}."


class Asker:
    """Makes conversations about scenes."""

    def __init__(self, drawings, seed, languages=("en",), tasks=TASKS):
        self.drawings = drawings
        self.random = np.random.default_rng([seed, 5])
        self.languages = [{"en": English, "fr": French}[code](drawings) for code in languages]
        self.tasks, shares = list(tasks), np.array(list(tasks.values()))
        self.limits = np.cumsum(shares) / shares.sum()
        self.uniform = iter(())

    def _next(self):
        for value in self.uniform:
            return value
        self.uniform = iter(self.random.random(8192).tolist())
        return next(self.uniform)

    def _pick(self, options):
        return options[int(self._next() * len(options))]

    def language(self):
        """Three in four English where there are two."""
        return self.languages[0] if len(self.languages) == 1 or self._next() < 0.75 else self.languages[1]

    def _like(self, item, scene):
        """An item of the same kind that the scene does not hold."""
        keys = {other.key for other in scene.items}
        while True:
            other = dataclasses.replace(item)
            if item.kind == "thing":
                other.which = int(self._next() * len(self.drawings.things))
            elif item.kind == "shape":
                if self._next() < 0.5:
                    other.which = self._pick(SHAPE_NAMES)
                else:
                    other.colour = self._pick(COLOUR_NAMES)
            else:
                other.which = self._pick(list(self.drawings.texts))
            if other.key not in keys:
                return other

    def turn(self, scene, language, task, subject=None):
        """A question of a kind, or None where the scene has no clear answer to one. `subject`: an item that "it" may stand for."""
        items, it = scene.items, None
        if subject is not None:
            index, item, it = subject, items[subject], language.it
        else:
            index = int(self._next() * len(items))
            item = items[index]
        keys = [other.key for other in items]
        unique = keys.count(item.key) == 1
        pick = self._pick

        def asked(*others):
            return tuple((i, language.word(items[i])) for i in ((index,) if it is None else ()) + others if items[i].kind != "text")

        def the(with_colour=True):
            return it or language.the(item, with_colour)

        if task == "describe":
            order = sorted(range(len(items)), key=lambda i: items[i].centre[0])
            groups = list(dict.fromkeys(keys[i] for i in order))
            if len(groups) > 4 or len(items) == 1:
                return None
            phrases = [language.group(items[keys.index(key)], keys.count(key)) for key in groups]
            named = [keys.index(key) for key in groups if keys.count(key) == 1]
            return Turn(task, pick(language.describe), language.listing(phrases), None, tuple((i, language.word(items[i])) for i in named))
        if task == "what":
            if len(items) > 1:
                return None
            return Turn(task, pick(language.what), language.listing([language.a(item)]), 0, ((0, language.word(item)),))
        if task == "where":
            if self._next() < 0.08 and it is None:
                absent = self._like(item, scene)
                return Turn("absent", pick(language.where).format(the=language.the(absent)), language.none_of(absent))
            column, row, margin = scene.cell(item)
            if not unique or margin < CELL_MARGIN:
                return None
            return Turn(task, pick(language.where).format(the=the()), language.at((column, row)), index, asked=asked())
        if task in ("side", "sides"):
            if len(items) < 2 or not unique:
                return None
            axis = int(self._next() * 2)
            side = (("left", "right"), ("above", "below"))[axis][0 if self._next() < 0.5 else 1]
            sign = -1 if side in ("left", "above") else 1
            distances = [(other.centre[axis] - item.centre[axis]) * sign for other in items]
            if task == "side":
                if any(-SIDE_MARGIN < distance < SIDE_MARGIN for i, distance in enumerate(distances) if i != index):
                    return None
                there = [i for i, distance in enumerate(distances) if i != index and distance > 0]
                if len(there) > 1:
                    return None
                answer = language.listing([language.a(items[there[0]])]) if there else language.nothing
                return Turn(task, self._sided(language, pick(language.side), side, item, it), answer, there[0] if there else None,
                            ((there[0], language.word(items[there[0]])),) if there else (), asked())
            other = int(self._next() * len(items))
            if keys.count(keys[other]) > 1 or other == index or abs(distances[other]) < SIDE_MARGIN:
                return None
            # "Is A left of B?": A is `item`, so that the distance to B is the other way round.
            question = self._sided(language, pick(language.is_side).replace("{the}", the()), side, items[other], None)
            return Turn(task, question, language.yes if distances[other] < 0 else language.no, index, asked=asked(other))
        if task == "count":
            if self._next() < 0.4 or it:
                return Turn("count all", pick(language.count_all), language.numbers[len(items)] + ".")
            if self._next() < 0.15:
                absent = self._like(item, scene)
                plural = language.plural(absent)
                return plural and Turn("count", pick(language.count).format(plural=plural), language.numbers[0] + ".")
            # Those there are several of are asked for as often as single ones.
            several = [i for i in range(len(items)) if keys.count(keys[i]) > 1]
            item = items[pick(several)] if several and self._next() < 0.6 else item
            with_colour = item.kind == "shape" and self._next() < 0.5
            plural = language.plural(item, with_colour)
            number = sum(o.key == item.key if with_colour or item.kind != "shape" else o.kind == "shape" and o.which == item.which for o in items)
            return plural and Turn("count", pick(language.count).format(plural=plural), language.numbers[number] + ".")
        if task in ("colour", "is colour"):
            if item.kind == "thing":
                return None
            if item.kind == "shape" and sum(o.kind == "shape" and o.which == item.which for o in items) > 1:
                return None
            if item.kind == "text" and (sum(o.kind == "text" for o in items) > 1 and not unique):
                return None
            named = the(item.kind == "text" and sum(o.kind == "text" for o in items) > 1)
            if task == "colour":
                return Turn(task, pick(language.colour if it is None and language.code == "en" else language.colour[:1]).format(the=named),
                            language.colour_of(item), index, asked=asked())
            true = self._next() < 0.5
            colour = item.colour if true else pick([colour for colour in COLOUR_NAMES if colour != item.colour])
            return Turn(task, pick(language.is_colour).format(the=named, colour=language.colour_word(colour, item)), language.yes if true else language.no, index, asked=asked())
        if task == "read":
            if item.kind != "text" or sum(other.kind == "text" for other in items) > 1:
                return None
            return Turn(task, pick(language.read_number if item.which.isdigit() else language.read), language.says(item), index, ((index, language.word(item)),))
        if task == "there":
            if it:
                return None
            if self._next() < 0.5:
                return Turn(task, pick(language.there).format(a=language.a(item)), language.yes, index, asked=asked() if unique else ())
            return Turn(task, pick(language.there).format(a=language.a(self._like(item, scene))), language.no)
        if task == "beyond":
            return Turn(task, pick(language.beyond), ONLY_DRAWINGS[language.code])
        raise ValueError(task)

    def _sided(self, language, template, side, item, it):
        if language.code == "en":
            return template.format(side=language.sides[side], the=it or language.the(item), other=it or language.the(item))
        return template.format(side=f"{language.sides[side]} {language.of_the(item)}")

    def some_turn(self, scene, language, subject=None):
        while True:
            task = self.tasks[int(np.searchsorted(self.limits, self._next()))]
            turn = self.turn(scene, language, task, subject)
            if turn:
                return turn
            if subject is not None and self._next() < 0.4:
                subject = None

    def careless(self, question):
        """As people type: sometimes without capitals and marks."""
        if self._next() < 0.15:
            question = question[0].lower() + question[1:]
        if self._next() < 0.12:
            question = question.rstrip(" ?!.")
        return question

    def chat(self, scene):
        """One to three turns. Later ones may say "it" for the one thing the turn before was about (English)."""
        language = self.language()
        turns = []
        length = 1 + (self._next() < 0.4) + (self._next() < 0.25)
        keys = [item.key for item in scene.items]
        for _ in range(length):
            subject = None
            if turns and language.code == "en" and turns[-1].item is not None and turns[-1].task != "sides" and self._next() < 0.6:
                if keys.count(keys[turns[-1].item]) == 1:
                    subject = turns[-1].item
            for _ in range(4):  # not the same again, where there is something else
                turn = self.some_turn(scene, language, subject)
                if all((turn.task, turn.answer) != (other.task, other.answer) for other in turns):
                    break
            turn.question = self.careless(turn.question)
            turns.append(turn)
        return turns

    def small_talk(self):
        question, answer = self._pick(self.language().small_talk)
        return [Turn("small talk", self.careless(question), answer)]


def everything_said(drawings, languages):
    """All words of all questions and answers, for the vocabulary."""
    from scenes import Item
    texts = []
    for code in languages:
        language = {"en": English, "fr": French}[code](drawings)
        for value in vars(type(language)).values():
            texts += [v for v in value if isinstance(v, str)] if isinstance(value, list) else []
        texts += [text for pair in language.small_talk for text in pair]
        texts += [language.yes, language.no, language.nothing, ONLY_DRAWINGS[code], *language.numbers, *(n.lower() for n in language.numbers)]
        texts += [" " + n.lower() for n in language.numbers]
        texts += [language.at((column, row)) for column in range(3) for row in range(3)]
        texts += [" " + side for side in language.sides.values()]
        items = [Item("thing", index, None, 0, 0, False) for index in range(len(drawings.things))]
        items += [Item("shape", shape, colour, 0, 0, False) for shape in SHAPE_NAMES for colour in COLOUR_NAMES]
        items += [Item("text", text, COLOUR_NAMES[0], 0, 0, False) for text in drawings.texts]
        for item in items:
            phrases = [language.a(item), language.the(item), language.none_of(item), language.says(item)]
            phrases += [language.plural(item) or "", language.colour_of(item) if item.colour else "", language.listing([language.a(item)])]
            phrases += [language.of_the(item)] if code == "fr" else []
            texts += [prefix + phrase for phrase in phrases for prefix in ("", " ")]
    return texts + [text[0].lower() + text[1:] for text in texts if text]
