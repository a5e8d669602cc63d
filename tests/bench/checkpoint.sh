#!/usr/bin/env bash
# checkpoint.sh [STEPS] [ROUNDS] - what checkpoints cost: a model of 20 million parameters (moments included, a checkpoint has 240 MB),
# coordinator and one worker on a core each, with a checkpoint about every ten seconds and without, in turn, ROUNDS times; and
# how long training stood still for one.  Decides nothing.
#     LOCKSTEP=build/release/lockstep TEST_SHARED=../shared tests/bench/checkpoint.sh
source "$(dirname "$0")/../run/lib.sh"
steps=${1:-60}
rounds=${2:-3}
[ -s "$shakespeare" ] || skip "no $shakespeare"
head -c 200000 "$shakespeare" >text.txt # a short held-out text: evaluation is not what is measured
shakespeare=$scratch/text.txt
prepare data char
common=(data.dir=data model.layers=6 model.heads=8 model.width=512 model.context=64 train.batch=8 train.slices=4
        train.steps="$steps" train.eval_every=1000000 train.keep_best=false cluster.threads=1 run.log_every=1000)

# seconds from each step to the next
steps_of() { sed -nE 's/^\{"time":([0-9.]+),"event":"step",.*/\1/p' "$1/log.jsonl" | awk 'NR > 3 {print $1 - t} {t = $1}'; }

run() { # NAME EVERY
    rm -rf "run-$1"
    "$LOCKSTEP" launch -n 1 "${common[@]}" train.checkpoint_every="$2" run.dir="run-$1" >"run-$1.log" 2>&1 ||
        fail "$(tail -3 "run-$1.log")"
    steps_of "run-$1" >"$1.steps"
}

# train.checkpoint_every is twice that: one is written half-way
every=
for ((round = 1; round <= rounds; round++)); do
    run without 1000000
    if [ -z "$every" ]; then
        every=$(awk '{s += $1; n++} END {e = int(10 * n / s); print e < 1 ? 2 : 2 * e}' without.steps)
        say "a step takes $(awk '{s += $1; n++} END {printf "%.3f", s / n}' without.steps) s; a checkpoint every $((every / 2)) steps"
    fi
    run with "$every"
    paste without.steps with.steps | awk -v r=$round '
        {a += $1; b += $2; if ($1 > amax) amax = $1; if ($2 > bmax) bmax = $2}
        END {printf "round %d: %.3f s a step without, %.3f s with: %+.2f %%; longest step %.3f and %.3f s\n",
                    r, a / NR, b / NR, 100 * (b / a - 1), amax, bmax}'
    sed -nE 's/.*"event":"checkpoint".*"text":"(written.*)"\}/    checkpoint \1/p' run-with/log.jsonl
done
