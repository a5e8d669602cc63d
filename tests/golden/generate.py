#!/usr/bin/env python3
"""Golden numbers for nn: the same small models in PyTorch, differentiated by autograd.

    /usr/bin/python3 tests/golden/generate.py        (Debian: python3-torch, python3-numpy)

Writes one text file per case beside itself.  Nothing here is derived from our sources:
the order and the names of tensors, dropout masks and parameters are written down a second
time, so that a change of any of them shows.

Cases of MODULES are computed by PyTorch's own layers (modules.py), the others, with options
that those lack, by the model of model.py, which must agree with them on MODULES too.
Sequences of unequal lengths are padded here, and ours are not.

Parameters are not stored.  Element i of the flat vector is float32(0.3 u), gains
float32(1 + 0.3 u), with u = 2 * mix(i) / 2^32 - 1 and mix the 32-bit finalizer of
MurmurHash3 (Appleby, public domain) applied to i + 1.
"""
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
from dropout import SAMPLES, SEED, STEP
from model import Model, Side
from modules import Modules

torch.set_default_dtype(torch.float64)

DEFAULTS = dict(layers=2, heads=4, kv_heads=4, width=8, ffn=12, context=7,
                norm="layernorm", norm_place="pre", norm_eps=1e-5, activation="gelu",
                positions="learned", rope_theta=10000, tied=1, bias=1,
                dropout_embed=0, dropout_attention=0, dropout_residual=0,
                vocabulary=11, lengths=[5, 5])
# With an encoder, and what few cases have: files leave out those that are 0.
RARE = dict(encoder_layers=0, shared_source=0, dropout_hidden=0, dropout_word=0,
            smoothing=0)
PAIR = dict(encoder_layers=2, shared_source=1, lengths=[5, 2, 4],
            source_lengths=[3, 7, 1])

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
                 heads=2, kv_heads=1, context=150, lengths=[133], tied=0,
                 bias=0, dropout_attention=0.25, vocabulary=5),
    "smooth": dict(smoothing=0.1, dropout_residual=0.25),
    "smooth-post": dict(smoothing=0.9, norm_place="post", tied=0, vocabulary=50),
    "deep": dict(norm_place="deep", layers=3, activation="relu", positions="sinusoidal"),
    "one": dict(layers=1, heads=1, kv_heads=1, width=6, ffn=1, context=1, lengths=[1, 1, 1],
                vocabulary=2),
    "unequal": dict(lengths=[1, 7, 3], norm="rmsnorm", activation="swiglu",
                    positions="rotary", kv_heads=2, tied=0),
    "none": dict(norm_place="none", lengths=[6, 2, 3], dropout_hidden=0.25,
                 dropout_word=0.375),
    "pair-drop": dict(PAIR, dropout_embed=0.25, dropout_attention=0.5,
                      dropout_residual=0.125, dropout_hidden=0.25, dropout_word=0.375,
                      context=20, lengths=[19, 3], source_lengths=[4, 18]),
    "pair-drop-post": dict(PAIR, norm_place="post", positions="sinusoidal_halves",
                           kv_heads=2, shared_source=0, tied=0, encoder_layers=1,
                           dropout_embed=0.125, dropout_attention=0.25,
                           dropout_residual=0.5, dropout_hidden=0.125, dropout_word=0.25,
                           smoothing=0.1),
    "pair-llama": dict(PAIR, norm="rmsnorm", activation="swiglu", positions="rotary",
                       kv_heads=2, bias=0, tied=0),
    "pair-deep": dict(PAIR, norm_place="deep", encoder_layers=3, activation="relu",
                      positions="sinusoidal", kv_heads=1),
    "pair-none": dict(PAIR, norm_place="none", activation="relu", shared_source=0,
                      dropout_hidden=0.25),
    "pair-long": dict(PAIR, layers=1, encoder_layers=1, heads=2, kv_heads=1, context=150,
                      lengths=[3, 67], source_lengths=[130, 2], positions="none",
                      vocabulary=5, dropout_attention=0.25),
}

MODULES = {
    "padded": dict(lengths=[2, 7, 4]),
    "padded-post": dict(norm_place="post", activation="relu", positions="sinusoidal",
                        lengths=[6, 1, 3], tied=0, smoothing=0.1),
    "pair-vaswani": dict(PAIR, norm_place="post", activation="relu",
                         positions="sinusoidal_halves"),
    "pair-pre": dict(PAIR, shared_source=0, tied=0),
    "pair-uneven": dict(PAIR, norm_place="post", encoder_layers=3, layers=1, tied=0,
                        norm_eps=0.01, smoothing=0.2),
    "pair-tied": dict(PAIR, encoder_layers=1, layers=3, activation="relu",
                      positions="sinusoidal", shared_source=0, heads=2, kv_heads=2),
}


