"""Trains a picture model, whichever architecture: see README.md for the commands.

First the tower alone, with a head that tells of every patch what it shows (scenes are made, so that is known). Then tower and
decoder together on conversations, while the head's weight falls to nothing. Half of the heads of two layers are guided (as in
guided alignment of translation models, Chen et al. 2016): where a question or an answer names a thing, their attention is pulled
to the thing's patches. The other heads are told nothing.
"""

import argparse
import pathlib
import shutil
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import export
import tokens
from batches import Batches
from chats import everything_said
from drawings import Drawings
from training import Run, optimisers, precision

TOWER_SHARE = 0.2  # of the time
GUIDANCE = 0.15  # weight of the guided heads' loss beside the answers'
FEW, MANY = (0.5, 0.22, 0.14, 0.07, 0.04, 0.03), (0.24, 0.18, 0.17, 0.15, 0.14, 0.12)  # how many items scenes have, at first and later


class PatchHead(nn.Module):
    """What each patch shows, its colour, and how many items there are; thrown away after training."""

    def __init__(self, width, labels):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.names, self.colours, self.counts = nn.Linear(width, labels.count), nn.Linear(width, len(labels.colours)), nn.Linear(width, 7)
        self.background = labels.background

    def forward(self, patches, whole, names, colours, counts):
        patches, names, colours = self.norm(patches).flatten(0, 1), names.flatten(), colours.flatten()
        logits = self.names(patches)
        # Most patches show the background; together they count as much as a fifth of the others.
        weights = torch.where(names == self.background, 0.2, 1.0)
        named = (F.cross_entropy(logits.float(), names, reduction="none") * weights).sum() / weights.sum()
        coloured = F.cross_entropy(self.colours(patches).float(), colours, ignore_index=-1, reduction="sum") / (colours >= 0).sum().clamp(min=1)
        counted = F.cross_entropy(self.counts(self.norm(whole)).float(), counts)
        shown = names != self.background
        return named + 0.3 * coloured + 0.2 * counted, (logits.argmax(-1) == names)[shown].float().mean()


def tensors(batch, device):
    return {name: torch.as_tensor(value, device=device) for name, value in batch.items() if isinstance(value, np.ndarray)}


def mask_of(segments):
    """[batch, 1, queries, keys]: earlier places of the same conversation, and the shared beginning."""
    same = (segments[:, :, None] == segments[:, None, :]) | (segments[:, None, :] == 0)
    return (same & torch.ones(segments.shape[1], segments.shape[1], dtype=torch.bool, device=segments.device).tril())[:, None]


def answer_logits(model, arrays, states):
    """(logits, wanted ids) of all answer tokens."""
    hidden = model.decode(arrays["ids"], arrays["positions"], mask_of(arrays["segments"]), arrays["sees"], states, arrays["places"])
    rows, places = arrays["answers"].unbind(1)
    return model.head(hidden[rows, arrays["slots"]]).float(), arrays["ids"][rows, places]


