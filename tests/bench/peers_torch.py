#!/usr/bin/python3
"""Steps of training of one shape in PyTorch: forward, backward, clip, AdamW.

    peers_torch.py '{"shape": {...}, "seconds": 5, "warm": 3, "threads": 2, "processes": 1,
                     "bf16": false, "foreach": true, "count": false, "port": 29500}'

Prints a JSON object: seconds of each step after the warm-up, tokens per step, parameters,
loss; with `count` the floating-point operations of the products of one step, added up from
the shapes that PyTorch multiplied.
"""
import contextlib
import json
import math
import os
import sys
import time


def models():
    """The two models, made when torch is loaded."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    class Block(nn.Module):
        def __init__(self, s):
            super().__init__()
            C, bias = s["width"], s["bias"]
            self.heads = s["heads"]
            self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)
            self.qkv, self.out = nn.Linear(C, 3 * C, bias=bias), nn.Linear(C, C, bias=bias)
            self.up, self.down = nn.Linear(C, s["ffn"], bias=bias), nn.Linear(s["ffn"], C, bias=bias)
            self.approximate = "tanh" if s["activation"] == "gelu_tanh" else "none"

        def forward(self, x, mask):
            B, T, C = x.shape
            q, k, v = (z.view(B, T, self.heads, -1).transpose(1, 2)
                       for z in self.qkv(self.norm1(x)).chunk(3, dim=-1))
            weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(C // self.heads) + mask, dim=-1)
            x = x + self.out((weights @ v).transpose(1, 2).reshape(B, T, C))
            return x + self.down(F.gelu(self.up(self.norm2(x)), approximate=self.approximate))

    class Decoder(nn.Module):
        def __init__(self, s):
            super().__init__()
            self.tokens = nn.Embedding(s["vocab"], s["width"])
            self.positions = nn.Embedding(s["context"], s["width"])
            self.blocks = nn.ModuleList(Block(s) for _ in range(s["layers"]))
            self.norm = nn.LayerNorm(s["width"])
            nn.init.normal_(self.tokens.weight, std=0.02)
            nn.init.normal_(self.positions.weight, std=0.02)
            self.register_buffer("mask", causal(s["context"]))

        def forward(self, tokens, targets):
            x = self.tokens(tokens) + self.positions.weight
            for block in self.blocks:
                x = block(x, self.mask)
            logits = self.norm(x) @ self.tokens.weight.t()
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    class Translator(nn.Module):
        """Norms behind each part (Vaswani 2017), none at the end of a stack."""

        def __init__(self, s):
            super().__init__()
            C, T = s["width"], s["context"]
            layer = dict(d_model=C, nhead=s["heads"], dim_feedforward=s["ffn"], dropout=0.0, batch_first=True)
            self.tokens = nn.Embedding(s["vocab"], C)
            self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**layer), s["encoder_layers"])
            self.decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**layer), s["layers"])
            nn.init.normal_(self.tokens.weight, std=C ** -0.5)
            angle = torch.arange(T)[:, None] / 10000 ** (torch.arange(0, C, 2)[None] / C)
            self.register_buffer("waves", torch.stack([angle.sin(), angle.cos()], -1).flatten(1))
            self.register_buffer("mask", causal(T))

        def embed(self, tokens):
            return self.tokens(tokens) * math.sqrt(self.tokens.embedding_dim) + self.waves

        def forward(self, source, tokens, targets):
            x = self.decoder(self.embed(tokens), self.encoder(self.embed(source)), tgt_mask=self.mask)
            logits = x @ self.tokens.weight.t()
            return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), label_smoothing=0.1)

    def causal(n):
        return torch.full((n, n), float("-inf")).triu(1)

    return Decoder, Translator


def products(step):
    """2 M N K of each matrix product in a call of @step."""
    from torch.profiler import ProfilerActivity, profile
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as seen:
        step()
    total = 0
    for e in seen.events():
        if e.name in ("aten::mm", "aten::bmm"):
            a, b = e.input_shapes[:2]
        elif e.name in ("aten::addmm", "aten::baddbmm"):
            a, b = e.input_shapes[1:3]
        else:
            continue
        total += 2 * math.prod(a) * b[-1]
    return total


def train(rank, job):
    import torch
    import torch.distributed as dist
    s, processes = job["shape"], job["processes"]
    torch.set_num_threads(job["threads"])
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    Decoder, Translator = models()
    model = (Translator if s["encoder_layers"] else Decoder)(s)
    run = model
    if processes > 1:
        os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(job["port"]), GLOO_SOCKET_IFNAME="lo")
        dist.init_process_group("gloo", rank=rank, world_size=processes)
        run = torch.nn.parallel.DistributedDataParallel(model, gradient_as_bucket_view=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1,
                                  foreach=job["foreach"])
    B, T = s["batch"] // processes, s["context"]
    kinds = 3 if s["encoder_layers"] else 2
    batches = [[torch.randint(0, s["vocab"], (B, T)) for _ in range(kinds)] for _ in range(8)]
    made = 0

    def step():
        nonlocal made
        with torch.autocast("cpu", dtype=torch.bfloat16) if job["bf16"] else contextlib.nullcontext():
            loss = run(*batches[made % len(batches)])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=processes == 1)
        made += 1
        return loss

    for _ in range(job["warm"]):
        loss = step()
    counted = products(step) if job["count"] else None
    seconds, begin = [], time.perf_counter()
    end = torch.zeros(1)
    while not end.item():
        start = time.perf_counter()
        loss = step()
        now = time.perf_counter()
        seconds.append(now - start)
        end[0] = now - begin > job["seconds"] and len(seconds) >= 3
        if processes > 1:
            dist.broadcast(end, 0)
    if rank == 0:
        print(json.dumps(dict(seconds=seconds, tokens=processes * B * T, counted=counted, loss=loss.item(),
                              parameters=sum(p.numel() for p in model.parameters()),
                              version=torch.__version__)), flush=True)
    if processes > 1:
        dist.barrier()
        dist.destroy_process_group()


def main():
    job = json.loads(sys.argv[1])
    if job["processes"] == 1:
        train(0, job)
        return
    import multiprocessing
    context = multiprocessing.get_context("spawn")
    ranks = [context.Process(target=train, args=(r, job)) for r in range(job["processes"])]
    for r in ranks:
        r.start()
    for r in ranks:
        r.join()
    sys.exit(max(abs(r.exitcode) for r in ranks))


if __name__ == "__main__":
    main()
