#!/usr/bin/env bash
# idle.sh - how much of a core the coordinator uses while two workers compute a model of 10.7 million parameters (a step
# takes about two seconds).  Under 3 % is promised; the test only fails when it plainly spins.
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf run
mpirun --bind-to none -n 3 "$LOCKSTEP" train run.dir=run data.dir=data model.layers=6 model.heads=6 model.width=384 \
    model.context=256 model.bias=false train.batch=16 train.steps=1000 train.eval_every=1000 >run.log 2>&1 &
job=$!
trap 'kill -TERM $job 2>/dev/null || true; wait' EXIT
wait_for 60 at_step run 1 || fail "no step in a minute: $(tail -3 run.log)"
pid=$(field run pid)
used() { awk '{ print $14 + $15 }' "/proc/$pid/stat"; }
first=$(field run step) before=$(used)
wait_for 60 at_step run $((first + 8)) || fail "no eight steps in a minute"
start=$(date +%s%N) before=$(used)
wait_for 90 at_step run $((first + 16)) || fail "no eight steps in a minute and a half"
after=$(used) end=$(date +%s%N)
share=$(awk -v t=$((after - before)) -v ns=$((end - start)) -v hz="$(getconf CLK_TCK)" \
    'BEGIN { printf "%.2f", 100 * t / hz / (ns * 1e-9) }')
say "the coordinator used $share % of a core over 8 steps and $(((end - start) / 1000000)) ms, updates included"
awk -v s="$share" 'BEGIN { exit !(s < 50) }' || fail "the coordinator spins"
