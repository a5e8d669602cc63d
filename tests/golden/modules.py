"""The models that PyTorch itself has, out of its own layers: padded sequences and masks.

A decoder alone is PyTorch's encoder with a causal mask.
"""
import math

import torch
from torch import nn

from model import future, waves

# Ours: PyTorch's.  A product's weight and bias; those of in_proj are one tensor for
# queries, keys and values, of which cross-attention's are two of ours.
ATTENTION = {"norm1.": "norm1.", "attention.qkv.": "self_attn.in_proj_",
             "attention.output.": "self_attn.out_proj."}
CROSS = {"cross.norm.": "norm2.", "cross.query.": "multihead_attn.in_proj_",
         "cross.kv.": "multihead_attn.in_proj_",
         "cross.output.": "multihead_attn.out_proj."}
MLP = {"mlp.up.": "linear1.", "mlp.down.": "linear2."}
ENCODER = {**ATTENTION, "norm2.": "norm2.", **MLP}
DECODER = {**ATTENTION, **CROSS, "norm2.": "norm3.", **MLP}


class Modules(nn.Module):
    def __init__(self, o):
        super().__init__()
        self.o = o
        V, C, T, E = o["vocabulary"], o["width"], o["context"], o["encoder_layers"]
        layer = dict(d_model=C, nhead=o["heads"], dim_feedforward=o["ffn"], dropout=0,
                     activation=o["activation"], layer_norm_eps=o["norm_eps"],
                     batch_first=True, norm_first=o["norm_place"] == "pre")

        def last():
            pre = o["norm_place"] == "pre"
            return nn.LayerNorm(C, eps=o["norm_eps"]) if pre else None

        def encoder(layers):
            return nn.TransformerEncoder(nn.TransformerEncoderLayer(**layer), layers,
                                         last())

        self.token = nn.Embedding(V, C)
        self.position = nn.Embedding(T, C)
        if E:
            self.source_token = self.token if o["shared_source"] else nn.Embedding(V, C)
            self.source_position = nn.Embedding(T, C)
            self.encoder = encoder(E)
            self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**layer),
                                                 o["layers"], last())
        else:
            self.decoder = encoder(o["layers"])
        self.output = nn.Linear(C, V, bias=False)
        if o["tied"]:
            self.output.weight = self.token.weight

    def embed(self, tokens, token, position):
        x, T = token(tokens), tokens.shape[1]
        if self.o["positions"] == "learned":
            return x + position(torch.arange(T))
        return x * math.sqrt(self.o["width"]) + waves(self.o, T)

    def forward(self, target, source):
        x = self.embed(target.tokens, self.token, self.position)
        hidden = future(x.shape[1])
        if not source:
            return self.output(self.decoder(x, hidden, target.padding))
        memory = self.encoder(
            self.embed(source.tokens, self.source_token, self.source_position),
            src_key_padding_mask=source.padding)
        return self.output(self.decoder(x, memory, tgt_mask=hidden,
                                        tgt_key_padding_mask=target.padding,
                                        memory_key_padding_mask=source.padding))

    def tensors(self):
        """Name: parameter, and which rows of it."""
        o, C = self.o, self.o["width"]
        found = {"embedding.token.weight": self.token.weight}
        if not o["tied"]:
            found["output.weight"] = self.output.weight
        if o["encoder_layers"] and not o["shared_source"]:
            found["encoder.token.weight"] = self.source_token.weight
        if o["positions"] == "learned":
            found["embedding.position.weight"] = self.position.weight
            if o["encoder_layers"]:
                found["encoder.position.weight"] = self.source_position.weight
        found = {name: (p, slice(None)) for name, p in found.items()}
        have = dict(self.named_parameters())

        def take(prefix, stack, table, layers):
            names = {f"{prefix}layers.{i}.{ours}": f"{stack}.layers.{i}.{theirs}"
                     for i in range(layers) for ours, theirs in table.items()}
            if o["norm_place"] == "pre":
                names[f"{prefix}norm."] = f"{stack}.norm."
            for ours, theirs in names.items():
                rows = (slice(C) if "cross.query" in ours else
                        slice(C, None) if "cross.kv" in ours else slice(None))
                for kind in ("weight", "bias"):
                    found[ours + kind] = (have[theirs + kind], rows)

        if o["encoder_layers"]:
            take("encoder.", "encoder", ENCODER, o["encoder_layers"])
        take("", "decoder", DECODER if o["encoder_layers"] else ENCODER, o["layers"])
        return found
