#!/usr/bin/python3
"""Milliseconds of a training step - forward, backward, clip, AdamW - here and in PyTorch.

Ours is what a user starts: `lockstep launch -n 2`, coordinator and two workers, exact, all
communication included.  PyTorch is tried in several settings; the fastest in float32 and,
unless --float32, the fastest of all are then measured in turn with ours, pair by pair.
A run's number is the mean of its steps after the warm-up; the table has medians over the
pairs, and the lower and upper quartile of the ratios.  First it is checked that both train
the same: tokens per step, parameters (but the norms' biases of A and B, which PyTorch 1.13
cannot leave out), floating-point operations of the products that PyTorch made against the
formula.  Data are drawn from a seed.
"""
import argparse
import json
import os
import random
import re
import resource
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = """examples:
  tests/bench/peers                                    all shapes, five pairs
  tests/bench/peers --shapes A,D --pairs 9 --json out.json
  tests/bench/peers --shapes B --ours train.slices=2   with options of ours
exit codes: 0 measured, 1 a run failed, or they were too disturbed to be believed, 2 usage, 65 the two do not do the same work"""

# slices: what is fastest for two workers; warm: steps that are dropped
SHAPES = {
    "A": dict(text="nanoGPT, CPU", layers=4, heads=4, width=128, ffn=512, context=64, batch=12, vocab=65,
              bias=False, activation="gelu", encoder_layers=0, slices=2, warm=10),
    "B": dict(text="nanoGPT, GPU", layers=6, heads=6, width=384, ffn=1536, context=256, batch=16, vocab=65,
              bias=False, activation="gelu", encoder_layers=0, slices=4, warm=3),
    "C": dict(text="GPT-2 124M", layers=12, heads=12, width=768, ffn=3072, context=64, batch=4, vocab=50257,
              bias=True, activation="gelu_tanh", encoder_layers=0, slices=2, warm=3),
    "D": dict(text="Transformer-Tiny", layers=4, heads=4, width=128, ffn=256, context=32, batch=128, vocab=10000,
              bias=True, activation="relu", encoder_layers=4, slices=4, warm=3),
}
# threads, processes, whether tuned, bfloat16
SETTINGS = {
    "stock": (2, 1, False, False), "tuned": (2, 1, True, False), "ddp": (1, 2, True, False),
    "bf16": (2, 1, True, True), "ddp bf16": (1, 2, True, True),
}
LOAD_MOST, FOREIGN_MOST, SPREAD_MOST = 0.3, 0.03, 0.05
RUN_MOST = 60  # s, until a run counts as hanging


def say(text):
    print(time.strftime("%T ") + text, file=sys.stderr, flush=True)


def flops(s):
    """6 x parameters in products x rows + attention, 12 x width x keys x rows; not less for causal."""
    C, F, T, L, E = s["width"], s["ffn"], s["context"], s["layers"], s["encoder_layers"]
    rows, cross = s["batch"] * T, 4 * C * C if E else 0
    weights = L * (4 * C * C + cross + 2 * C * F) + E * (4 * C * C + 2 * C * F) + s["vocab"] * C
    return rows * (6 * weights + 12 * C * T * (L + E + (L if E else 0)))


# --- how disturbed the machine is

def busy_seconds():
    """CPU time that the machine spent on anything, stolen time included."""
    with open("/proc/stat") as f:
        user, nice, system, _, _, irq, soft, steal = map(int, f.readline().split()[1:9])
    return (user + nice + system + irq + soft + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds():
    u = resource.getrusage(resource.RUSAGE_CHILDREN)
    return u.ru_utime + u.ru_stime


class Failed(Exception):
    """A run that ended badly, or not at all."""


def finish(command, env):
    """Runs it to its end, with what it starts; what hangs is killed."""
    p = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         start_new_session=True)
    try:
        out, err = p.communicate(timeout=RUN_MOST)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        p.communicate()
        raise Failed("%s was not done after %d s" % (" ".join(command), RUN_MOST)) from None
    return subprocess.CompletedProcess(command, p.returncode, out, err)


class Watch:
    """Which share of the cores others had while runs went on."""

    def __init__(self):
        self.wall = self.foreign = 0

    def run(self, command, env=None):
        wall, busy, own = time.time(), busy_seconds(), own_seconds()
        done = finish(command, {**os.environ, **(env or {})})
        self.wall += (time.time() - wall) * os.cpu_count()
        self.foreign += max(0, busy_seconds() - busy - (own_seconds() - own))
        if done.returncode:
            raise Failed("%s ended with %d:\n%s" % (" ".join(command), done.returncode, done.stderr[-2000:]))
        return done

    def share(self):
        return self.foreign / self.wall if self.wall else 0