# --- parameters, in the order of the flat vector -----------------------------------------
PARTS = ["norm1", "attention.qkv", "attention.output", "cross.norm", "cross.query",
         "cross.kv", "cross.output", "norm2", "mlp.up", "mlp.down"]


def in_order(model):
    """[name, parameter, rows of it]"""
    o, have = model.o, model.tensors()
    layers = [f"encoder.layers.{i}.{part}" for i in range(o["encoder_layers"])
              for part in PARTS]
    layers += ["encoder.norm"]
    layers += [f"layers.{i}.{part}" for i in range(o["layers"]) for part in PARTS]
    names = ["embedding.token", "embedding.position", "encoder.token", "encoder.position",
             *layers, "norm", "output"]
    names = [f"{name}.{kind}" for name in names for kind in ("weight", "bias")]
    found = [(name, *have.pop(name)) for name in names if name in have]
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
    for name, p, rows in in_order(model):
        part = p.detach()[rows]
        u = 2 * mix(np.arange(first, first + part.numel())) / 2.0**32 - 1
        gain = name.endswith("norm.weight") or ".norm" in name and name.endswith("weight")
        value = (float(gain) + 0.3 * u).astype(np.float32)
        part.copy_(torch.tensor(value, dtype=torch.float64).view_as(part))
        first += part.numel()


# --- a batch: sequences one behind the other in the file, padded in PyTorch ---------------
def words(count, vocabulary, start):
    some = (mix(np.arange(count) + start) % np.uint64(vocabulary)).astype(np.int64)
    return torch.tensor(some)


IGNORED = -100  # by cross_entropy()


def padded(sequences, filler):
    return torch.nn.utils.rnn.pad_sequence(sequences, True, filler)


class Batch:
    def __init__(self, o):
        lengths, V = o["lengths"], o["vocabulary"]
        self.tokens = words(sum(lengths) + len(lengths), V, 1000000)
        sequences = self.tokens.split([n + 1 for n in lengths])
        self.target = Side(padded([s[:-1] for s in sequences], V - 1), lengths)
        self.expected = padded([s[1:] for s in sequences], IGNORED)
        self.source = None
        if o["encoder_layers"]:
            lengths = o["source_lengths"]
            self.source_tokens = words(sum(lengths), V, 2000000)
            self.source = Side(padded(self.source_tokens.split(lengths), V - 1), lengths)


# --- what is to be compared ----------------------------------------------------------------
class Result:
    """Loss and gradients, and logits, which are asked for without dropout."""

    def __init__(self, kind, o, batch):
        model, still = kind(o), kind({**o, **{p: 0 for p in o if p.startswith("dropout")}})
        fill(model)
        fill(still)
        logits = model(batch.target, batch.source)
        self.loss = F.cross_entropy(logits.flatten(0, 1), batch.expected.flatten(),
                                    reduction="sum", label_smoothing=o["smoothing"])
        self.loss.backward()
        self.tensors = [("logits", still(batch.target, batch.source)
                         [~batch.target.padding].detach())]
        self.tensors += [(name, p.grad[rows]) for name, p, rows in in_order(model)]


def agree(a, b):
    assert abs(a.loss - b.loss) < 1e-10 * a.loss
    for (name, x), (same_name, y) in zip(a.tensors, b.tensors, strict=True):
        assert name == same_name
        assert (x - y).norm() <= 1e-10 * x.norm(), name


def write_line(out, name, numbers):
    out.write(f"{name} " + " ".join(str(n) for n in numbers) + "\n")


def write(path, o, batch, result):
    with open(path, "w") as out:
        for key, value in o.items():
            if "lengths" not in key and (key not in RARE or value):
                out.write(f"{key} {value}\n")
        out.write(f"sequences {len(o['lengths'])}\nseed {SEED}\nstep {STEP}\n")
        write_line(out, "samples", SAMPLES[:len(o["lengths"])])
        write_line(out, "lengths", o["lengths"])
        write_line(out, "tokens", batch.tokens.tolist())
        if batch.source:
            write_line(out, "source_lengths", o["source_lengths"])
            write_line(out, "source", batch.source_tokens.tolist())
        out.write(f"loss {result.loss.item():.12g}\n")
        for name, values in result.tensors:
            out.write(f"{name} {values.numel()}\n")
            flat = values.flatten().tolist()
            for i in range(0, len(flat), 8):
                out.write(" ".join(f"{v:.10g}" for v in flat[i:i + 8]) + "\n")


def generate(name, changes):
    o = {**DEFAULTS, **RARE, **changes}
    batch = Batch(o)
    result = Result(Modules if name in MODULES else Model, o, batch)
    if name in MODULES:
        agree(result, Result(Model, o, batch))
    here = os.path.dirname(os.path.abspath(__file__))
    write(os.path.join(here, name + ".txt"), o, batch, result)


for case, changes in {**CASES, **MODULES}.items():
    generate(case, changes)
