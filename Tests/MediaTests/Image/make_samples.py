#!/usr/bin/env python3
"""Writes Samples.swift: small picture files with the pixels Pillow reads from them, and checksums of what Pillow's resize
and transformers' processors make of noise.

    pip install pillow numpy transformers && python make_samples.py > Samples.swift

Made with pillow 13.0.0 and transformers 5.23.0. Nothing is downloaded.
"""
import base64
import io
import json
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps


def noise(width, height, seed=1):
    """The same bytes as `noise` in the tests."""
    state, out = seed, bytearray()
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        out.append(state >> 24)
    return Image.frombytes("RGB", (width, height), bytes(out))


def checksum(data):
    """FNV-1a, 64 bits."""
    h = 0xCBF29CE484222325
    for b in data:
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return h


def scene(width, height):
    y, x = np.mgrid[0:height, 0:width]
    r, g = 255 * x // max(width - 1, 1), 255 * y // max(height - 1, 1)
    b = np.where((x // 3 + y // 2) % 2 == 0, 30, 220)
    return Image.fromarray(np.stack([r, g, b], -1).astype(np.uint8))


# PNGs that Pillow cannot write


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(samples, depth, color, interlaced=False, extra=b""):
    """samples: [height, width, channels] of integers below 2**depth."""
    height, width, _ = samples.shape

    def rows(part):
        out = b""
        for row in part:
            bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
            bits += "0" * (-len(bits) % 8)
            out += b"\0" + bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        return out

    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in passes]
        data = b"".join(rows(p) for p in parts if p.size)
    else:
        data = rows(samples)
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b""))


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def long_orientation(value):
    """An EXIF block whose orientation is a LONG."""
    return b"Exif\0\0" + b"MM\0*" + struct.pack(">IHHHIII", 8, 1, 0x0112, 4, 1, value, 0)


