"""What every training here shares: a budget in minutes instead of steps, optimiser, checkpoints that resume, a log."""

import json
import math
import pathlib
import time

import torch


def optimisers(modules, rate, muon=True, decay=0.05):
    """Muon for the matrices of hidden layers, AdamW for the rest. (All AdamW with muon=False.)"""
    matrices, rest, plain = [], [], []
    for module in modules:
        for name, parameter in module.named_parameters():
            if not parameter.requires_grad:
                continue
            hidden = parameter.ndim == 2 and not any(part in name for part in ("embed", "lm_head", "shared", "relative", "head."))
            if parameter.ndim < 2:
                plain.append(parameter)
            else:
                (matrices if hidden and muon else rest).append(parameter)
    result = [torch.optim.AdamW([{"params": rest, "weight_decay": decay}, {"params": plain, "weight_decay": 0.0}], lr=rate, betas=(0.9, 0.98))]
    if matrices:
        result.append(torch.optim.Muon(matrices, lr=rate, weight_decay=decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"))
    for optimiser in result:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return result


class Run:
    """A training of so many minutes, over as many starts as it takes."""

    def __init__(self, folder, minutes, modules, optimisers, device, save_every=300, clock=time.monotonic):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.seconds, self.modules, self.optimisers, self.device = minutes * 60, modules, optimisers, device
        self.elapsed, self.step, self.save_every = 0.0, 0, save_every
        self.path = self.folder / "checkpoint.pt"
        if self.path.exists():
            state = torch.load(self.path, map_location=device, weights_only=True)
            for module, saved in zip(modules, state["modules"]):
                module.load_state_dict(saved)
            for optimiser, saved in zip(optimisers, state["optimisers"]):
                optimiser.load_state_dict(saved)
            self.elapsed, self.step = state["elapsed"], state["step"]
            print(f"resumed at step {self.step}, {self.elapsed / 60:.1f} of {minutes} min", flush=True)
        self.clock = clock
        self.before, self.started, self.saved = self.elapsed, clock(), time.monotonic()
        self.sums = {}

    @property
    def progress(self):
        """0 at the start, 1 when the time is used up."""
        self.elapsed = self.before + self.clock() - self.started
        return min(1.0, self.elapsed / self.seconds)

    def rate(self, share):
        """Cosine from 1 to 0.01, after a rise over the first 2 %."""
        return min(1.0, share / 0.02 + 0.02) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))

    def update(self, loss, share, clip=1.0):
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak"] * self.rate(share)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([p for o in self.optimisers for g in o.param_groups for p in g["params"]], clip)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return norm

    def count(self, **values):
        for name, value in values.items():
            total, number = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + (value.detach() if torch.is_tensor(value) else value), number + 1)

    def log(self, **values):
        """Writes means since the last line, and `values`, to the screen and to log.jsonl."""
        line = {"step": self.step, "minutes": round(self.elapsed / 60, 2)}
        line.update({name: round(float(total) / number, 4) for name, (total, number) in self.sums.items()}, **values)
        self.sums = {}
        print(json.dumps(line), flush=True)
        with open(self.folder / "log.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def save(self, now=False):
        if now or time.monotonic() - self.saved > self.save_every:
            self.saved = time.monotonic()
            torch.save({"modules": [m.state_dict() for m in self.modules], "optimisers": [o.state_dict() for o in self.optimisers],
                        "elapsed": self.elapsed, "step": self.step}, self.path.with_suffix(".new"))
            self.path.with_suffix(".new").replace(self.path)
