"""French-English sentence pairs of Tatoeba: cleaned, split so that no held-out sentence of either side is trained on, tokenised.

    python3 data.py --pairs fra-eng.zip --cache CACHE [--pieces 5000]
"""

import argparse
import json
import pathlib
import random
import unicodedata
import zipfile
import zlib

import numpy as np

HELD_OUT, VALIDATION = 2000, 500
LONGEST = 60  # tokens


def clean(text):
    text = unicodedata.normalize("NFC", text).replace("\u00a0", " ").replace("\u202f", " ").replace("’", "'")
    return " ".join(text.split())


def read(path):
    """[(English, French)] in the file's order, without doubles."""
    with zipfile.ZipFile(path) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".txt") and "about" not in name)
        lines = archive.read(name).decode("utf-8").splitlines()
    pairs = [tuple(clean(part) for part in line.split("\t")[:2]) for line in lines if "\t" in line]
    return list(dict.fromkeys(pair for pair in pairs if all(pair)))


def fold(text):
    """What counts as the same sentence: letters and digits alone."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.lower()) if c.isalnum())


def split(pairs):
    """(training, validation, test): pairs that share a side are kept together, so that no held-out side occurs in training.

    Groups are drawn in the order of a checksum, which does not depend on the file's order. Of each held-out group one pair is
    tested and the rest are dropped. Held-out pairs have at least three words on both sides."""
    parent = list(range(len(pairs)))

    def root(index):
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    seen = {}
    for index, pair in enumerate(pairs):
        for side, text in enumerate(pair):
            first = seen.setdefault((side, fold(text)), index)
            parent[root(index)] = root(first)
    groups = {}
    for index in range(len(pairs)):
        groups.setdefault(root(index), []).append(index)
    ordered = sorted(groups.values(), key=lambda group: zlib.crc32(pairs[group[0]][0].encode()))
    held_out, training = [], []
    for group in ordered:
        candidates = [pairs[i] for i in group if min(len(side.split()) for side in pairs[i]) >= 3]
        # A group of dozens (one English sentence, all its translations, and theirs) would take too much away.
        if len(held_out) < HELD_OUT + VALIDATION and candidates and len(group) <= 6:
            held_out.append(candidates[zlib.crc32(repr(group).encode()) % len(candidates)])
        else:
            training += [pairs[i] for i in group]
    random.Random(0).shuffle(held_out)
    return training, held_out[HELD_OUT:], held_out[:HELD_OUT]


def train_tokenizer(training, folder, pieces):
    """A SentencePiece unigram vocabulary of both languages, with T5's special tokens (pad 0, end 1, unknown 2)."""
    import sentencepiece
    text = folder / "sentences.txt"
    text.write_text("\n".join(dict.fromkeys(side for pair in training for side in pair)), "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spiece"), model_type="unigram", vocab_size=pieces, character_coverage=0.9999,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>",
        normalization_rule_name="nmt_nfkc", num_threads=1, minloglevel=2)
    text.unlink()
    # The trainer writes down where its files lay: nobody's business.
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString((folder / "spiece.model").read_bytes())
    proto.trainer_spec.ClearField("input")
    proto.trainer_spec.ClearField("model_prefix")
    (folder / "spiece.model").write_bytes(proto.SerializeToString())


def write_tokenizer_json(folder):
    """The same as spiece.model in the other format."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString((folder / "spiece.model").read_bytes())
    tokenizer = Tokenizer(models.Unigram([(piece.piece, piece.score) for piece in proto.pieces], 2, False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap),
                                                 normalizers.Strip(left=False, right=True), normalizers.Replace(" {2,}", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in ("<pad>", "</s>", "<unk>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>", "extra_ids": 0,
        "clean_up_tokenization_spaces": False, "model_max_length": 512}, indent=2), "utf-8")


def prepare(path, folder, pieces):
    import sentencepiece
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    training, validation, test = split(read(path))
    train_tokenizer(training, folder, pieces)
    write_tokenizer_json(folder)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "spiece.model"))
    arrays = {}
    for side, name in ((1, "french"), (0, "english")):
        ids = [ids + [1] for ids in processor.encode([pair[side] for pair in training])]
        arrays[name] = np.concatenate(ids).astype(np.uint16)
        arrays[name + "_lengths"] = np.array([len(i) for i in ids], np.uint16)
    np.savez_compressed(folder / "training.npz", **arrays)
    (folder / "held-out.json").write_text(json.dumps({"validation": validation, "test": test}, ensure_ascii=False), "utf-8")
    print(f"{len(training)} pairs to train on, {len(validation)} to watch, {len(test)} to test; "
          f"{arrays['french_lengths'].mean():.1f} and {arrays['english_lengths'].mean():.1f} tokens a sentence")


class Pairs:
    """The training pairs as batches of similar length."""

    def __init__(self, folder, tokens, seed):
        data = np.load(pathlib.Path(folder) / "training.npz")
        self.sides = []
        for name in ("french", "english"):
            lengths = data[name + "_lengths"].astype(int)
            self.sides.append((data[name], np.concatenate([[0], lengths.cumsum()]), lengths))
        self.tokens, self.random = tokens, np.random.default_rng(seed)
        usable = (self.sides[0][2] <= LONGEST) & (self.sides[1][2] <= LONGEST)
        self.usable = np.flatnonzero(usable)
        self.epochs = 0

    def _padded(self, side, indices):
        values, starts, lengths = self.sides[side]
        width = -(-int(lengths[indices].max()) // 4) * 4  # few different shapes
        result = np.zeros((len(indices), width), np.int64)
        for row, index in enumerate(indices):
            result[row, :lengths[index]] = values[starts[index]:starts[index + 1]]
        return result

    def __iter__(self):
        while True:
            order = self.random.permutation(self.usable)
            # Lengths with a little noise, so that batches differ from epoch to epoch.
            size = np.maximum(self.sides[0][2][order], self.sides[1][2][order]) + self.random.random(len(order)) * 1.5
            order = order[np.argsort(size, kind="stable")]
            longest = np.maximum(self.sides[0][2], self.sides[1][2])
            batches, first = [], 0
            while first < len(order):
                last = first + 1
                while last < len(order) and longest[order[last]] * (last + 1 - first) <= self.tokens:
                    last += 1
                batches.append(order[first:last])
                first = last
            for index in self.random.permutation(len(batches)):
                yield self._padded(0, batches[index]), self._padded(1, batches[index])
            self.epochs += 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--pieces", type=int, default=5000)
    arguments = parser.parse_args()
    prepare(arguments.pairs, arguments.cache, arguments.pieces)
