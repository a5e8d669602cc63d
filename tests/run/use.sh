#!/usr/bin/env bash
# use.sh - from a text to text: prepare, train, eval, generate, inspect; what must not depend on the number of ranks or
# on the way of asking does not.  The text is the project's own source.
source "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf data run from2 text.c*

cat "$top"/common/*/*.c "$top"/coordinator/*.c >text.c
gzip -k text.c
"$LOCKSTEP" prepare --out data --tokenizer bpe:1000 text.c.gz >prepare.log 2>&1 || fail "prepare: $(cat prepare.log)"
"$LOCKSTEP" train run.dir=run data.dir=data model.layers=2 model.heads=2 model.width=32 model.context=32 \
    train.batch=8 train.slices=4 train.steps=60 train.eval_every=30 train.checkpoint_every=30 optim.warmup=10 \
    optim.lr=3e-3 optim.ema=0.9 >train.log 2>&1 || fail "train: $(tail -5 train.log)"

grep -q 'worker 1 joined' train.log || fail "the one worker has another name: $(grep joined train.log)"

field_of() { sed -nE "s/.*\"$2\":([0-9.]+).*/\1/p" "$1"; }
first=$(field_of run/log.jsonl loss | head -1)
last=$(field run loss)
awk -v a="$first" -v b="$last" 'BEGIN { exit !(b < a - 0.5) }' || fail "it learns nothing: $first to $last"
say "loss $first to $last"

# a new run from another's parameters: step 0, and where that one ended
rm -rf from
"$LOCKSTEP" train run/run.yaml run.dir=from run.from=run train.steps=1 train.eval_every=0 optim.warmup=0 >from.log 2>&1 ||
    fail "train run.from: $(tail -5 from.log)"
start=$(field from loss)
awk -v a="$last" -v b="$start" 'BEGIN { exit !(b < a + 0.3) }' || fail "run.from starts at $start, the other ended at $last"
grep -q evaluation from/log.jsonl && fail "train.eval_every=0 evaluates"
"$LOCKSTEP" train run/run.yaml run.dir=from2 run.from=data >from.log 2>&1 && fail "run.from without a checkpoint is taken"
grep -q 'run.from data: there is no checkpoint' from.log || fail "run.from: $(cat from.log)"
say "run.from: loss $start"

"$LOCKSTEP" eval --run run >eval.1 2>eval.log || fail "eval: $(cat eval.log)"
mpirun -n 3 "$LOCKSTEP" eval --run run >eval.3 2>eval.log || fail "eval under mpirun: $(cat eval.log)"
diff eval.1 eval.3 || fail "eval says something else under mpirun"
grep -q 'bits/byte' eval.1 || fail "eval prints no bits per byte: $(cat eval.1)"
"$LOCKSTEP" eval --run run --step 30 >eval.30 2>eval.log || fail "eval --step 30: $(cat eval.log)"
! cmp -s eval.1 eval.30 || fail "eval --step 30 says what step 60 says"
"$LOCKSTEP" eval --run run/checkpoints/step-00000030 >eval.path 2>eval.log || fail "eval of a checkpoint: $(cat eval.log)"
cmp eval.30 eval.path || fail "eval of a checkpoint by its path says something else"
"$LOCKSTEP" eval --run run --ema >eval.ema 2>eval.log || fail "eval --ema: $(cat eval.log)"
awk '{ print $5 }' eval.1 eval.ema | sort -u | wc -l | grep -qx 2 || fail "eval --ema says what eval says"
say "$(tr '\n' ' ' <eval.1) average: $(cat eval.ema)"

generate() { "$LOCKSTEP" generate --run run --prompt "static int " --tokens 40 "$@" 2>generate.log || fail "generate $*: $(cat generate.log)"; }
generate --seed 7 >text.1
generate --seed 7 >text.2
generate --seed 8 >text.3
cmp text.1 text.2 || fail "generate: the same seed gives another text"
! cmp -s text.1 text.3 || fail "generate: another seed gives the same text"
printf 'static int ' | "$LOCKSTEP" generate --run run --prompt - --tokens 40 --seed 7 >text.4 2>generate.log ||
    fail "generate --prompt -: $(cat generate.log)"
cmp text.1 text.4 || fail "generate: a prompt from standard input gives another text"
generate --seed 7 --ema >text.4
! cmp -s text.1 text.4 || fail "generate --ema speaks with the parameters themselves"
generate --temperature 0 --seed 1 >text.5
generate --top-k 1 --seed 2 >text.6
cmp text.5 text.6 || fail "generate: temperature 0 is not the likeliest token"
say "generate: $(head -c 60 text.1 | tr '\n' ' ')"

for path in run run/checkpoints/step-00000060 run/checkpoints/step-00000060/model.safetensors run/journal data \
            data/train.tokens; do
    "$LOCKSTEP" inspect $path >inspect.txt 2>&1 || fail "inspect $path ends with $?: $(cat inspect.txt)"
    [ -s inspect.txt ] || fail "inspect $path says nothing"
done
printf x | dd of=run/checkpoints/step-00000060/model.safetensors bs=1 seek=4000 conv=notrunc status=none
code=0
"$LOCKSTEP" inspect run/checkpoints/step-00000060 >inspect.txt 2>&1 || code=$?
[ $code -eq 65 ] || fail "inspect of a damaged checkpoint ends with $code, expected 65: $(cat inspect.txt)"
grep -q model.safetensors inspect.txt || fail "inspect does not name the damaged file: $(cat inspect.txt)"
say "inspect: whole and damaged"