# --- ours

def letters(n):
    """@n characters that no tokenizer cuts or changes: ideographs."""
    return [chr(0x4E00 + i if i < 20902 else 0x20000 + i - 20902) for i in range(n)]


def write(path, text):
    with open(path, "w") as f:
        f.write(text)
    return path


def prepare(watch, s, folder):
    """A data set of exactly the vocabulary; every token is in it."""
    draw, text = random.Random(1), folder + ".text"
    command = [os.environ["LOCKSTEP"], "prepare", "--out", folder]
    if not s["encoder_layers"]:
        a = letters(s["vocab"])
        write(text, "".join(draw.sample(a, len(a)) + draw.choices(a, k=300000)))
        watch.run(command + ["--tokenizer", "char", "--held-out", "0.01", text])
        return
    # A word is a letter; the tokenizer has two tokens more.  With its end a sentence has 32, and an
    # epoch of 4096 pairs has whole steps of 128.
    a, n = letters(s["vocab"] - 2), s["context"] - 1
    tokens = draw.sample(a, len(a)) + draw.choices(a, k=2 * 4096 * n - len(a))
    lines = [" ".join(tokens[i:i + n]) for i in range(0, len(tokens), n)]
    files = {"source": lines[:4096], "target": lines[4096:], "held-out-source": lines[:16], "held-out-target": lines[-16:]}
    for name, part in files.items():
        command += ["--" + name, write(text + "." + name, "\n".join(part) + "\n")]
    watch.run(command + ["--tokenizer", "subword:" + write(text + ".codes", "#version: 0.2\n")])


def ours(watch, s, o, folder, steps):
    run = folder + ".run"
    words = dict(layers=s["layers"], heads=s["heads"], width=s["width"], ffn=s["ffn"], context=s["context"],
                 activation=s["activation"], bias=str(s["bias"]).lower(), encoder_layers=s["encoder_layers"])
    options = ["model.%s=%s" % item for item in words.items()] + [
        "run.dir=" + run, "data.dir=" + folder, "train.slices=%d" % s["slices"], "train.steps=%d" % (steps + s["warm"]),
        "train.eval_every=0", "train.checkpoint_every=1M", "optim.schedule=constant", "optim.warmup=0", "optim.lr=1e-4",
        "optim.beta2=0.95", "optim.decay=0.1", "optim.clip=1"]
    if s["encoder_layers"]:
        options += ["train.batch_tokens=%d" % (s["batch"] * s["context"]), "train.label_smoothing=0.1",
                    "model.norm_place=post", "model.positions=sinusoidal"]
    else:
        options += ["train.batch=%d" % s["batch"]]
    subprocess.run(["rm", "-rf", run], check=True)
    done = watch.run([os.environ["LOCKSTEP"], "launch", "-n", str(o.workers)] + options + o.ours)
    with open(run + "/log.jsonl") as f:
        events = [e for e in map(json.loads, f) if e["event"] == "step"]
    events = events[s["warm"]:]
    found = re.search(r"model: (\S+) parameters", done.stderr)
    return dict(seconds=[e["seconds"] for e in events], tokens=[e["tokens"] for e in events], loss=events[-1]["loss"],
                flops=events[-1]["flops"] / events[-1]["tokens_per_second"] * events[-1]["tokens"],
                parameters=found.group(1) if found else None)


# --- PyTorch

