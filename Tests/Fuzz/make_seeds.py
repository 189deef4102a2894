#!/usr/bin/env python3
"""Writes the seeds of the fuzzer, Tests/Fuzz/Seeds/PARSER/NAME. Needs Pillow and libsndfile.

A seed is the smallest file that leads through most of a parser. Seeds named `regression-…` are inputs that went wrong
once; they are not written here.
"""
import ctypes
import io
import json
import math
import os
import pickletools
import sqlite3
import struct
import sys
import tempfile
import zipfile
from base64 import b64encode

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))


def seed(parser, name, content):
    folder = os.path.join(HERE, "Seeds", parser)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


# Weights


def safetensors(header, data):
    text = compact(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def gguf_text(text):
    return struct.pack("<Q", len(text.encode())) + text.encode()


def gguf_value(value):
    """The type number and the bytes of a value."""
    if isinstance(value, bool):
        return 7, bytes([value])
    if isinstance(value, int):
        return 4, struct.pack("<I", value)
    if isinstance(value, float):
        return 6, struct.pack("<f", value)
    if isinstance(value, str):
        return 8, gguf_text(value)
    parts = [gguf_value(element) for element in value]
    return 9, struct.pack("<IQ", parts[0][0], len(parts)) + b"".join(part for _, part in parts)


def gguf(pairs, tensors, data):
    file = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs))
    for key, value in pairs:
        kind, content = gguf_value(value)
        file += gguf_text(key) + struct.pack("<I", kind) + content
    for name, shape, kind, offset in tensors:
        file += gguf_text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        file += struct.pack("<IQ", kind, offset)
    return file + b"\0" * (-len(file) % 32) + data


