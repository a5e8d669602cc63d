"""Lockstep's Transformer in PyTorch's functions, with every option of group model.

Sequences are padded; `Side` says how far each goes.  Attributes are named so that
parameters have the names of our tensors.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from dropout import (CROSS, HIDDEN, STREAM, WORD, block_site, drop_rows, drop_weights,
                     drop_words, site)


class Side:
    """The source or the target of a batch: tokens [B,T], of which lengths[b] count."""

    def __init__(self, tokens, lengths):
        self.tokens, self.lengths = tokens, lengths
        self.padding = torch.arange(tokens.shape[1])[None] >= torch.tensor(lengths)[:, None]


def future(T):
    """[T,T]: what row t must not look at."""
    return torch.ones(T, T, dtype=torch.bool).triu(1)


def waves(o, T):
    C = o["width"]
    if o["positions"] == "sinusoidal_halves":  # tensor2tensor's
        rates = torch.exp(torch.arange(C // 2) * -(math.log(10000) / (C // 2 - 1)))
        angle = torch.arange(T)[:, None] * rates[None, :]
        return torch.cat([angle.sin(), angle.cos()], -1)
    angle = torch.arange(T)[:, None] / 10000 ** (torch.arange(0, C, 2)[None, :] / C)
    return torch.stack([angle.sin(), angle.cos()], -1).reshape(T, -1)


class Norm(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        self.weight = nn.Parameter(torch.empty(o["width"]))
        if o["bias"] and o["norm"] == "layernorm":
            self.bias = nn.Parameter(torch.empty(o["width"]))
        else:
            self.bias = None

    def forward(self, x):
        if self.o["norm"] == "layernorm":
            return F.layer_norm(x, (self.o["width"],), self.weight, self.bias,
                                self.o["norm_eps"])
        square = x.pow(2).mean(-1, keepdim=True)
        return x * torch.rsqrt(square + self.o["norm_eps"]) * self.weight


def rotate(x, theta):
    """x [B,H,T,D]"""
    D, T = x.shape[-1], x.shape[-2]
    angle = torch.arange(T)[:, None] / theta ** (torch.arange(0, D, 2)[None, :] / D)
    first, second = x[..., :D // 2], x[..., D // 2:]
    return torch.cat([first * angle.cos() - second * angle.sin(),
                      first * angle.sin() + second * angle.cos()], -1)


def split_heads(x, D):
    """[B,T,H D] to [B,H,T,D]"""
    return x.view(x.shape[0], x.shape[1], -1, D).transpose(1, 2)


def look(o, q, k, v, hidden, at, lengths):
    """q [B,H,T,D], k and v [B,G,S,D] to [B,T,C]; `hidden` is true where a row must not
    look, `lengths` those of the keys."""
    H, G, D = o["heads"], o["kv_heads"], q.shape[-1]
    k, v = [m.repeat_interleave(H // G, dim=1) for m in (k, v)]
    scores = q @ k.transpose(2, 3) / math.sqrt(D)
    weights = scores.masked_fill(hidden, -math.inf).softmax(-1)
    weights = drop_weights(weights, o["dropout_attention"], at, lengths)
    return (weights @ v).transpose(1, 2).reshape(q.shape[0], q.shape[2], H * D)


class Attention(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o, C, H, G = o, o["width"], o["heads"], o["kv_heads"]
        self.D = C // H
        self.qkv = nn.Linear(C, (H + 2 * G) * self.D, bias=bool(o["bias"]))
        self.output = nn.Linear(C, C, bias=bool(o["bias"]))

    def forward(self, x, hidden, at, lengths):
        o, D, H, G = self.o, self.D, self.o["heads"], self.o["kv_heads"]
        q, k, v = self.qkv(x).split([H * D, G * D, G * D], dim=2)
        q, k, v = [split_heads(m, D) for m in (q, k, v)]
        if o["positions"] == "rotary":
            q, k = rotate(q, o["rope_theta"]), rotate(k, o["rope_theta"])
        return self.output(look(o, q, k, v, hidden, at, lengths))


class Cross(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o, C, bias = o, o["width"], bool(o["bias"])
        self.D = C // o["heads"]
        if o["norm_place"] != "none":
            self.norm = Norm(o)
        self.query = nn.Linear(C, C, bias=bias)
        self.kv = nn.Linear(C, 2 * o["kv_heads"] * self.D, bias=bias)
        self.output = nn.Linear(C, C, bias=bias)

    def forward(self, x, memory, source, at):
        q = split_heads(self.query(x), self.D)
        k, v = [split_heads(m, self.D) for m in self.kv(memory).chunk(2, -1)]
        hidden = source.padding[:, None, None, :]
        return self.output(look(self.o, q, k, v, hidden, at, source.lengths))


class Mlp(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        up = o["ffn"] * (2 if o["activation"] == "swiglu" else 1)
        self.up = nn.Linear(o["width"], up, bias=bool(o["bias"]))
        self.down = nn.Linear(o["ffn"], o["width"], bias=bool(o["bias"]))

    def forward(self, x, at):
        h = self.up(x)
        if self.o["activation"] == "swiglu":
            gate, h = h.chunk(2, -1)
            h = F.silu(gate) * h
        else:
            h = {"gelu": F.gelu, "relu": F.relu,
                 "gelu_tanh": lambda h: F.gelu(h, approximate="tanh")
                 }[self.o["activation"]](h)
        return self.down(drop_rows(h, self.o["dropout_hidden"], at))


def past(o, encoder):
    """What goes past a part is multiplied by this: DeepNet, Wang 2022, table 1."""
    N, M = o["encoder_layers"], o["layers"]
    if o["norm_place"] != "deep":
        return 1
    if encoder:
        return 0.81 * (N**4 * M) ** (1 / 16)
    return (3 * M) ** 0.25 if N else (2 * M) ** 0.25


class Block(nn.Module):
    def __init__(self, o, number, encoder):
        super().__init__()
        self.o, self.number, self.encoder = o, number, encoder
        self.norm1 = self.norm2 = None
        if o["norm_place"] != "none":
            self.norm1, self.norm2 = Norm(o), Norm(o)
        self.attention, self.mlp = Attention(o), Mlp(o)
        if o["encoder_layers"] and not encoder:
            self.cross = Cross(o)

    def at(self, kind, place):
        return block_site(kind, self.number, self.o["heads"], place, self.encoder)

    def part(self, x, norm, f, at):
        place = self.o["norm_place"]
        y = f(norm(x)) if place == "pre" else f(x)
        y = drop_rows(y, self.o["dropout_residual"], at)
        if place in ("pre", "none"):
            return x + y
        return norm(past(self.o, self.encoder) * x + y)

    def forward(self, x, hidden, side, memory=None, source=None):
        x = self.part(
            x, self.norm1,
            lambda y: self.attention(y, hidden, self.at(STREAM, 2), side.lengths),
            self.at(STREAM, 0))
        if memory is not None:
            x = self.part(
                x, getattr(self.cross, "norm", None),
                lambda y: self.cross(y, memory, source, self.at(CROSS, 2)),
                self.at(CROSS, 0))
        hidden_rows = site(HIDDEN, self.number, self.encoder)
        return self.part(x, self.norm2, lambda y: self.mlp(y, hidden_rows),
                         self.at(STREAM, 1))


def embed(o, tokens, token, position, encoder):
    T = tokens.shape[1]
    x = token(tokens)
    if o["positions"].startswith("sinusoidal"):
        x = x * math.sqrt(o["width"])
    x = drop_words(x, o["dropout_word"], site(WORD, 0, encoder))
    if position is not None:
        x = x + position(torch.arange(T))
    if o["positions"].startswith("sinusoidal"):
        x = x + waves(o, T)
    return drop_rows(x, o["dropout_embed"], site(STREAM, 0, encoder))


class Encoder(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        V, C, T = o["vocabulary"], o["width"], o["context"]
        self.token = None if o["shared_source"] else nn.Embedding(V, C)
        self.position = nn.Embedding(T, C) if o["positions"] == "learned" else None
        self.layers = nn.ModuleList(
            [Block(o, i, True) for i in range(o["encoder_layers"])])
        self.norm = Norm(o) if o["norm_place"] == "pre" else None

    def forward(self, source, shared):
        x = embed(self.o, source.tokens, self.token or shared, self.position, True)
        for layer in self.layers:
            x = layer(x, source.padding[:, None, None, :], source)
        return self.norm(x) if self.norm else x


class Model(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        V, C, T = o["vocabulary"], o["width"], o["context"]
        self.embedding = nn.ModuleDict({"token": nn.Embedding(V, C)})
        if o["positions"] == "learned":
            self.embedding["position"] = nn.Embedding(T, C)
        if o["encoder_layers"]:
            self.encoder = Encoder(o)
        self.layers = nn.ModuleList([Block(o, i, False) for i in range(o["layers"])])
        if o["norm_place"] == "pre":
            self.norm = Norm(o)
        if not o["tied"]:
            self.output = nn.Linear(C, V, bias=False)

    def forward(self, target, source):
        """Logits [B,T,V]; source is None without an encoder."""
        o, token = self.o, self.embedding["token"]
        memory = self.encoder(source, token) if source else None
        position = self.embedding["position"] if o["positions"] == "learned" else None
        x = embed(o, target.tokens, token, position, False)
        for layer in self.layers:
            x = layer(x, future(x.shape[1]), target, memory, source)
        if o["norm_place"] == "pre":
            x = self.norm(x)
        return x @ (token if o["tied"] else self.output).weight.T

    def tensors(self):
        """Name: parameter, and which rows of it."""
        return {name: (p, slice(None)) for name, p in self.named_parameters()}
