"""What PyTorch computes for Whisper with the weights of a CTranslate2 file: the other side of an opt-in test.

usage: whisper_reference.py MODEL_FOLDER INPUT.safetensors OUTPUT.safetensors

INPUT holds `features` [mels, 3000] and `tokens` [n] (i64); OUTPUT gets `enc.out`, `logits` [n, vocabulary] and
`cross.L` [heads, n, 1500]. Weights are those of model.bin (float16 as stored), arithmetic is float32, attention eager.
"""
import struct
import sys

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from transformers import WhisperConfig, WhisperForConditionalGeneration

DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_ctranslate2(path):
    data = memoryview(open(path, "rb").read())
    at = 0

    def take(form):
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values

    def text():
        nonlocal at
        (length,) = take("H")
        value = bytes(data[at : at + length - 1]).decode()
        at += length
        return value

    assert take("I")[0] == 6
    text()
    take("I")
    tensors = {}
    for _ in range(take("I")[0]):
        name = text()
        shape = take("I" * take("B")[0])
        dtype, size = take("BI")
        tensors[name] = np.frombuffer(data[at : at + size], DTYPES[dtype]).reshape(shape)
        at += size
    return tensors


def to_transformers(stored):
    size = stored["encoder/conv1/weight"].shape[0]
    count = lambda side: len({n.split("/")[1] for n in stored if n.startswith(f"{side}/layer_") and "layer_norm" not in n.split("/")[1]})
    config = WhisperConfig(
        vocab_size=stored["decoder/embeddings/weight"].shape[0], num_mel_bins=stored["encoder/conv1/weight"].shape[1], d_model=size,
        encoder_layers=count("encoder"), decoder_layers=count("decoder"),
        encoder_attention_heads=int(stored["encoder/num_heads"]), decoder_attention_heads=int(stored["decoder/num_heads"]),
        encoder_ffn_dim=stored["encoder/layer_0/ffn/linear_0/weight"].shape[0],
        decoder_ffn_dim=stored["decoder/layer_0/ffn/linear_0/weight"].shape[0],
        max_source_positions=stored["encoder/position_encodings/encodings"].shape[0],
        max_target_positions=stored["decoder/position_encodings/encodings"].shape[0])
    config._attn_implementation = "eager"
    model = WhisperForConditionalGeneration(config).eval()
    weights = {}

    def put(name, value):
        weights["model." + name] = torch.from_numpy(value.astype(np.float32))

    def norm(name, source):
        put(name + ".weight", stored[source + "/gamma"])
        put(name + ".bias", stored[source + "/beta"])

    def linear(name, source, part=None, bias=True):
        weight, offset = stored[source + "/weight"], stored[source + "/bias"]
        if part is not None:
            weight, offset = weight[part * size : (part + 1) * size], offset[part * size : (part + 1) * size]
        put(name + ".weight", weight)
        if bias:
            put(name + ".bias", offset)
        else:
            assert not np.any(offset)

    for conv in ("conv1", "conv2"):
        put(f"encoder.{conv}.weight", stored[f"encoder/{conv}/weight"])
        put(f"encoder.{conv}.bias", stored[f"encoder/{conv}/bias"])
    for side, layers in (("encoder", config.encoder_layers), ("decoder", config.decoder_layers)):
        put(f"{side}.embed_positions.weight", stored[f"{side}/position_encodings/encodings"])
        norm(f"{side}.layer_norm", f"{side}/layer_norm")
        for i in range(layers):
            to, source = f"{side}.layers.{i}.", f"{side}/layer_{i}/"
            norm(to + "self_attn_layer_norm", source + "self_attention/layer_norm")
            for part, name in enumerate(("q_proj", "k_proj", "v_proj")):
                linear(to + "self_attn." + name, source + "self_attention/linear_0", part, name != "k_proj")
            linear(to + "self_attn.out_proj", source + "self_attention/linear_1")
            if side == "decoder":
                norm(to + "encoder_attn_layer_norm", source + "attention/layer_norm")
                linear(to + "encoder_attn.q_proj", source + "attention/linear_0")
                linear(to + "encoder_attn.k_proj", source + "attention/linear_1", 0, False)
                linear(to + "encoder_attn.v_proj", source + "attention/linear_1", 1)
                linear(to + "encoder_attn.out_proj", source + "attention/linear_2")
            norm(to + "final_layer_norm", source + "ffn/layer_norm")
            linear(to + "fc1", source + "ffn/linear_0")
            linear(to + "fc2", source + "ffn/linear_1")
    put("decoder.embed_tokens.weight", stored["decoder/embeddings/weight"])
    weights["proj_out.weight"] = weights["model.decoder.embed_tokens.weight"]
    model.load_state_dict(weights, strict=True)
    return model


folder, source, target = sys.argv[1:]
given = load_file(source)
model = to_transformers(read_ctranslate2(folder + "/model.bin"))
with torch.no_grad():
    result = model(
        input_features=given["features"][None], decoder_input_ids=given["tokens"].long()[None], output_attentions=True, use_cache=False)
out = {"enc.out": result.encoder_last_hidden_state[0], "logits": result.logits[0]}
for layer, weights in enumerate(result.cross_attentions):
    out[f"cross.{layer}"] = weights[0]
save_file({name: value.contiguous() for name, value in out.items()}, target)
