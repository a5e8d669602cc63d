#!/usr/bin/env python3
"""Golden numbers for nn: the same small models in PyTorch, differentiated by autograd.

    /usr/bin/python3 tests/golden/generate.py        (Debian: python3-torch, python3-numpy)

Writes one text file per case beside itself.  Nothing here is derived from our sources:
the order and the names of tensors, dropout masks and parameters are written down a second
time, so that a change of any of them shows.

Parameters are not stored.  Element i of the flat vector is float32(0.3 u), gains
float32(1 + 0.3 u), with u = 2 * mix(i) / 2^32 - 1 and mix the 32-bit finalizer of
MurmurHash3 (Appleby, public domain) applied to i + 1.
"""
import math
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)

DEFAULTS = dict(layers=2, heads=4, kv_heads=4, width=8, ffn=12, context=7,
                norm="layernorm", norm_place="pre", norm_eps=1e-5, activation="gelu",
                positions="learned", rope_theta=10000, tied=1, bias=1,
                dropout_embed=0, dropout_attention=0, dropout_residual=0,
                smoothing=0, vocabulary=11, sequences=2, length=5)

CASES = {
    "gpt2": dict(activation="gelu_tanh"),
    "nanogpt": dict(bias=0, heads=2, kv_heads=2),
    "llama": dict(norm="rmsnorm", activation="swiglu", positions="rotary", kv_heads=2,
                  tied=0, bias=0),
    "vaswani": dict(norm_place="post", activation="relu", positions="sinusoidal"),
    "post-rms": dict(norm="rmsnorm", norm_place="post", activation="swiglu",
                     positions="rotary", rope_theta=100, kv_heads=1, tied=0),
    "blind": dict(activation="relu", positions="none", kv_heads=1, tied=0, norm_eps=0.1),
    "post-learned": dict(norm_place="post", bias=0, ffn=9, norm_eps=0.01),
    "drop-pre": dict(dropout_embed=0.25, dropout_attention=0.5, dropout_residual=0.125),
    "drop-post": dict(norm_place="post", activation="gelu_tanh", positions="sinusoidal",
                      kv_heads=2, dropout_embed=0.125, dropout_attention=0.25,
                      dropout_residual=0.5),
    "long": dict(norm="rmsnorm", activation="swiglu", positions="rotary", layers=1,
                 heads=2, kv_heads=1, context=150, length=133, sequences=1, tied=0,
                 bias=0, dropout_attention=0.25, vocabulary=5),
    "smooth": dict(smoothing=0.1, dropout_residual=0.25),
    "smooth-post": dict(smoothing=0.9, norm_place="post", tied=0, vocabulary=50),
    "deep": dict(norm_place="deep", layers=3, activation="relu", positions="sinusoidal"),
    "one": dict(layers=1, heads=1, kv_heads=1, width=6, ffn=1, context=1, length=1,
                sequences=3, vocabulary=2),
}
SEED, STEP = 77, 123456789012
SAMPLES = [5, 0x300000007, 11]
PHILOX_DROPOUT = 2


# --- Philox 4x32-10 (Salmon 2011) and the masks of dropout -------------------------------
def philox(key, counter):
    k0, k1 = key
    x = [np.atleast_1d(np.asarray(c, dtype=np.uint64)) for c in counter]
    for _ in range(10):
        p0, p1 = x[0] * np.uint64(0xD2511F53), x[2] * np.uint64(0xCD9E8D57)
        x = [(p1 >> np.uint64(32)) ^ x[1] ^ np.uint64(k0), p1 & np.uint64(0xFFFFFFFF),
             (p0 >> np.uint64(32)) ^ x[3] ^ np.uint64(k1), p0 & np.uint64(0xFFFFFFFF)]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return x


def dropout_factors(index, p, site, sample):
    """1/(1-p) or 0 for the elements numbered `index` (any shape)."""
    words = philox((SEED & 0xFFFFFFFF, SEED >> 32), (PHILOX_DROPOUT, 0, 0, 0))
    key = (int(words[0][0]), int(words[1][0]))
    index = np.asarray(index, dtype=np.uint64)
    same = np.zeros_like(index)
    words = philox(key, (index // np.uint64(4), same + np.uint64(site),
                         same + np.uint64(sample & 0xFFFFFFFF),
                         same + np.uint64(STEP & 0xFFFFFFFF)))
    word = np.choose((index % np.uint64(4)).astype(int), words)
    return torch.tensor((word >= int(p * 2**32)) / (1 - p))


