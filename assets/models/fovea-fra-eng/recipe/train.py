"""Trains fovea-fra-eng: python3 train.py --cache CACHE --work WORK --out OUT --minutes N (see ../../recipe/README.md)"""

import argparse
import json
import pathlib
import shutil
import sys
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[2] / "recipe"))

import torch  # noqa: E402
from torch.nn import functional as F  # noqa: E402

import export  # noqa: E402
from data import Pairs  # noqa: E402
from model import CONFIGURATIONS, T5  # noqa: E402
from training import Run, optimisers, precision  # noqa: E402


def padded(sentences, device="cpu"):
    width = max(map(len, sentences))
    return torch.tensor([ids + [0] * (width - len(ids)) for ids in sentences], device=device)


def shifted(english):
    return torch.cat([torch.zeros_like(english[:, :1]), english[:, :-1]], dim=1)


@torch.no_grad()
def validation(model, pairs, device):
    """Cross-entropy per token of English, and the share of tokens that are the first choice."""
    model.eval()
    loss, hits, count = 0.0, 0, 0
    for first in range(0, len(pairs), 100):
        french, english = (padded([pair[side] for pair in pairs[first:first + 100]], device) for side in (1, 0))
        source, keep = model.encode(french)
        logits = model.logits(model.decode(shifted(english), source, keep)).float()
        there = english != 0
        loss += float(F.cross_entropy(logits[there], english[there], reduction="sum"))
        hits += int((logits.argmax(-1) == english)[there].sum())
        count += int(there.sum())
    model.train()
    return {"held_out_loss": round(loss / count, 4), "held_out_hits": round(hits / count, 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configuration", choices=CONFIGURATIONS, default="cpu")
    parser.add_argument("--cache", required=True, help="the folder that data.py wrote")
    parser.add_argument("--work", required=True, help="a folder for checkpoints and logs; an unfinished training there goes on")
    parser.add_argument("--out", required=True, help="where the finished model goes")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--stop-after", type=float, default=1e9, help="minutes after which to save and stop for now")
    parser.add_argument("--processor-time", action="store_true", help="minutes are of processor time, for a machine that others use")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tokens", type=int, default=1500, help="a batch's sentences times the longest of them")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--adamw", action="store_true", help="AdamW for all weights")
    parser.add_argument("--evaluate-every", type=float, default=3, help="minutes")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    import sentencepiece
    processor = sentencepiece.SentencePieceProcessor(model_file=str(pathlib.Path(a.cache) / "spiece.model"))
    held_out = json.loads((pathlib.Path(a.cache) / "held-out.json").read_text("utf-8"))["validation"]
    held_out = [[processor.encode(side) + [1] for side in pair] for pair in held_out]
    configuration = {**CONFIGURATIONS[a.configuration], "pieces": processor.get_piece_size()}
    model = T5(configuration).to(a.device)
    clock = time.process_time if a.processor_time else time.monotonic
    run = Run(a.work, a.minutes, [model], optimisers([model], a.rate, not a.adamw, decay=0.01), a.device, clock=clock)
    pairs = Pairs(a.cache, a.tokens, [a.seed, run.step])
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters", flush=True)
    evaluated = said = clock()
    sentences = 0
    model.train()
    for french, english in pairs:
        progress = run.progress
        if progress >= 1 or clock() - run.started > a.stop_after * 60:
            break
        french, english = (torch.as_tensor(side).to(a.device, non_blocking=True) for side in (french, english))
        sentences += len(french)
        with precision(a.device):
            source, keep = model.encode(french)
            hidden = model.decode(shifted(english), source, keep)
            there = english != 0
            logits = model.logits(hidden[there])
            loss = F.cross_entropy(logits.float(), english[there], label_smoothing=0.1)
        run.update(loss, progress)
        run.count(loss=loss)
        now = clock()
        if now - said > 30:
            run.log(pairs_per_second=round(sentences / (now - said), 1), epoch=pairs.epochs)
            said, sentences = now, 0
        if now - evaluated > a.evaluate_every * 60:
            run.log(**validation(model, held_out, a.device))
            evaluated = said = clock()
            sentences = 0
        run.save()
    run.save(now=True)
    finished = run.progress >= 1
    run.log(**validation(model, held_out, a.device), finished=finished)
    if finished:
        out = pathlib.Path(a.out)
        out.mkdir(parents=True, exist_ok=True)
        for name in ("spiece.model", "tokenizer.json", "tokenizer_config.json"):
            shutil.copy(pathlib.Path(a.cache) / name, out / name)
        shutil.copy(run.folder / "log.jsonl", out / "log.jsonl")
        model.eval()
        size = export.write(model, out, model.configuration(), {"generation_config.json": {
            "decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0, "max_new_tokens": 96}})
        print(f"{out}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