def free_port():
    """Another one for each run: a port used just before may keep ranks from meeting."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def torch(watch, s, setting, o, seconds, count=False):
    threads, processes, tuned, bf16 = SETTINGS[setting]
    env = dict(OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")
    if tuned:
        env.update(MALLOC_TRIM_THRESHOLD_="4000000000", MALLOC_MMAP_THRESHOLD_="4000000000",
                   MALLOC_TOP_PAD_="268435456", GLIBC_TUNABLES="glibc.malloc.hugetlb=1")
        if o.blas and threads > 1:
            env["LD_LIBRARY_PATH"] = o.blas
        if "avx512f" in machine()["instructions"]:  # OpenBLAS takes a CPU that it does not know for an old one
            env["OPENBLAS_CORETYPE"] = "SkylakeX"
    job = dict(shape=s, seconds=seconds, warm=s["warm"], threads=threads, processes=processes, bf16=bf16,
               foreach=tuned, count=count, port=free_port())
    done = watch.run(["/usr/bin/python3", os.path.join(HERE, "peers_torch.py"), json.dumps(job)], env)
    return json.loads(done.stdout.splitlines()[-1])


def torch_again(watch, s, setting, o):
    """Two processes of PyTorch now and then never meet: a run that hangs is repeated."""
    for _ in range(2):
        try:
            return torch(watch, s, setting, o, o.seconds)
        except Failed as e:
            say("again: %s" % e)
    return torch(watch, s, setting, o, o.seconds)


# --- a shape

def check_same_work(name, s, mine, theirs):
    rows, formula = s["batch"] * s["context"], flops(s)
    wrong = []
    if set(mine["tokens"]) != {rows} or theirs["tokens"] != rows:
        wrong.append("tokens per step: %s and %d, expected %d" % (sorted(set(mine["tokens"])), theirs["tokens"], rows))
    if abs(theirs["counted"] / formula - 1) > 0.01:
        wrong.append("PyTorch multiplied %.4g FLOP, expected %.4g" % (theirs["counted"], formula))
    if abs(mine["flops"] / formula - 1) > 0.02:
        wrong.append("ours says %.4g FLOP, expected %.4g" % (mine["flops"], formula))
    if wrong:
        print("peers: shape %s is not the same work: %s" % (name, "; ".join(wrong)), file=sys.stderr)
        sys.exit(65)
    say("%s  same work: %d tokens, %.4g GFLOP by formula, PyTorch's products %.4g; parameters %s and %d" % (
        name, rows, formula / 1e9, theirs["counted"] / 1e9, mine["parameters"], theirs["parameters"]))


def quartiles(x):
    return statistics.quantiles(x, n=4, method="inclusive") if len(x) > 1 else [x[0]] * 3


def spread(x):
    low, middle, high = quartiles(x)
    return (high - low) / middle


def measure(name, o):
    s, watch = SHAPES[name], Watch()
    folder = os.path.join(o.scratch, name)
    prepare(watch, s, folder)
    first = ours(watch, s, o, folder, 5)
    steps = max(5, int(o.seconds / statistics.median(first["seconds"])))
    settings = [x for x in SETTINGS if not (o.float32 and SETTINGS[x][3])]
    tried = {}
    for setting in settings:
        try:
            got = torch(watch, s, setting, o, o.seconds / 2, count=setting == "stock")
        except Failed as e:
            if setting == "stock":
                raise
            say("%s  PyTorch %s is left out: %s" % (name, setting, e))
            continue
        if got["counted"]:
            check_same_work(name, s, first, got)
        tried[setting] = statistics.mean(got["seconds"])
        say("%s  PyTorch %-8s %.1f ms" % (name, setting, 1e3 * tried[setting]))
    best = {"float32": min((x for x in tried if not SETTINGS[x][3]), key=tried.get), "any": min(tried, key=tried.get)}
    rivals = list(dict.fromkeys(best.values()))
    mine, theirs = [], {x: [] for x in rivals}
    for pair in range(o.pairs):
        sides = ["ours"] + rivals
        for side in sides if pair % 2 == 0 else reversed(sides):
            if side == "ours":
                mine.append(statistics.mean(ours(watch, s, o, folder, steps)["seconds"]))
            else:
                theirs[side].append(statistics.mean(torch_again(watch, s, side, o)["seconds"]))
        say("%s  pair %d of %d: ours %.1f ms, %s" % (name, pair + 1, o.pairs, 1e3 * mine[-1], ", ".join(
            "PyTorch %s %.1f ms" % (x, 1e3 * theirs[x][-1]) for x in rivals)))
    rows, work, own = s["batch"] * s["context"], flops(s), statistics.median(mine)
    result = dict(shape=name, text=s["text"], tokens_per_step=rows, gflop_per_step=work / 1e9, steps=steps,
                  ours=dict(ms=1e3 * own, tokens_per_second=rows / own, gflops=work / own / 1e9, spread=spread(mine),
                            runs_ms=[1e3 * x for x in mine]),
                  tried_ms={x: 1e3 * y for x, y in tried.items()}, foreign=watch.share(), peers=[])
    for x in rivals:
        middle = statistics.median(theirs[x])
        result["peers"].append(dict(
            setting=x, fastest_of=[k for k, v in best.items() if v == x], ms=1e3 * middle, tokens_per_second=rows / middle,
            gflops=work / middle / 1e9, spread=spread(theirs[x]), runs_ms=[1e3 * y for y in theirs[x]],
            ratio=quartiles([y / z for y, z in zip(theirs[x], mine)])))
    return result


def machine():
    with open("/proc/cpuinfo") as f:
        info = f.read()
    flags = re.search(r"flags\s*: (.*)", info).group(1).split()
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "python3-torch"], stdout=subprocess.PIPE, text=True)
    return dict(cpu=re.search(r"model name\s*: (.*)", info).group(1), cores=os.cpu_count(), pytorch=version.stdout,
                instructions=[x for x in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if x in flags])


def complaints(load, results):
    found = ["load average %.2f at the start, over %.1f" % (load, LOAD_MOST)] if load > LOAD_MOST else []
    for r in results:
        if r["foreign"] > FOREIGN_MOST:
            found.append("%s: others used %.0f %% of the cores" % (r["shape"], 100 * r["foreign"]))
        for who, x in [("ours", r["ours"])] + [("PyTorch " + p["setting"], p) for p in r["peers"]]:
            if x["spread"] > SPREAD_MOST:
                found.append("%s: %s scatters by %.0f %%" % (r["shape"], who, 100 * x["spread"]))
    return found


def table(all_):
    m = all_["machine"]
    print("%s, %d cores (%s), PyTorch %s; %d pairs\n" % (
        m["cpu"], m["cores"], ", ".join(m["instructions"]), m["pytorch"], all_["pairs"]))
    print("| shape | GFLOP a step | ours, ms | tokens/s | GFLOP/s | PyTorch | ms | tokens/s | GFLOP/s | ratio (quartiles) |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for r in all_["shapes"]:
        for p in r["peers"]:
            low, middle, high = p["ratio"]
            a = r["ours"]
            print("| %s %s | %.1f | %.1f ± %.0f %% | %.0f | %.0f | %s | %.1f ± %.0f %% | %.0f | %.0f | %.2f (%.2f to %.2f) |" % (
                r["shape"], r["text"], r["gflop_per_step"], a["ms"], 50 * a["spread"], a["tokens_per_second"], a["gflops"],
                p["setting"] + ", fastest " + " and ".join({"float32": "in float32", "any": "of all"}[x] for x in p["fastest_of"]),
                p["ms"], 50 * p["spread"], p["tokens_per_second"], p["gflops"], middle, low, high))
    print()
    for c in all_["complaints"]:
        print("NOT A GOOD MEASUREMENT: " + c)
    if not all_["complaints"]:
        print("Quiet machine, no run scattered by more than %.0f %%." % (100 * SPREAD_MOST))


def shapes(text):
    names = text.upper().split(",")
    if not set(names) <= set(SHAPES):
        raise argparse.ArgumentTypeError("expected some of A,B,C,D, not " + text)
    return names


def options():
    p = argparse.ArgumentParser(prog="peers", description=__doc__, epilog=EXAMPLES,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--shapes", type=shapes, default=list(SHAPES), help="of A,B,C,D (default: all)")
    p.add_argument("--pairs", type=int, default=5, help="at least 5 are a good measurement (default: 5)")
    p.add_argument("--seconds", type=float, default=6, help="of a run, about (default: 6)")
    p.add_argument("--workers", type=int, default=2, help="of ours (default: 2)")
    p.add_argument("--ours", action="append", default=[], metavar="GROUP.NAME=VALUE", help="an option of ours; repeatable")
    p.add_argument("--float32", action="store_true", help="no bfloat16 in PyTorch")
    p.add_argument("--json", metavar="FILE", help="all numbers, as JSON")
    p.add_argument("--scratch", default=".", help=argparse.SUPPRESS)
    p.add_argument("--blas", default="", help=argparse.SUPPRESS)
    return p.parse_args()


def main():
    o, load = options(), os.getloadavg()[0]
    if load > LOAD_MOST:
        say("load average %.2f: others are at work, this will not be a good measurement" % load)
    try:
        results = [measure(name, o) for name in o.shapes]
    except Failed as e:
        sys.exit("peers: %s" % e)
    all_ = dict(machine=machine(), load=load, pairs=o.pairs, shapes=results, complaints=complaints(load, results))
    if o.pairs < 5:
        all_["complaints"].append("%d pairs, fewer than 5" % o.pairs)
    if o.json:
        write(o.json, json.dumps(all_, indent=1) + "\n")
    table(all_)
    sys.exit(1 if all_["complaints"] else 0)


if __name__ == "__main__":
    main()
