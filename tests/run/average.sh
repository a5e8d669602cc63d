#!/usr/bin/env bash
# average.sh - a better model out of a run: the mean of its checkpoints, an end when nothing better comes, and lengths in
# tokens.  The text is the project's own source.
source "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf data run run-* mean* text.c *.log

cat "$top"/common/optim/*.[ch] "$top"/common/flat/*.[ch] >text.c
"$LOCKSTEP" prepare --out data --tokenizer byte text.c >prepare.log 2>&1 || fail "prepare: $(cat prepare.log)"
common=(data.dir=data model.layers=1 model.heads=2 model.width=16 model.context=16 train.batch=8 train.slices=4)

train() { # RUN [key=value...]
    "$LOCKSTEP" train run.dir="$1" "${common[@]}" "${@:2}" >"$1.log" 2>&1 || fail "$1 ends with $?: $(tail -3 "$1.log")"
}
refused() { # CODE WORDS ARGUMENTS...: `average` ends so and says so
    local code=0
    "$LOCKSTEP" average "${@:3}" >out.txt 2>&1 || code=$?
    [ $code -eq "$1" ] || fail "average ${*:3} ends with $code, expected $1: $(cat out.txt)"
    grep -q -- "$2" out.txt || fail "average ${*:3} does not say '$2': $(cat out.txt)"
}

# --- the mean
train run train.steps=60 train.eval_every=20 train.checkpoint_every=10 train.keep_last=9 optim.warmup=5 optim.lr=1e-2
at() { printf 'run/checkpoints/step-%08d' "$1"; }
"$LOCKSTEP" average run --last 3 --out mean >out.txt 2>&1 || fail "average: $(cat out.txt)"
"$LOCKSTEP" average "$(at 60)" "$(at 40)" "$(at 50)" --out mean-again >out.txt 2>&1 || fail "average: $(cat out.txt)"
cmp mean/model.safetensors mean-again/model.safetensors || fail "the order of the names changes the bits"
"$LOCKSTEP" average run --best 2 --out run/best >out.txt 2>&1 || fail "average --best: $(cat out.txt)"
[ "$(grep -c 'step-000000[24]0\|step-00000060' out.txt)" -eq 2 ] || fail "--best took what was not evaluated: $(cat out.txt)"
"$LOCKSTEP" eval --run mean >mean.txt 2>mean.err || fail "eval of a mean: $(cat mean.err)"
"$LOCKSTEP" eval --run run >run.txt 2>run.err || fail "eval: $(cat run.err)"
awk 'NR == FNR { run = $5; next } { exit !($5 > run - 0.2 && $5 < run + 0.2 && $5 != run) }' run.txt mean.txt ||
    fail "the mean is no neighbour of the last: $(cat mean.txt run.txt)"
"$LOCKSTEP" generate --run mean --tokens 5 >out.txt 2>&1 || fail "generate from a mean: $(cat out.txt)"
"$LOCKSTEP" inspect mean >out.txt 2>&1 || fail "inspect of a mean: $(cat out.txt)"
say "mean of three: $(cat mean.txt)"

train run-other train.steps=10 optim.lr=1e-3
refused 78 "run/checkpoints/step-00000060 and .*run-other/checkpoints/step-00000010 have other configurations" run run-other --out mean-none
refused 78 "3 of 6 good checkpoints" run --best 4 --out mean-none
refused 73 "exists already" run --out mean
refused 66 "no checkpoint in it" data --out mean-none
refused 64 "exclude each other" run --last 1 --best 1 --out mean-none
[ ! -e mean-none ] || fail "a refused average leaves a folder"
say "refused: what does not fit"

# --- as many tokens as two steps have: 2 x 8 x 16
train run-tokens train.steps=256t
[ "$(field run-tokens step) $(field run-tokens state)" = "2 done" ] || fail "256 tokens are not two steps: $(cat run-tokens/status.json)"
say "256 tokens: two steps"

# --- an early end: the rate is 0, so nothing is ever better than the first
early=(train.eval_every=5 train.patience=2 optim.lr=0 optim.warmup=0)
train run-early train.steps=10 "${early[@]}"
train run-early train.steps=100 "${early[@]}"
expect_end() { # STEP
    [ "$(field run-early state) $(field run-early step) $(field run-early exit_code)" = "done $1 0" ] ||
        fail "expected an end at step $1: $(cat run-early/status.json)"
    grep -q "no better held-out loss in .* is that of step 5\"" run-early/status.json ||
        fail "status.json does not say why: $(cat run-early/status.json)"
}
expect_end 15
grep -q "ends early, at step 15: no better held-out loss in 2 evaluations" run-early.log ||
    fail "it does not say why: $(tail -3 run-early.log)"
grep -q "the checkpoint of the best held-out loss is run-early/checkpoints/step-00000005$" run-early.log && [ -e run-early/checkpoints/step-00000005 ] ||
    fail "the best checkpoint is not named, or not there: $(tail -3 run-early.log)"
train run-early train.steps=100 "${early[@]}"
expect_end 15
grep -q "a larger train.patience goes on" run-early.log || fail "nothing is said of how to go on: $(cat run-early.log)"
"$LOCKSTEP" launch -n 2 run.dir=run-early "${common[@]}" train.steps=100 "${early[@]}" train.patience=4 >launch.log 2>&1 ||
    fail "launch ends with $?: $(tail -3 launch.log)"
expect_end 25
say "early end: at step 15, and with more patience at 25"
