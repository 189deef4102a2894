"""What every training here shares: a budget in minutes instead of steps, optimiser, checkpoints that resume, a log."""

import json
import math
import pathlib
import time

import torch


def precision(device):
    """Matrix products in bfloat16 on a GPU. On a CPU float32 is faster at these sizes: twenty times where the CPU has no bfloat16,
    and still by 1.4 with AVX512-BF16."""
    return torch.autocast(device.split(":")[0], torch.bfloat16, enabled=device != "cpu")


class Muon(torch.optim.Optimizer):
    """Muon (Jordan et al. 2024) with AdamW's step size (Liu et al. 2025), as torch.optim.Muon, but the orthogonalisation is of all
    matrices of a shape at once, and on a CPU in float32."""

    def __init__(self, matrices, rate, decay, momentum=0.95):
        super().__init__(matrices, dict(lr=rate, weight_decay=decay, momentum=momentum))

    @staticmethod
    def orthogonal(x):
        """[count, rows, columns]: Newton-Schulz, five steps of a quintic."""
        x = x.bfloat16() if x.is_cuda else x.clone()
        tall = x.shape[1] > x.shape[2]
        x = x.transpose(1, 2) if tall else x
        x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
        for _ in range(5):
            gram = x @ x.transpose(1, 2)
            x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
        return (x.transpose(1, 2) if tall else x).float()

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for matrix in group["params"]:
                if matrix.grad is not None:
                    shapes.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in shapes.items():
                updates = []
                for matrix in matrices:
                    average = self.state[matrix].setdefault("average", torch.zeros_like(matrix))
                    average.lerp_(matrix.grad, 1 - group["momentum"])
                    updates.append(matrix.grad.lerp(average, group["momentum"]))
                size = group["lr"] * 0.2 * math.sqrt(max(shape))
                for matrix, update in zip(matrices, self.orthogonal(torch.stack(updates))):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"]).add_(update, alpha=-size)


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
        result.append(Muon(matrices, rate, decay))
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
        self.earlier = {"step": 0, "minutes": 0.0}  # of a training that this one goes on from

    def goes_on_from(self, log):
        """Takes over the log of a finished training, as lines before its own."""
        if log.exists():
            lines = log.read_text("utf-8").splitlines()
            self.earlier = {name: json.loads(lines[-1])[name] for name in self.earlier}
            if self.step == 0:
                (self.folder / "log.jsonl").write_text("\n".join(lines) + "\n", "utf-8")

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
        line = {"step": self.earlier["step"] + self.step, "minutes": round(self.earlier["minutes"] + self.elapsed / 60, 2)}
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
