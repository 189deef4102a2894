"""The vocabulary of the picture models: byte-level BPE in which every word the scenes use is one token.

Conversations are written as ChatML. Its role markers are single tokens, so that a turn costs six tokens beside its words.
"""

import json
import re

# As in the tokenizer file: a word with its space, one digit, a run of punctuation, or white space.
PATTERN = r" ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+"
CHUNKS = re.compile(r" ?[^\W\d_]+| ?\d| ?(?:[^\s\w]|_)+|\s+")

END, USER, ASSISTANT, SYSTEM = "<|im_end|>", "<|im_start|>user\n", "<|im_start|>assistant\n", "<|im_start|>system\n"

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ 'IMAGE' }}"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}{% endfor %}{% endif %}"
    "{{ '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def build(texts, image_token, size=1 << 16):
    """A `tokenizers.Tokenizer` for all that is said in `texts`; within `size` no word is split. The picture's token has the last id."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    words = sorted({chunk for text in texts for chunk in CHUNKS.findall(text)} | {" " + str(digit) for digit in range(10)})
    trainer = trainers.BpeTrainer(
        vocab_size=size, min_frequency=1, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False)
    tokenizer.train_from_iterator(words, trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in [END, USER, ASSISTANT, SYSTEM, "<|pad|>", image_token]])
    return tokenizer


def save(tokenizer, folder, image_token):
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": END, "pad_token": "<|pad|>", "image_token": image_token,
        "clean_up_tokenization_spaces": False, "model_max_length": 1024, "chat_template": CHAT_TEMPLATE.replace("IMAGE", image_token),
    }, indent=2), "utf-8")


class Encoder:
    """Ids of text a thousand times faster than the tokenizer itself: each word is looked up once and remembered."""

    def __init__(self, tokenizer, image_token):
        self.tokenizer, self.known = tokenizer, {}
        self.end, self.user, self.assistant, self.pad = (tokenizer.token_to_id(t) for t in (END, USER, ASSISTANT, "<|pad|>"))
        self.image = tokenizer.token_to_id(image_token)
        self.newline = tokenizer.encode("\n").ids

    def encode(self, text):
        ids = []
        for chunk in CHUNKS.findall(text):
            if chunk not in self.known:
                self.known[chunk] = self.tokenizer.encode(chunk).ids
            ids.extend(self.known[chunk])
        return ids

    def chat(self, turns, with_image=True, image_count=1):
        """(ids, is_answer) of a conversation; the picture stands before the first question."""
        ids, answer = [], []
        for index, turn in enumerate(turns):
            question = [self.user] + ([self.image] * image_count if with_image and index == 0 else []) + self.encode(turn.question)
            question += [self.end] + self.newline + [self.assistant]
            said = self.encode(turn.answer) + [self.end]
            ids += question + said + self.newline
            answer += [False] * len(question) + [True] * len(said) + [False] * len(self.newline)
        return ids, answer

    def prompt(self, turns, question, with_image=True, image_count=1):
        """Ids up to where the model answers `question`, after `turns`."""
        class Asked:
            pass
        asked = Asked()
        asked.question, asked.answer = question, ""
        ids, _ = self.chat([*turns, asked], with_image, image_count)
        return ids[:len(ids) - 1 - len(self.newline)]