def guidance(captured, arrays):
    """How far guided heads look away from what is named: mean of -log(attention on its patches). `captured`: weights of the layers
    that see the picture, [batch, heads, queries, keys]; names heard are for the second layer of them or the first of two, names
    said for the last, whose queries are `places`."""
    row, place, said = arrays["guide_places"].unbind(1)
    patches = arrays["guide_patches"].flatten(1)
    total = 0.0
    for kind, layer in ((0, captured[len(captured) // 2 - 1]), (1, captured[-1])):
        rows, places, inside = row[said == kind], place[said == kind], patches[said == kind]
        if len(rows):
            if kind == 1:
                places = (arrays["places"][rows] == places[:, None]).int().argmax(1)
            weights = layer[rows, :layer.shape[1] // 2, places][..., 1:1 + patches.shape[1]].float()
            total = total - torch.log((weights * inside[:, None]).sum(-1) + 1e-4).mean()
    return total


@torch.no_grad()
def exact(model, batch, device):
    """Of each turn: is every token of the answer the model's first choice? That is: is the greedy answer this answer?"""
    arrays = tensors(batch, device)
    states = model.see(arrays["images"]) if "images" in arrays else None
    logits, wanted = answer_logits(model, arrays, states)
    right = dict(zip(map(tuple, batch["answers"].tolist()), (logits.argmax(-1) == wanted).tolist()))
    return [all(right[row, place] for place in range(first, last)) for row, first, last, _, _ in batch["turns"]]


def accuracy(model, batches, device):
    """Share of exact answers by task."""
    results = {}
    for batch in batches:
        for right, (_, _, _, turn, _) in zip(exact(model, batch, device), batch["turns"]):
            results.setdefault(turn.task, []).append(right)
    return {task: round(float(np.mean(values)), 3) for task, values in sorted(results.items())}


def same(batch):
    return batch


class Feed(torch.utils.data.IterableDataset):
    """Batches made in worker processes."""

    def __init__(self, make, rows, tower_share, further=False):
        self.make, self.rows, self.tower_share, self.further = make, rows, tower_share, further
        self.progress = torch.zeros(1).share_memory_()

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        batches = self.make(worker.id if worker else 0)
        number = 0
        while True:
            progress = float(self.progress)
            tower = self.tower_share
            mix = 1.0 if self.further else max(0.0, min(1.0, (progress - tower) / 0.4)) if progress >= tower else min(1.0, progress / tower)
            batches.composer.set_counts([(1 - mix) * few + mix * many for few, many in zip(FEW, MANY)])
            number += 1
            if progress < tower:
                batch = batches.pictures(self.rows)
            elif number % 30 == 0:
                batch = batches.text_only()
            else:
                batch = batches.chats(batches.pictures(self.rows))
            batch.pop("scenes", None)
            batch.pop("turns", None)
            yield batch


def vocabulary(model_class, configuration, drawings):
    tokenizer = tokens.build(everything_said(drawings, configuration["languages"]), model_class.image_token, configuration["vocabulary"])
    return tokenizer, tokens.Encoder(tokenizer, model_class.image_token)


def export_model(model, encoder, tokenizer, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tokens.save(tokenizer, folder, model.image_token)
    size = export.write(model, folder, model.configuration(encoder), {
        "preprocessor_config.json": model.processor,
        "generation_config.json": {"eos_token_id": encoder.end, "pad_token_id": encoder.pad, "do_sample": False, "max_new_tokens": 64}})
    print(f"{folder}: {size / 1e6:.2f} MB")


def main(model_class, configurations):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--configuration", choices=configurations, default="cpu")
    parser.add_argument("--cache", required=True, help="the folder that drawings.py wrote")
    parser.add_argument("--work", required=True, help="a folder for checkpoints and logs; an unfinished training there goes on")
    parser.add_argument("--out", required=True, help="where the finished model goes")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--stop-after", type=float, default=1e9, help="minutes after which to save and stop for now")
    parser.add_argument("--processor-time", action="store_true", help="minutes are of processor time, for a machine that others use")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--workers", type=int, default=0, help="processes that make scenes; 0: made between steps")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--length", type=int, default=128)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--adamw", action="store_true", help="AdamW for all weights")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--evaluate-every", type=float, default=5, help="minutes")
    parser.add_argument("--further", help="the folder of a finished model: trains it further, on answers alone")
    parser.add_argument("--twin", help="the work folder of the other model, whose tower and decoder this one starts from; its tower is not trained alone")
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    clock = time.process_time if a.processor_time else time.monotonic
    configuration = configurations[a.configuration]
    drawings = Drawings(a.cache, configuration["things"])
    tokenizer, encoder = vocabulary(model_class, configuration, drawings)
    model = model_class(configuration, encoder.image).to(a.device)
    device, languages = a.device, configuration["languages"]

    def batches(seed, rows=a.rows, **options):
        return Batches(drawings, encoder, model.grid, model.prefix, rows, a.length, seed, languages, **options)

    held_out = batches([a.seed, 999], rows=64, held_out=True)
    held_out = [held_out.batch() for _ in range(1 if a.configuration == "tiny" else 6)]
    labels = batches(0).labels
    head = PatchHead(configuration["width"], labels).to(device)
    run = Run(a.work, a.minutes, [model, head], optimisers([model, head], a.rate, not a.adamw), device, clock=clock)
    tower_share = 0.0 if a.further else TOWER_SHARE
    if a.further:
        run.goes_on_from(pathlib.Path(a.further) / "recipe" / "log.jsonl")
        if run.step == 0:
            from safetensors.torch import load_file
            model.load_state_dict(load_file(pathlib.Path(a.further) / "model.safetensors"))
    if a.twin:
        tower_share = 0.0
        if run.step == 0:
            state = torch.load(pathlib.Path(a.twin) / "checkpoint.pt", map_location=device, weights_only=True)
            model.start_from(state["modules"][0], torch.as_tensor(batches(2).pictures(64)["images"], device=device))
    feed = Feed(lambda worker: batches([a.seed, 1000 + worker, run.step]), a.rows, tower_share, bool(a.further))
    feed.progress[0] = run.progress
    loader = torch.utils.data.DataLoader(feed, batch_size=None, num_workers=a.workers, prefetch_factor=4 if a.workers else None, collate_fn=same,
                                         multiprocessing_context="fork" if a.workers else None)
    if a.compile:
        torch._dynamo.config.suppress_errors = True  # what cannot be compiled runs as it is
        model.see, model.decode = torch.compile(model.see), torch.compile(model.decode)
    sizes = {name: sum(p.numel() for p in module.parameters()) for name, module in model.named_children()}
    print(f"{sum(sizes.values()) / 1e6:.2f} M parameters {sizes}, {encoder.image} tokens, {labels.count} kinds of patch", flush=True)

    autocast = precision(device)
    evaluated = said = clock()
    scenes = 0
    model.train()
    for batch in loader:
        progress = feed.progress[0] = run.progress
        if progress >= 1 or clock() - run.started > a.stop_after * 60:
            break
        arrays = tensors(batch, device)
        joint = "ids" in arrays
        share = (progress - tower_share) / (1 - tower_share)
        with autocast:
            states = model.see(arrays["images"]) if "images" in arrays else None
            loss = 0.0
            if states is not None:
                scenes += len(states)
                weight = 0.0 if a.further else max(0.0, 0.5 * (1 - share / 0.6)) if joint else 1.0
                if weight > 0:
                    patches, whole = model.patches(states)
                    told, hits = head(patches, whole, arrays["names"], arrays["colours"], arrays["counts"])
                    loss = loss + weight * told
                    run.count(patch_loss=told, patch_hits=hits)
            if joint:
                model.capture = [] if states is not None else None
                logits, wanted = answer_logits(model, arrays, states)
                captured, model.capture = model.capture, None
                if captured:
                    guided = guidance(captured, arrays)
                    loss = loss + GUIDANCE * guided
                    run.count(guidance=guided)
                answer_loss = F.cross_entropy(logits, wanted)
                loss = loss + answer_loss * (1.0 if states is not None else 0.3)
                if states is not None:
                    run.count(answer_loss=answer_loss)
        # The tower's stage rises and falls by itself, to half; then everything does.
        run.update(loss, share if joint else 0.5 * progress / tower_share)
        now = clock()
        if now - said > 30:
            run.log(scenes_per_second=round(scenes / (now - said), 1))
            said, scenes = now, 0
        if joint and now - evaluated > a.evaluate_every * 60:
            with autocast:
                model.eval()
                run.log(held_out=accuracy(model, held_out, device))
                model.train()
            evaluated = clock()
            said, scenes = evaluated, 0
        run.save()
    run.save(now=True)
    model.eval()
    finished = run.progress >= 1
    run.log(held_out=accuracy(model, held_out, device), finished=finished)
    if finished:
        export_model(model, encoder, tokenizer, a.out)
        shutil.copy(run.folder / "log.jsonl", pathlib.Path(a.out) / "log.jsonl")
