"""A CTranslate2 Whisper folder in faster-whisper's engine, float32: encoder of a 30 s window, decode."""

import argparse

import ctranslate2
import numpy

from measure import median, report

arguments = argparse.ArgumentParser(description=__doc__)
arguments.add_argument("folder")
arguments.add_argument("--tokens", type=int, default=64, help="decoded in each run")
options = arguments.parse_args()

model = ctranslate2.models.Whisper(options.folder, device="cpu", compute_type="float32")
features = ctranslate2.StorageView.from_array(numpy.random.default_rng(0).standard_normal((1, 80, 3000)).astype(numpy.float32))


def decode(encoded):
    # No end token: the same number of tokens in every run.
    result = model.generate(
        encoded, [[50257]], beam_size=1, max_length=options.tokens, suppress_blank=False, suppress_tokens=[50256], return_scores=False)
    return len(result[0].sequences_ids[0])


encoder_seconds = median(lambda: model.encode(features, to_cpu=True))
encoded = model.encode(features, to_cpu=False)
tokens = decode(encoded)
report(
    engine=f"CTranslate2 {ctranslate2.__version__}", dtype="float32", encoder_seconds=encoder_seconds, tokens=tokens,
    decode_tokens_per_second=tokens / median(lambda: decode(encoded)))
