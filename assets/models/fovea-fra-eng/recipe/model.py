"""T5 (version 1.1: gated GELU; tied embeddings) in plain PyTorch: same arithmetic and weight names as transformers'
`T5ForConditionalGeneration`."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from layers import merge_heads, split_heads

CONFIGURATIONS = {
    "cpu": dict(pieces=5000, width=256, heads=8, inner=640, encoder=3, decoder=2, dropout=0.0),
    "gpu": dict(pieces=7000, width=256, heads=8, inner=704, encoder=3, decoder=3, dropout=0.1),
    "tiny": dict(pieces=1000, width=64, heads=4, inner=96, encoder=1, decoder=1, dropout=0.0),
}
BUCKETS, FARTHEST, EPS = 32, 128, 1e-6


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, EPS)


def buckets(queries, keys, both_ways, device):
    """T5's buckets of distances, [queries, keys]: half of them exact, the others ever wider."""
    distance = torch.arange(keys, device=device)[None] - torch.arange(queries, device=device)[:, None]
    count, base = BUCKETS, 0
    if both_ways:
        count //= 2
        base = (distance > 0).long() * count
        distance = distance.abs()
    else:
        distance = -distance.clamp(max=0)
    exact = count // 2
    far = exact + (torch.log(distance.float().clamp(min=1) / exact) / math.log(FARTHEST / exact) * (count - exact)).long()
    return base + torch.where(distance < exact, distance, far.clamp(max=count - 1))


class Attention(nn.Module):
    def __init__(self, c, biased=False):
        super().__init__()
        self.heads, size = c["heads"], 32
        self.q, self.k, self.v = (nn.Linear(c["width"], self.heads * size, bias=False) for _ in range(3))
        self.o = nn.Linear(self.heads * size, c["width"], bias=False)
        if biased:
            self.relative_attention_bias = nn.Embedding(BUCKETS, self.heads)

    def forward(self, x, source, bias, capture=None):
        query, key, value = split_heads(self.q(x), self.heads), split_heads(self.k(source), self.heads), split_heads(self.v(source), self.heads)
        scores = query @ key.transpose(2, 3)
        weights = (scores.float() + bias).softmax(-1)
        if capture is not None:
            capture.append(weights)
        return self.o(merge_heads(weights.to(value.dtype) @ value))


class GatedGELU(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.wi_0, self.wi_1 = (nn.Linear(c["width"], c["inner"], bias=False) for _ in range(2))
        self.wo = nn.Linear(c["inner"], c["width"], bias=False)

    def forward(self, x):
        return self.wo(F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x))


class Part(nn.Module):
    """One sub-layer with its norm, under the name transformers gives it."""

    def __init__(self, c, name, module):
        super().__init__()
        setattr(self, name, module)
        self.layer_norm = Norm(c["width"])


class Block(nn.Module):
    def __init__(self, c, decoder, first):
        super().__init__()
        parts = [Part(c, "SelfAttention", Attention(c, biased=first))]
        parts += [Part(c, "EncDecAttention", Attention(c))] if decoder else []
        self.layer = nn.ModuleList(parts + [Part(c, "DenseReluDense", GatedGELU(c))])
        self.dropout = nn.Dropout(c["dropout"])

    def forward(self, x, bias, source=None, source_bias=None, capture=None):
        attention, feed = self.layer[0], self.layer[-1]
        normed = attention.layer_norm(x)
        x = x + self.dropout(attention.SelfAttention(normed, normed, bias))
        if source is not None:
            x = x + self.dropout(self.layer[1].EncDecAttention(self.layer[1].layer_norm(x), source, source_bias, capture))
        return x + self.dropout(feed.DenseReluDense(feed.layer_norm(x)))


class Stack(nn.Module):
    def __init__(self, c, decoder):
        super().__init__()
        self.block = nn.ModuleList(Block(c, decoder, index == 0) for index in range(c["decoder" if decoder else "encoder"]))
        self.final_layer_norm = Norm(c["width"])
        self.decoder, self.dropout = decoder, nn.Dropout(c["dropout"])

    def forward(self, x, keep, source=None, source_keep=None, capture=None):
        """keep: [batch, positions], which are not padding."""
        count = x.shape[1]
        table = self.block[0].layer[0].SelfAttention.relative_attention_bias
        bias = table(buckets(count, count, not self.decoder, x.device)).permute(2, 0, 1)[None].float()
        bias = bias + torch.where(keep[:, None, None], 0.0, -1e9)
        if self.decoder:
            bias = bias + torch.full((count, count), -1e9, device=x.device).triu(1)
        source_bias = None if source is None else torch.where(source_keep[:, None, None], 0.0, -1e9)
        x = self.dropout(x)
        for block in self.block:
            x = block(x, bias, source, source_bias, capture)
        return self.dropout(self.final_layer_norm(x))