def weights():
    tensor = lambda kind, shape, start, end: {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    header = {
        "__metadata__": {"format": "pt"}, "a.weight": tensor("F32", [2, 3], 0, 24), "b": tensor("I64", [2], 24, 40),
        "c": tensor("F16", [], 40, 42), "d": tensor("BF16", [0, 4], 42, 42), "e": tensor("F8_E4M3", [2], 42, 44),
        "f": tensor("F64", [1], 44, 52), "g": tensor("BOOL", [2], 52, 54),
    }
    seed("safetensors", "kinds", safetensors(header, bytes(range(54))))
    seed("safetensors", "empty", safetensors({}, b""))
    seed("safetensors", "null-metadata", safetensors({"__metadata__": None, "a": tensor("U8", [1], 0, 1)}, b"x"))
    seed("safetensors-index", "one", compact({"metadata": {"total_size": 4}, "weight_map": {"a": "m.safetensors"}}))

    vocabulary = [
        ("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", "llama-bpe"),
        ("tokenizer.ggml.tokens", ["<s>", "h", "i", "hi", "Ġ"]), ("tokenizer.ggml.token_type", [3, 1, 1, 1, 1]),
        ("tokenizer.ggml.merges", ["h i"]), ("tokenizer.ggml.bos_token_id", 0), ("tokenizer.ggml.add_bos_token", True),
    ]
    pairs = [
        ("general.architecture", "llama"), ("general.alignment", 32), ("llama.rope.freq_base", 10000.0),
        ("nested", [[1, 2], [3]]), ("flags", [True, False]), ("numbers", [1.5, -2.0]),
    ]
    block = struct.pack("<e", 1) + bytes(range(32))
    seed("gguf", "vocabulary", gguf(
        pairs + vocabulary, [("token_embd.weight", [2, 3], 0, 0), ("q8", [32, 1], 8, 32)],
        struct.pack("<6f", *range(6)) + b"\0" * 8 + block + b"\0" * 30))
    # One tensor of each format of ggml that has 256 values a block at most 292 bytes long.
    kinds = [1, 2, 3, 6, 7, 10, 11, 12, 13, 14, 30]
    seed("gguf", "formats", gguf(
        [("general.architecture", "x")], [(f"t{kind}", [256], kind, 1024 * n) for n, kind in enumerate(kinds)],
        bytes((37 * n) % 251 for n in range(1024 * len(kinds)))))

    def name(text):
        return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"

    def variable(text, shape, kind, content):
        return name(text) + bytes([len(shape)]) + struct.pack(f"<{len(shape)}I", *shape) + bytes([kind]) + struct.pack(
            "<I", len(content)) + content

    variables = [
        variable("num_heads", [], 2, b"\x08\0"), variable("weight", [2, 1], 4, b"\0\x3c\0\xc0"),
        variable("bias", [1], 0, b"\0\0\x80\x3f"), variable("int8", [2, 2], 1, b"\1\2\3\4"),
    ]
    seed("ctranslate2", "small", struct.pack("<I", 6) + name("WhisperSpec") + struct.pack("<II", 3, len(variables))
         + b"".join(variables) + struct.pack("<I", 2) + name("tied") + name("again") + name("again") + name("weight"))

    sizes = [3, 2, 4, 2, 1, 2, 4, 2, 1, 1, 0]
    ggml = b"lmgg" + struct.pack("<13i", *sizes, 1, 201) + struct.pack("<201f", *range(201)) + struct.pack("<i", 3)
    for token in [b"a", b"", b"\xff\xfe"]:
        ggml += struct.pack("<i", len(token)) + token
    for number in range(50):
        label = f"t{number}".encode()
        ggml += struct.pack("<5i", 2, len(label), 0, 2, 1) + label + bytes(8)
    seed("ggml", "small", ggml)


# Pickles of torch.save, written opcode by opcode, so that torch is not needed.


def torch_files():
    text = lambda value: b"X" + struct.pack("<I", len(value)) + value.encode()
    number = lambda value: b"K" + bytes([value])
    name = lambda module, member: f"c{module}\n{member}\n".encode()
    sequence = lambda *items: b"(" + b"".join(items) + b"t"
    ordered = name("collections", "OrderedDict") + b")R"
    whole = lambda value: b"\x80\2" + value + b"."

    def tensor(view):
        storage = sequence(text("storage"), name("torch", "FloatStorage"), text("0"), text("cpu"), number(6), *view)
        return name("torch._utils", "_rebuild_tensor_v2") + sequence(
            storage + b"Q", number(0), sequence(number(2), number(3)), sequence(number(3), number(1)), b"\x89",
            ordered) + b"R"

    def state(view):
        parameter = name("torch._utils", "_rebuild_parameter") + sequence(tensor(view), b"\x88", ordered) + b"R"
        return ordered + b"(" + text("w") + tensor(view) + text("p") + parameter + b"u" + b"}(" + text(
            "_metadata") + b"}ub"

    nested = b"}(" + text("epoch") + number(3) + text("state_dict") + state([]) + b"u"
    values = struct.pack("<6f", *range(6))
    for label, value in [("state", state([])), ("nested", nested)]:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for member, content in [("m/data.pkl", whole(value)), ("m/byteorder", b"little"), ("m/data/0", values)]:
                archive.writestr(zipfile.ZipInfo(member), content)
        seed("pickle", label, file.getvalue())
    pickletools.dis(whole(state([])), io.StringIO())
    magic = b"\x8a\x0a" + bytes.fromhex("6cfc9c46f9206aa85019")
    legacy = whole(magic) + whole(b"M" + struct.pack("<H", 1001)) + whole(b"}(" + text("little_endian") + b"\x88u")
    legacy += whole(state([b"N"])) + whole(b"](" + text("0") + b"e") + struct.pack("<q", 6) + values
    seed("pickle-legacy", "state", legacy)


# Texts


def texts():
    seed("json", "kinds", '{"a":1,"b":-0.5e-3,"c":"\\u00e9\\ud83d\\ude00\\n","d":[null,true,false,[[1,2],[3]]],"e":{"f":{}},'
         '"n":NaN,"i":-Infinity,"big":9223372036854775808}')
    seed("json", "nested", "[" * 40 + "]" * 40)

    def tokenizer(model, **parts):
        return compact({"version": "1.0", "added_tokens": [
            {"id": 0, "content": "<s>", "special": True, "lstrip": True, "rstrip": False, "normalized": False,
             "single_word": False},
            {"id": 1, "content": "WORLD", "special": False, "lstrip": False, "rstrip": True, "normalized": True,
             "single_word": True}], **parts, "model": model})

    split = {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"},
             "behavior": "Isolated", "invert": False}
    pieces = ["<s>", "x", "<unk>", "H", "e", "l", "o", "Ġ", "He", "ll", "Hell", "Hello", "ĠW", "a", "aa"]
    merges = ["H e", "l l", "He ll", "Hell o", "a a"]
    seed("tokenizer", "byte-level", tokenizer(
        {"type": "BPE", "vocab": {piece: n for n, piece in enumerate(pieces)}, "merges": merges, "ignore_merges": True},
        normalizer={"type": "NFC"}, pre_tokenizer={"type": "Sequence", "pretokenizers": [
            split, {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]},
        post_processor={"type": "TemplateProcessing",
                        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                        "pair": [], "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
        decoder={"type": "ByteLevel"}))
    bytes_ = [f"<0x{n:02X}>" for n in range(0, 256, 16)]
    seed("tokenizer", "byte-fallback", tokenizer(
        {"type": "BPE", "vocab": {p: n for n, p in enumerate(["<s>", "</s>", "<unk>", "▁", "▁H", "H", "el", "l", "o"] + bytes_)},
         "merges": [["▁", "H"]], "unk_token": "<unk>", "byte_fallback": True, "fuse_unk": True},
        normalizer={"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        decoder={"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}))
    seed("tokenizer", "unigram", tokenizer(
        {"type": "Unigram", "unk_id": 2, "vocab": [["<s>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁", -2.0], ["▁Hello", -3.5],
                                                    ["l", -4.0], ["o", -4.25], ["aa", -1.0]], "byte_fallback": False},
        normalizer={"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}, {"type": "StripAccents"},
                                                        {"type": "Strip", "strip_left": True, "strip_right": True}]},
        pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        decoder={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}))
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "hello", ",", "world", "##a", "a", "n", "##e"]
    seed("tokenizer", "wordpiece", tokenizer(
        {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
         "vocab": {word: n for n, word in enumerate(words)}},
        normalizer={"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None,
                    "lowercase": True},
        pre_tokenizer={"type": "BertPreTokenizer"},
        post_processor={"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        decoder={"type": "WordPiece", "prefix": "##", "cleanup": True}))
    seed("wordpiece", "small", "\n".join(words) + "\n")
    seed("bpe", "small", compact({piece: n for n, piece in enumerate(pieces + ["<|endoftext|>"])}) + "\n\n#version: 0.2\n"
         + "\n".join(merges) + "\n")
    tokens = [bytes([n]) for n in range(256)] + [b"He", b"ll", b"Hell", b"aa"]
    seed("tiktoken", "bytes", b"".join(b64encode(token) + b" %d\n" % n for n, token in enumerate(tokens)))

    def field(number, content):
        if isinstance(content, bytes):
            return bytes([number << 3 | 2, len(content)]) + content
        if isinstance(content, float):
            return bytes([number << 3 | 5]) + struct.pack("<f", content)
        head = bytes([number << 3]) if number < 16 else bytes([(number << 3 & 127) | 128, number >> 4])
        return head + bytes([content])

    def sentencepiece(kind, listed, normalizer=b""):
        model = b"".join(
            field(1, field(1, piece.encode()) + field(2, score) + field(3, type_)) for piece, score, type_ in listed)
        return model + field(2, field(3, kind) + field(35, 1) + field(41, 1) + field(42, 2)) + field(3, normalizer)

    listed = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), ("▁", -2.0, 1), ("▁He", -3.0, 1), ("l", -4.0, 1),
              ("lo", -5.0, 1), ("a", -6.0, 1), ("aa", -1.5, 1), ("WORLD", 0.0, 4)] + [(b, 0.0, 6) for b in bytes_]
    # A character map: the size of a trie, the trie, the replacements.
    trie = struct.pack("<I", 16) + struct.pack("<4I", 0x400, 0, 0, 0) + b"a\0"
    seed("sentencepiece", "unigram", sentencepiece(1, listed, field(3, 1) + field(4, 1) + field(5, 1)))
    seed("sentencepiece", "bpe", sentencepiece(2, listed, field(3, 0) + field(4, 0)))
    seed("sentencepiece", "map", sentencepiece(1, listed[:6], field(2, trie)))

    for number, (pattern, text) in enumerate([
        ("'s|'t|'re| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+", "it's 123  naïve\n x"),
        ("(?i:'[sdmt]|'ll)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}|\\s*[\\r\\n]+", "DON'T 12345\r\n"),
        ("(?<=a)b*?c{2,4}+|^[a-z&&[^x]]$|\\bword\\B", "abccc word"),
        ("(a|aa)+$|(?>x*)y|[\\w\\d\\x{1F600}-\\x{1F64F}]", "aaaaaaaaaaaaaaaa\nxxxy"),
        ("(?<!\\p{Lu}\\p{Ll})(?=\\S)(?:.|\\n){0,3}", "Ab\n\nCd"),
    ]):
        seed("regex", f"{number}", pattern + "\n" + text)

    seed("template", "chatml", "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + "
         "'<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
    seed("template", "statements", "{%- macro f(a, b=2) -%}{{ a ~ b }}{% endmacro %}{% set ns = namespace(x=0) %}{% for i in l | "
         "sort if i > 1 %}{% set ns.x = ns.x + i %}{{ loop.index }}{{ f(i) }}{% else %}none{% endfor %}{% raw %}{{{% endraw %}"
         "{{ d | tojson(indent=2) }}{{ s.strip().split(' ')[0][::-1] | upper }}{{ '%.1f' % n }}{{ d.items() | list }}"
         "{% if tools is defined and tools is not none %}x{% elif n in [7] %}{{ strftime_now('%d %b %Y') }}{% endif %}")
    seed("template", "filters", "{{ l | map('string') | join(',') }}{{ messages | selectattr('role', 'equalto', 'user') | list | "
         "length }}{{ s | replace('l', 'L') | trim | title | indent(2) }}{{ l | first }}{{ n | round(1) "
         "}}{{ {'a': [1, (2, 3)]}['a'][1] }}{{ raise_exception('no') if n < 0 else 'é'.encode }}")
    with open(os.path.join(HERE, "..", "ChatTemplatesTests", "Cases", "constructs.json")) as file:
        cases = [case["template"] for case in json.load(file)["cases"] if isinstance(case["expected"], str)
                 and "rich" not in case["template"]]
    for number in range(0, len(cases), 24):
        seed("template", f"constructs-{number:03}", "\n".join(cases[number:number + 24]))


# Pictures and sound


def picture(mode, size=(9, 7)):
    image = Image.new("RGBA", size)
    image.putdata([((31 * n) % 256, (57 * n) % 256, (83 * n) % 256, 255 - (11 * n) % 256) for n in range(size[0] * size[1])])
    return image.convert(mode)


def saved(image, format_, **options):
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def pictures():
    exif = Image.Exif()
    exif[0x0112] = 6
    for mode in ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"]:
        image = Image.new("I;16", (5, 4), 40000) if mode == "I;16" else picture(mode)
        seed("png", mode.replace(";", ""), saved(image, "PNG"))
    seed("png", "transparent", saved(picture("P"), "PNG", transparency=3, exif=exif))
    seed("jpeg", "baseline", saved(picture("RGB"), "JPEG", quality=50, exif=exif))
    seed("jpeg", "progressive", saved(picture("RGB", (20, 17)), "JPEG", progressive=True, subsampling=0,
                                      xmp=b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="8"/></x:xmpmeta>'))
    seed("jpeg", "gray", saved(picture("L"), "JPEG"))
    seed("jpeg", "cmyk", saved(picture("CMYK"), "JPEG"))
    seed("webp", "lossy", saved(picture("RGB"), "WEBP", quality=20, exif=exif))
    seed("webp", "lossless", saved(picture("RGBA"), "WEBP", lossless=True))
    seed("webp", "animated", saved(picture("RGB"), "WEBP", save_all=True, append_images=[picture("L").convert("RGB")]))
    for name, settings in {
        "clip": {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 24}, "crop_size": {"height": 16, "width": 16},
                 "do_center_crop": True},
        "vit": {"image_processor_type": "ViTImageProcessor", "size": {"height": 16, "width": 16}, "resample": 2},
        "blip": {"image_processor_type": "BlipImageProcessor", "size": {"height": 16, "width": 16}},
        "mllama": {"image_processor_type": "MllamaImageProcessor", "size": {"height": 16, "width": 16}, "max_image_tiles": 4,
                   "do_pad": True},
        "idefics3": {"image_processor_type": "Idefics3ImageProcessor", "size": {"longest_edge": 64},
                     "max_image_size": {"longest_edge": 16}, "do_image_splitting": True, "do_pad": True},
        "donut": {"image_processor_type": "DonutImageProcessor", "size": {"height": 32, "width": 24}, "do_thumbnail": True,
                  "do_align_long_axis": False, "do_pad": True},
        "nougat": {"image_processor_type": "NougatImageProcessor", "size": {"height": 32, "width": 24}, "do_crop_margin": True,
                   "do_thumbnail": True, "do_pad": True},
    }.items():
        seed("image-processor", name, compact({
            "do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
            "image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.25, 0.125], **settings}))


class SoundInfo(ctypes.Structure):
    _fields_ = [("frames", ctypes.c_int64), ("rate", ctypes.c_int), ("channels", ctypes.c_int), ("format", ctypes.c_int),
                ("sections", ctypes.c_int), ("seekable", ctypes.c_int)]


def sounds():
    library = ctypes.CDLL("libsndfile.so.1")
    library.sf_open.restype = ctypes.c_void_p
    library.sf_open.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p]
    library.sf_writef_float.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    library.sf_close.argtypes = [ctypes.c_void_p]
    kinds = {
        "wave": {"pcm16": (0x010002, 1), "float": (0x010006, 2), "ulaw": (0x010010, 1), "adpcm": (0x010012, 1), "extensible": (0x130003, 2)},
        "ogg": {"vorbis": (0x200060, 1), "opus": (0x200064, 1)},
        "audio": {"flac": (0x170002, 1), "flac24": (0x170003, 2), "mp3": (0x230082, 1), "au": (0x030002, 1), "aiff": (0x020003, 1),
                  "w64": (0x0B0002, 1), "caf": (0x180002, 1), "rf64": (0x220002, 1)},
    }
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sound").encode()
        for parser, files in kinds.items():
            for name, (format_, channels) in files.items():
                rate = 16000
                info = SoundInfo(0, rate, channels, format_, 0, 0)
                handle = library.sf_open(path, 0x20, ctypes.byref(info))
                if not handle:
                    sys.exit(f"libsndfile cannot write {name}")
                frames = 400
                samples = (ctypes.c_float * (frames * channels))(*[0.5 * math.sin(n * 0.3) for n in range(frames * channels)])
                library.sf_writef_float(handle, samples, frames)
                library.sf_close(handle)
                with open(path, "rb") as file:
                    seed(parser, name, file.read())


# Answers of servers and files of other programs


def configurations():
    for name in ["llama-3.2-1b", "t5-small", "whisper-tiny", "llava-1.5-7b", "florence-2-base", "moonshine-tiny", "bart-base",
                 "gemma-3-1b", "trocr-base"]:
        with open(os.path.join(HERE, "..", "..", "assets", "configs", name, "config.json")) as file:
            seed("configuration", name, compact(json.load(file)))


def answers():
    digest = "ab" * 32
    files = [{"rfilename": "config.json", "size": 12, "blobId": "cd" * 20},
             {"rfilename": "model.safetensors", "size": 99, "lfs": {"sha256": digest, "size": 99, "pointerSize": 1}}]
    seed("hub", "safetensors", compact({"id": "a/b", "sha": "0123abc", "siblings": files}))
    seed("hub", "gguf", compact({"sha": "main", "siblings": files[:1] + [
        {"rfilename": f"m-{kind}.gguf", "lfs": {"sha256": digest, "size": size}}
        for kind, size in [("Q4_K_M", 10), ("Q8_0", 20), ("F16-00001-of-00002", 30), ("F16-00002-of-00002", 30)]]
        + [{"rfilename": "mmproj-m-F16.gguf", "lfs": {"sha256": digest, "size": 5}}]}))
    seed("package-index", "json", compact({"meta": {"api-version": "1.0"}, "name": "m", "files": [
        {"filename": "m-1.0-py3-none-any.whl", "url": "../m-1.0-py3-none-any.whl", "hashes": {"sha256": digest}}]}))
    seed("package-index", "html", f'<!DOCTYPE html><a href="../m-1.0-py3-none-any.whl#sha256={digest}">m-1.0.whl</a>'
         "<A data-x='1' HREF='https://example.org/m%20n.whl'>n</A>")
    seed("pip", "sections", "[global]\nindex-url = https://name:password@example.org/simple/\n[download]\nextra_index_url:\n  "
         "http://example.org/a\n  http://example.org/b\n# comment\n")
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:" + digest, "size": 9}
    seed("ollama", "layers", compact({"schemaVersion": 2, "config": {}, "layers": [
        layer, {**layer, "mediaType": "application/vnd.ollama.image.projector"}]}))
    seed("manifest", "files", compact({"name": "a/b", "source": "hub", "entries": [
        {"name": "model.safetensors", "byteCount": 9, "algorithm": "sha256", "digest": digest}]}))
    for name, method in [("stored", zipfile.ZIP_STORED), ("deflated", zipfile.ZIP_DEFLATED)]:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            for member in ["m/a.txt", "m/data/b.bin", "m-1.0.dist-info/RECORD"]:
                archive.writestr(zipfile.ZipInfo(member), b"content " * 20, method)
        seed("wheel", name, file.getvalue())


# Files of the program itself


def sessions():
    attention = {"kind": "cross", "layer": 0, "heads": 1, "queries": 1, "keys": 2, "values": "ADgAOA=="}
    token = {"index": 0, "window": 0, "id": 1, "text": "a", "piece": "a", "isSpecial": False, "logProbability": -0.5,
             "alternatives": [{"id": 2, "piece": "b", "logProbability": -1}], "attention": [attention]}
    key = lambda code, modifiers: {"input": {"_0": {"key": {"_0": {"code": code, "modifiers": modifiers}}}}}
    answer = lambda event: {"answer": {"_0": 1, "time": 0.5, "_1": event}}
    events = [
        {"models": {"_0": [{"name": "m", "description": "d", "installed": True, "bytes": 9}]}}, {"device": {"_0": "llvmpipe"}},
        {"input": {"_0": {"paste": {"_0": "Hi"}}}}, {"input": {"_0": {"mouse": {"_0": "press", "x": 3, "y": 4}}}},
        {"attach": {"_0": "x.wav"}}, {"loaded": {"_0": "m", "_1": {"done": {}}}}, key("enter", 0), key("'é", 4), key("F2", 1),
        answer({"encoded": {"seconds": 1}}), answer({"token": {"_0": token}}),
        {"answered": {"_0": 1, "_1": {"failed": {"_0": "why"}}}}, {"waveformLoaded": {"_0": "x", "_1": {"seconds": 1, "levels": [0.5]}}},
        {"memory": {"_0": {"byPurpose": {"kv.self": 5}, "accounted": 5, "heapSize": 6, "tokensLeft": 7}}},
    ]
    seed("session", "version2", compact({"kind": "fovea-session", "version": 2, "fovea": "1"}) + "\n"
         + "".join(compact({"at": n / 10, "event": event}) + "\n" for n, event in enumerate(events)))
    # Of each recorded session, the shortest line of each kind.
    for name in ["chat", "picture", "playground", "translation"]:
        with open(os.path.join(HERE, "..", "..", "assets", "screenshot", name + ".session")) as file:
            lines = file.read().splitlines()
        shortest = {}
        for number, line in enumerate(lines[1:]):
            ((kind, values),) = json.loads(line)["event"].items()
            kind += next(iter(values.get("_2", {})), "")
            if len(line) < len(shortest.get(kind, (0, line + " "))[1]):
                shortest[kind] = (number, line)
        chosen = [line for _, line in sorted(shortest.values()) if len(line) < 3000]
        seed("session", "version1-" + name, "\n".join(lines[:1] + chosen) + "\n")


def conversations():
    row = lambda kind, *values: compact([kind, *values])
    seed("conversation-rows", "kinds", "\n".join([
        row("conversation", 1, "2026-01-01 00:00:00.000", "Title"), row("conversation", 2, 0.5, 7),
        row("message", 1, 0, "you", "Hello", None, '["a.png"]', "2026-01-01 00:00:00.000", "finished"),
        row("message", 1, "x", 3, [0, 255], "a.wav", "{", 1e300, "streaming"),
    ]))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file.sqlite")
        database = sqlite3.connect(path)
        database.executescript("""
            PRAGMA page_size = 512;
            CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
            INSERT INTO grdb_migrations VALUES ('conversations and messages'), ('pictures of messages');
            CREATE TABLE conversation (id INTEGER PRIMARY KEY AUTOINCREMENT, started DATETIME NOT NULL, title TEXT NOT NULL);
            CREATE TABLE message (conversation INTEGER NOT NULL REFERENCES conversation(id) ON DELETE CASCADE, position INTEGER
                NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, audioPath TEXT, date DATETIME NOT NULL, progress TEXT NOT
                NULL, pictures TEXT, PRIMARY KEY (conversation, position));
            INSERT INTO conversation VALUES (1, '2026-01-01 00:00:00.000', 'Title');
            INSERT INTO message VALUES (1, 0, 'you', 'Hello', NULL, '2026-01-01 00:00:00.000', 'finished', NULL);
        """)
        database.close()
        with open(path, "rb") as file:
            seed("conversation-file", "small", file.read())


if __name__ == "__main__":
    for parser in os.listdir(os.path.join(HERE, "Seeds")) if os.path.isdir(os.path.join(HERE, "Seeds")) else []:
        folder = os.path.join(HERE, "Seeds", parser)
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if not name.startswith("regression-"):
                os.remove(os.path.join(folder, name))
    for make in [weights, torch_files, texts, pictures, sounds, configurations, answers, sessions, conversations]:
        make()