def xmp(value, form):
    return ('<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            + form.format(value) + "</rdf:RDF></x:xmpmeta>").encode()


ATTRIBUTE = '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="{}"/>'
ELEMENT = ('<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"><tiff:Orientation>{}</tiff:Orientation>'
           "</rdf:Description>")


def text_chunk(kind, keyword, text):
    head = keyword.encode() + b"\0"
    if kind == b"tEXt":
        return chunk(kind, head + text)
    if kind == b"zTXt":
        return chunk(kind, head + b"\0" + zlib.compress(text))
    if kind == b"iTXt compressed":
        return chunk(b"iTXt", head + b"\1\0" + b"en\0\0" + zlib.compress(text))
    return chunk(kind, head + b"\0\0" + b"en\0\0" + text)


def raw_profile(value):
    block = long_orientation(value)
    return ("\nexif\n%8d\n" % len(block) + block.hex() + "\n").encode()


def files():
    small, odd = scene(11, 7), scene(33, 17)
    rng = np.random.default_rng(3)
    alpha = Image.fromarray(rng.integers(0, 256, (7, 11), dtype=np.uint8))
    rgba = small.copy()
    rgba.putalpha(alpha)
    yield "jpeg 4:4:4", saved(odd, "JPEG", quality=90, subsampling=0)
    yield "jpeg 4:2:2", saved(odd, "JPEG", quality=80, subsampling=1)
    yield "jpeg 4:2:0", saved(odd, "JPEG", quality=75, subsampling=2)
    yield "jpeg progressive", saved(odd, "JPEG", quality=85, progressive=True)
    yield "jpeg grey", saved(odd.convert("L"), "JPEG")
    yield "jpeg cmyk", saved(odd.convert("CMYK"), "JPEG", quality=90)
    for value in range(1, 9):
        yield f"jpeg orientation {value}", saved(small, "JPEG", quality=95, subsampling=0, exif=orientation(value))
    yield "png rgb", saved(small, "PNG")
    yield "png rgba", saved(rgba, "PNG")
    yield "png grey", saved(small.convert("L"), "PNG")
    yield "png grey alpha", saved(rgba.convert("LA"), "PNG")
    yield "png 1 bit", saved(small.convert("1"), "PNG")
    yield "png palette", saved(small.quantize(40), "PNG")
    yield "png palette 4 bits", saved(small.quantize(12), "PNG", bits=4)
    yield "png palette transparency", saved(small.quantize(40), "PNG", transparency=bytes(range(0, 240, 6)))
    yield "png rgb transparency", saved(small, "PNG", transparency=(0, 0, 30))
    yield "png orientation 6", saved(small, "PNG", exif=orientation(6))
    yield "png rgb 16 bits", png(rng.integers(0, 65536, (7, 11, 3)), 16, 2)
    yield "png rgba 16 bits", png(rng.integers(0, 65536, (7, 11, 4)), 16, 6)
    yield "png grey 16 bits", png(rng.integers(0, 65536, (7, 11, 1)), 16, 0)
    yield "png grey alpha 16 bits", png(rng.integers(0, 65536, (7, 11, 2)), 16, 4)
    yield "png grey 2 bits", png(rng.integers(0, 4, (7, 11, 1)), 2, 0)
    yield "png grey 4 bits", png(rng.integers(0, 16, (7, 11, 1)), 4, 0)
    yield "png interlaced", png(np.array(small).astype(int), 8, 2, interlaced=True)
    yield "png interlaced 1 bit", png(rng.integers(0, 2, (17, 33, 1)), 1, 0, interlaced=True)
    yield "png gamma is not applied", png(np.array(small).astype(int), 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "webp lossy", saved(odd, "WEBP", quality=80)
    yield "webp lossless", saved(small, "WEBP", lossless=True)
    yield "webp alpha", saved(rgba, "WEBP", lossless=True, exact=True)
    yield "webp lossy alpha", saved(rgba, "WEBP", quality=80)
    yield "webp orientation 8", saved(small, "WEBP", lossless=True, exif=orientation(8))
    pixels = np.array(small).astype(int)
    yield "jpeg orientation 6 long", saved(small, "JPEG", quality=95, subsampling=0, exif=long_orientation(6))
    yield "jpeg orientation 6 xmp attribute", saved(small, "JPEG", quality=95, subsampling=0, xmp=xmp(6, ATTRIBUTE))
    yield "jpeg orientation 5 xmp element", saved(small, "JPEG", quality=95, subsampling=0, xmp=xmp(5, ELEMENT))
    yield "jpeg orientation 3 exif before xmp", saved(
        small, "JPEG", quality=95, subsampling=0, exif=orientation(3), xmp=xmp(6, ATTRIBUTE))
    yield "png orientation 8 xmp", png(
        pixels, 8, 2, extra=text_chunk(b"iTXt", "XML:com.adobe.xmp", xmp(8, ATTRIBUTE)))
    yield "png orientation 2 xmp compressed", png(
        pixels, 8, 2, extra=text_chunk(b"iTXt compressed", "XML:com.adobe.xmp", xmp(2, ELEMENT)))
    yield "png orientation 6 raw profile", png(
        pixels, 8, 2, extra=text_chunk(b"zTXt", "Raw profile type exif", raw_profile(6)))
    yield "png orientation 7 raw profile text", png(
        pixels, 8, 2, extra=text_chunk(b"tEXt", "Raw profile type exif", raw_profile(7)))
    yield "webp orientation 7 xmp", saved(small, "WEBP", lossless=True, xmp=xmp(7, ELEMENT))
    yield "png palette transparent color", saved(small.quantize(12), "PNG", transparency=3)
    yield "png grey transparency", saved(small.convert("L"), "PNG", transparency=76)
    # Grey of fewer than 8 bits is left out: Pillow compares its transparent value with scaled pixels.
    yield "webp animation", saved(small, "WEBP", lossless=True, save_all=True, append_images=[small.rotate(180)], duration=100)


def reference(name, data):
    image = Image.open(io.BytesIO(data))
    image = ImageOps.exif_transpose(image)
    if name == "png grey 16 bits":  # Pillow would clip at 255
        return Image.fromarray((np.array(image) >> 8).astype(np.uint8)).convert("RGB")
    rgba = image.convert("RGBA")  # as convert_to_rgb of transformers
    return Image.alpha_composite(Image.new("RGBA", rgba.size, (255, 255, 255)), rgba).convert("RGB")


RESIZES = [(7, 5), (1, 1), (64, 48), (97, 3), (31, 200), (61, 44), (61, 10), (20, 44), (336, 336)]


def processors():
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    from transformers.models.deit.image_processing_pil_deit import DeiTImageProcessorPil
    from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
    from transformers.models.mllama.image_processing_pil_mllama import MllamaImageProcessorPil
    from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    square = lambda n: {"height": n, "width": n}
    sizes = [(61, 44), (44, 61), (50, 50), (200, 9), (9, 200), (23, 20), (130, 128), (300, 40), (1, 1), (113, 111)]
    for kind, name, config in [
        (CLIPImageProcessorPil, "CLIPImageProcessor", {"size": {"shortest_edge": 37}, "crop_size": square(37)}),
        (CLIPImageProcessorPil, "CLIPImageProcessorFast", {"size": {"shortest_edge": 30}, "crop_size": {"height": 41, "width": 20}}),
        (CLIPImageProcessorPil, "CLIPFeatureExtractor", {"size": 24, "crop_size": 20}),
        (CLIPImageProcessorPil, "CLIPImageProcessor", {"do_resize": False, "crop_size": square(48)}),
        (ViTImageProcessorPil, "ViTFeatureExtractor", {"size": 32}),
        (ViTImageProcessorPil, "ViTImageProcessor", {"size": {"height": 20, "width": 33}, "resample": 3, "do_normalize": False}),
        (DeiTImageProcessorPil, "DeiTImageProcessor", {"size": square(40), "crop_size": square(32)}),
        (BlipImageProcessorPil, "BlipImageProcessor", {"size": square(32)}),
        (MllamaImageProcessorPil, "MllamaImageProcessor", {"size": square(32), "max_image_tiles": 4}),
        (MllamaImageProcessorPil, "MllamaImageProcessor", {"size": square(20), "max_image_tiles": 7, "resample": 3}),
        (SmolVLMImageProcessorPil, "SmolVLMImageProcessor", {"size": {"longest_edge": 60}, "max_image_size": {"longest_edge": 20}}),
        (SmolVLMImageProcessorPil, "SmolVLMImageProcessor",
         {"size": {"longest_edge": 60}, "max_image_size": {"longest_edge": 20}, "do_image_splitting": False}),
        (Idefics3ImageProcessorPil, "Idefics3ImageProcessor", {"size": {"longest_edge": 32}, "max_image_size": {"longest_edge": 32}}),
        (Idefics3ImageProcessorPil, "Idefics3ImageProcessor", {"size": {"longest_edge": 50}, "max_image_size": {"longest_edge": 24}}),
    ]:
        processor = kind(**config)
        for width, height in sizes:
            image = noise(width, height)
            more = {"return_row_col_info": True} if "longest_edge" in str(config) else {}
            raw = processor(image, do_rescale=False, do_normalize=False, return_tensors="np", **more)
            values = processor(image, return_tensors="np", **more)
            levels = np.asarray(raw["pixel_values"]).astype(np.uint8)
            grid = [int(np.asarray(raw[k]).reshape(-1)[0]) for k in ("rows", "cols") if k in raw]
            if "aspect_ratio_ids" in raw:
                grid = [int(raw["aspect_ratio_ids"].reshape(-1)[0]), int(raw["aspect_ratio_mask"].sum())]
            pixels = np.ascontiguousarray(np.asarray(values["pixel_values"]), dtype=np.float32)
            yield (json.dumps({"image_processor_type": name, **config}), width, height, levels.size, grid,
                   checksum(levels.tobytes()), checksum(pixels.tobytes()))


def main():
    print("// Written by make_samples.py; do not edit.\n")
    print("struct PictureSample: Sendable {\n    let name: String\n    let file: String\n    let width: Int\n    let height: Int\n    let rgb: String\n}\n")
    print("struct ResizeSample: Sendable {\n    let width: Int\n    let height: Int\n    let filter: Int\n    let checksum: UInt64\n}\n")
    print("struct ProcessorSample: Sendable {\n    let configuration: String\n    let width: Int\n    let height: Int\n    let count: Int\n"
          "    let grid: [Int]\n    let levels: UInt64\n    let values: UInt64\n}\n")
    print("enum Samples {\n    /// Files, and the pixels Pillow reads from them.\n    static let pictures: [PictureSample] = [")
    for name, data in files():
        image = reference(name, data)
        print(f'        PictureSample(name: "{name}", file: "{base64.b64encode(data).decode()}", width: {image.width}, '
              f'height: {image.height}, rgb: "{base64.b64encode(image.tobytes()).decode()}"),')
    print("    ]\n\n    /// 61×44 of noise resized by Pillow.\n    static let resizes: [ResizeSample] = [")
    source = noise(61, 44)
    for width, height in RESIZES:
        for resample in range(6):
            value = checksum(source.resize((width, height), resample).tobytes())
            print(f"        ResizeSample(width: {width}, height: {height}, filter: {resample}, checksum: 0x{value:016x}),")
    print("    ]\n\n    /// Noise through transformers' processors.\n    static let processors: [ProcessorSample] = [")
    for config, width, height, count, grid, levels, values in processors():
        quoted = config.replace('"', '\\"')
        print(f'        ProcessorSample(configuration: "{quoted}", width: {width}, height: {height}, count: {count}, grid: {grid}, '
              f"levels: 0x{levels:016x}, values: 0x{values:016x}),")
    print("    ]\n}")



if __name__ == "__main__":
    sys.exit(main())