class T5(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.shared = nn.Embedding(c["pieces"], c["width"])
        self.encoder, self.decoder = Stack(c, False), Stack(c, True)
        nn.init.normal_(self.shared.weight, std=1.0)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2 and name != "shared.weight":
                std = 0.1 if "relative" in name else parameter.shape[1] ** -0.5
                # No division by the root of the head's size in T5: it is in the weights.
                nn.init.normal_(parameter, std=std * (32 ** -0.5 if name.endswith(".q.weight") else 0.5 if name.endswith((".o.weight", ".wo.weight")) else 1))

    def encode(self, ids):
        return self.encoder(self.shared(ids), ids != 0), ids != 0

    def decode(self, ids, source, source_keep, capture=None):
        """Hidden states that `logits` reads. Padding at the end is harmless: it is after all that counts."""
        return self.decoder(self.shared(ids), torch.ones_like(ids, dtype=torch.bool), source, source_keep, capture)

    def logits(self, hidden):
        return F.linear(hidden * self.c["width"] ** -0.5, self.shared.weight)

    def configuration(self):
        c = self.c
        return {
            "architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "vocab_size": c["pieces"], "d_model": c["width"], "d_kv": 32,
            "d_ff": c["inner"], "num_layers": c["encoder"], "num_decoder_layers": c["decoder"], "num_heads": c["heads"],
            "relative_attention_num_buckets": BUCKETS, "relative_attention_max_distance": FARTHEST, "layer_norm_epsilon": EPS,
            "dropout_rate": c["dropout"], "initializer_factor": 1.0, "feed_forward_proj": "gated-gelu", "is_encoder_decoder": True,
            "tie_word_embeddings": True, "decoder_start_token_id": 0, "eos_token_id": 1, "pad_token_id": 0, "use_cache": True, "torch_dtype": "float16"}


@torch.no_grad()
def greedy(model, ids, longest=64):
    """[[id]] without start and end."""
    source, keep = model.encode(ids)
    answer = torch.zeros(len(ids), 1, dtype=torch.long, device=ids.device)
    done = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(longest):
        following = model.logits(model.decode(answer, source, keep)[:, -1]).argmax(-1).masked_fill(done, 0)
        done |= following == 1
        answer = torch.cat([answer, following[:, None]], dim=1)
        if done.all():
            break
    return [[token for token in row[1:] if token > 1] for row in answer.tolist()]


@torch.no_grad()
def beam(model, ids, width=4, longest=64):
    """Beam search on one batch, scores divided by length, as transformers does with length_penalty 1 and early_stopping false."""
    source, keep = model.encode(ids)
    batch, device = len(ids), ids.device
    source, keep = source.repeat_interleave(width, 0), keep.repeat_interleave(width, 0)
    answer = torch.zeros(batch * width, 1, dtype=torch.long, device=device)
    scores = torch.full((batch, width), -1e9, device=device)
    scores[:, 0] = 0
    finished = [[] for _ in range(batch)]
    for length in range(1, longest + 1):
        steps = model.logits(model.decode(answer, source, keep)[:, -1]).float().log_softmax(-1).view(batch, width, -1)
        pieces = steps.shape[-1]
        best, places = (scores[..., None] + steps).view(batch, -1).topk(2 * width, dim=1)
        rows, tokens, kept = [], [], torch.full((batch, width), -1e9, device=device)
        best_list, place_list = best.tolist(), places.tolist()
        for b in range(batch):
            chosen = 0
            for rank, (score, place) in enumerate(zip(best_list[b], place_list[b])):
                row, token = b * width + place // pieces, place % pieces
                if token == 1:
                    if rank < width:
                        finished[b].append((score / length, answer[row].tolist()))
                elif chosen < width:
                    rows.append(row)
                    tokens.append(token)
                    kept[b, chosen] = score
                    chosen += 1
            finished[b] = sorted(finished[b], reverse=True)[:width]
        scores = kept
        answer = torch.cat([answer[rows], torch.tensor(tokens, device=device)[:, None]], dim=1)
        if all(len(f) == width and f[-1][0] >= float(s.max()) / length for f, s in zip(finished, scores)):
            break
    for b in range(batch):
        if not finished[b]:
            finished[b] = [(0.0, answer[b * width].tolist())]
    return [[token for token in max(f)[1][1:] if token > 1] for f in finished]