def drop_rows(x, p, site):
    """x [B,T,C]; elements of a sequence are numbered from 0."""
    if p == 0:
        return x
    B, T, C = x.shape
    index = np.arange(T * C).reshape(T, C)
    return x * torch.stack([dropout_factors(index, p, site, SAMPLES[b]) for b in range(B)])


def drop_weights(a, p, sites):
    """a [B,H,T,T]; row t of a head starts at element t * (T rounded up to 16)."""
    if p == 0:
        return a
    B, H, T, _ = a.shape
    index = np.arange(T)[:, None] * ((T + 15) // 16 * 16) + np.arange(T)[None, :]
    return a * torch.stack([torch.stack([dropout_factors(index, p, sites + h, SAMPLES[b])
                                         for h in range(H)]) for b in range(B)])


# --- the model ---------------------------------------------------------------------------
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


class Attention(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o, C, H, G = o, o["width"], o["heads"], o["kv_heads"]
        self.D = C // H
        self.qkv = nn.Linear(C, (H + 2 * G) * self.D, bias=bool(o["bias"]))
        self.output = nn.Linear(C, C, bias=bool(o["bias"]))

    def forward(self, x, sites):
        o, D, H, G = self.o, self.D, self.o["heads"], self.o["kv_heads"]
        B, T, C = x.shape
        q, k, v = self.qkv(x).split([H * D, G * D, G * D], dim=2)
        q, k, v = [m.view(B, T, -1, D).transpose(1, 2) for m in (q, k, v)]
        if o["positions"] == "rotary":
            q, k = rotate(q, o["rope_theta"]), rotate(k, o["rope_theta"])
        k, v = [m.repeat_interleave(H // G, dim=1) for m in (k, v)]
        scores = q @ k.transpose(2, 3) / math.sqrt(D)
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        weights = scores.masked_fill(future, -math.inf).softmax(-1)
        weights = drop_weights(weights, o["dropout_attention"], sites)
        return self.output((weights @ v).transpose(1, 2).reshape(B, T, C))


class Mlp(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        up = o["ffn"] * (2 if o["activation"] == "swiglu" else 1)
        self.up = nn.Linear(o["width"], up, bias=bool(o["bias"]))
        self.down = nn.Linear(o["ffn"], o["width"], bias=bool(o["bias"]))

    def forward(self, x):
        h = self.up(x)
        if self.o["activation"] == "swiglu":
            gate, h = h.chunk(2, -1)
            return self.down(F.silu(gate) * h)
        f = {"gelu": F.gelu, "relu": F.relu,
             "gelu_tanh": lambda h: F.gelu(h, approximate="tanh")}[self.o["activation"]]
        return self.down(f(h))


class Block(nn.Module):
    def __init__(self, o, number):
        super().__init__()
        self.o, self.site = o, 1 + number * (o["heads"] + 2)
        self.norm1, self.attention = Norm(o), Attention(o)
        self.norm2, self.mlp = Norm(o), Mlp(o)

    def forward(self, x):
        p = self.o["dropout_residual"]

        def attention(y):
            return drop_rows(self.attention(y, self.site + 2), p, self.site)

        def mlp(y):
            return drop_rows(self.mlp(y), p, self.site + 1)

        if self.o["norm_place"] == "pre":
            x = x + attention(self.norm1(x))
            return x + mlp(self.norm2(x))
        past = (2 * self.o["layers"]) ** 0.25 if self.o["norm_place"] == "deep" else 1
        x = self.norm1(past * x + attention(x))
        return self.norm2(past * x + mlp(x))


class Model(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        V, C, T = o["vocabulary"], o["width"], o["context"]
        self.embedding = nn.ModuleDict({"token": nn.Embedding(V, C)})
        if o["positions"] == "learned":
            self.embedding["position"] = nn.Embedding(T, C)
        self.layers = nn.ModuleList([Block(o, i) for i in range(o["layers"])])
        if o["norm_place"] == "pre":
            self.norm = Norm(o)
        if not o["tied"]:
            self.output = nn.Linear(C, V, bias=False)

    def forward(self, tokens):
        o, T = self.o, tokens.shape[1]
        x = self.embedding["token"](tokens)
        if o["positions"] == "learned":
            x = x + self.embedding["position"](torch.arange(T))
        if o["positions"] == "sinusoidal":
            C = o["width"]
            angle = torch.arange(T)[:, None] / 10000 ** (torch.arange(0, C, 2)[None, :] / C)
            waves = torch.stack([angle.sin(), angle.cos()], -1).reshape(T, -1)
            x = x * math.sqrt(C) + waves
        x = drop_rows(x, o["dropout_embed"], 0)
        for layer in self.layers:
            x = layer(x)
        if o["norm_place"] == "pre":
            x = self.norm(x)
        return x @ (self.embedding["token"] if o["tied"] else self.output).weight.T


# --- parameters, in the order of the flat vector -----------------------------------------
LAYER = ["norm1.weight", "norm1.bias", "attention.qkv.weight", "attention.qkv.bias",
         "attention.output.weight", "attention.output.bias", "norm2.weight", "norm2.bias",
         "mlp.up.weight", "mlp.up.bias", "mlp.down.weight", "mlp.down.bias"]


def ordered(model):
    names = ["embedding.token.weight", "embedding.position.weight"]
    for i in range(model.o["layers"]):
        names += [f"layers.{i}.{name}" for name in LAYER]
    names += ["norm.weight", "norm.bias", "output.weight"]
    have = dict(model.named_parameters())
    found = [(name, have.pop(name)) for name in names if name in have]
    assert not have, have.keys()
    return found


def mix(i):
    h = (i + 1).astype(np.uint64)
    mask = np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(16)
    h = h * np.uint64(0x85EBCA6B) & mask
    h ^= h >> np.uint64(13)
    h = h * np.uint64(0xC2B2AE35) & mask
    return h ^ (h >> np.uint64(16))


def fill(model):
    first = 0
    for name, p in ordered(model):
        u = 2 * mix(np.arange(first, first + p.numel())) / 2.0**32 - 1
        gain = name.endswith("norm.weight") or ".norm" in name and name.endswith("weight")
        value = (float(gain) + 0.3 * u).astype(np.float32)
        with torch.no_grad():
            p.copy_(torch.tensor(value, dtype=torch.float64).view_as(p))
        first += p.numel()


def write(out, values):
    flat = values.detach().flatten().tolist()
    for i in range(0, len(flat), 8):
        out.write(" ".join(f"{v:.10g}" for v in flat[i:i + 8]) + "\n")


def generate(name, changes):
    o = {**DEFAULTS, **changes}
    model = Model(o)
    fill(model)
    B, T, V = o["sequences"], o["length"], o["vocabulary"]
    tokens = (mix(np.arange(B * (T + 1)) + 1000000) % np.uint64(V)).astype(np.int64)
    tokens = torch.tensor(tokens).view(B, T + 1)
    logits = model(tokens[:, :-1])
    still = Model({**o, **{place: 0 for place in o if place.startswith("dropout")}})
    fill(still)
    loss = F.cross_entropy(logits.reshape(-1, V), tokens[:, 1:].reshape(-1),
                           reduction="sum", label_smoothing=o["smoothing"])
    loss.backward()
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".txt")
    with open(path, "w") as out:
        for key, value in o.items():
            if key != "smoothing" or value:
                out.write(f"{key} {value}\n")
        out.write(f"seed {SEED}\nstep {STEP}\n")
        out.write("samples " + " ".join(str(s) for s in SAMPLES[:B]) + "\n")
        out.write("tokens " + " ".join(str(t) for t in tokens.flatten().tolist()) + "\n")
        out.write(f"loss {loss.item():.12g}\n")
        out.write(f"logits {logits.numel()}\n")
        write(out, still(tokens[:, :-1]))  # logits are asked for without dropout
        for tensor, p in ordered(model):
            out.write(f"{tensor} {p.numel()}\n")
            write(out, p.grad)


for case, changes in CASES.items():
    generate(case, changes)
