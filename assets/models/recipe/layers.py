"""The layers that the models share, in plain PyTorch, with the names transformers gives their weights."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def initialise(module):
    """Weights whose products keep their size: from scratch, a small model learns several times faster than with 0.02."""
    for part in module.modules():
        if isinstance(part, nn.Linear):
            nn.init.normal_(part.weight, std=part.in_features ** -0.5)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, std=0.1)
        elif isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, std=part.weight[0].numel() ** -0.5)
    for name, parameter in module.named_parameters():
        # What is added to the residual stream starts small.
        if name.endswith(("o_proj.weight", "out_proj.weight", "down_proj.weight", "fc2.weight", ".o.weight", ".wo.weight")):
            parameter.data *= 0.3


def sincos_positions(edge, width):
    """[edge · edge, width]: sines and cosines of row and column, so that places are told apart from the first step."""
    frequencies = torch.exp(torch.linspace(0, math.log(edge), width // 4)) * math.pi / edge / 2
    y, x = torch.meshgrid(torch.arange(edge) + 0.5, torch.arange(edge) + 0.5, indexing="ij")
    angles = [value.reshape(-1, 1) * frequencies for value in (y, x)]
    table = torch.cat([f(a) for a in angles for f in (torch.sin, torch.cos)], dim=1)
    return F.pad(table, (0, width - table.shape[1]))


class RMSNorm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return F.rms_norm(x.float(), (x.shape[-1],), self.weight, self.eps)


def split_heads(x, heads):
    """[batch, positions, heads · size] → [batch, heads, positions, size]"""
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def merge_heads(x):
    return x.transpose(1, 2).flatten(2)


def attend(query, key, value, mask=None, capture=None):
    """Softmax attention on [batch, heads, positions, size]; keys and values may have fewer heads. `capture`: a list that gets the weights."""
    batch, heads, count, size = query.shape
    key_heads, keys = key.shape[1:3]
    if capture is None and query.is_cuda:
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask, enable_gqa=key_heads != heads)
    # On a CPU the fused kernel's gradient takes several times longer than two products and a softmax. Heads that share keys are
    # queries of one product.
    grouped = (query * size ** -0.5).reshape(batch, key_heads, -1, size)
    scores = (grouped @ key.transpose(2, 3)).view(batch, heads, count, keys)
    if mask is not None:
        scores = scores + torch.where(mask, 0.0, -1e9).to(scores.dtype)
    weights = scores.softmax(-1)
    if capture is not None:
        capture.append(weights)
    return (weights.to(value.dtype).view(batch, key_heads, -1, keys) @ value).view(batch, heads, count, size)


def at_places(x, places):
    """[batch, positions, width] → [batch, places, width]"""
    return x if places is None else x.gather(1, places[..., None].expand(-1, -1, x.shape[-1]))


def rotary(positions, size, theta):
    """(cos, sin), each [batch, 1, positions, size]"""
    frequencies = theta ** (-torch.arange(0, size, 2, device=positions.device).float() / size)
    angles = positions[:, None, :, None].float() * frequencies
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos(), angles.sin()


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return (x * cos + torch.cat([-second, first], dim=-1) * sin).to(x.dtype)


class SelfAttention(nn.Module):
    """Llama's."""

    def __init__(self, width, heads, key_heads):
        super().__init__()
        self.heads, self.key_heads, size = heads, key_heads, width // heads
        self.q_proj, self.o_proj = nn.Linear(width, heads * size, bias=False), nn.Linear(heads * size, width, bias=False)
        self.k_proj, self.v_proj = (nn.Linear(width, key_heads * size, bias=False) for _ in range(2))

    def forward(self, x, turn, mask, capture=None, places=None):
        key = rotate(split_heads(self.k_proj(x), self.key_heads), *turn)
        asking = turn
        if places is not None:
            asking = [at_places(angles[:, 0], places)[:, None] for angles in turn]
            mask = at_places(mask[:, 0], places)[:, None]
        query = rotate(split_heads(self.q_proj(at_places(x, places)), self.heads), *asking)
        return self.o_proj(merge_heads(attend(query, key, split_heads(self.v_proj(x), self.key_heads), mask, capture)))


class GatedMLP(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        self.gate_proj, self.up_proj = (nn.Linear(width, inner, bias=False) for _ in range(2))
        self.down_proj = nn.Linear(inner, width, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    """Llama's layer, and Mllama's layers of self-attention."""

    def __init__(self, width, heads, key_heads, inner, eps):
        super().__init__()
        self.self_attn, self.mlp = SelfAttention(width, heads, key_heads), GatedMLP(width, inner)
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(width, eps), RMSNorm(width, eps)

    def forward(self, x, turn, mask, capture=None, places=None):
        """`places`, [batch, places]: where results are wanted; without, everywhere."""
        x = at_places(x, places) + self.self_attn(self.input_layernorm(x), turn, mask, capture, places)
        return x + self.mlp(self.post_attention_layernorm(x))


class MLP(nn.Module):
    """The vision towers'. `activation`: "gelu" (exact) or "quick_gelu"."""

    def __init__(self, width, inner, activation="gelu"):
        super().__init__()
        self.fc1, self.fc2, self.quick = nn.Linear(width, inner), nn.Linear(inner, width), activation == "quick_gelu"

    def forward(self, x):
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x) if self.quick else F.gelu(x))


def pixels(images, mean=0.5, std=0.5):
    """[batch, edge, edge, 3] of bytes → what the tower reads, [batch, 3, edge, edge]"""
    mean, std = (torch.as_tensor(v, dtype=torch.float32, device=images.device).reshape(1, -1, 1, 1) for v in (mean, std))
    return (images.permute(0, 3, 1, 2).float() / 255 - mean) / std
