#!/usr/bin/env bash
# straggler.sh STEPS - a worker at a quarter of the speed of four equal ones: the same bits, it is named within ten steps, and
# the share of the sum of their speeds that the five reach together.  A slice sleeps 20 ms, the slow one's 80 ms, so that the
# speeds are known and add up whatever the number of cores here.  A trainer that gives each the same and waits for all of
# them reaches 5 x 0.25 / 4.25 = 29 %.
source "$(dirname "$0")/../run/lib.sh"
steps=$1
slices=128
prepare data char
rm -rf run-*
common=(data.dir=data model.layers=1 model.heads=1 model.width=32 model.context=8 model.dropout=0.1 train.batch=$slices
        train.slices=$slices train.steps="$steps" train.eval_every=1000000 train.checkpoint_every=1000000
        train.keep_best=false cluster.threads=1)
"$LOCKSTEP" train "${common[@]}" run.dir=run-reference >run-reference.log 2>&1 || fail "$(tail -3 run-reference.log)"

LOCKSTEP_FAIL='worker.compute=sleep:20ms' "$LOCKSTEP" launch -n 4 "${common[@]}" run.dir=run-slow >run-slow.log 2>&1 &
launched=$!
slow=
trap 'kill -KILL $slow "$launched" 2>/dev/null || true' EXIT
wait_for 60 at_step run-slow 1 || fail "it does not begin: $(tail -3 run-slow.log)"
LOCKSTEP_FAIL='worker.compute=sleep:80ms' "$LOCKSTEP" worker --run run-slow --threads 1 >slow.log 2>&1 &
slow=$!
code=0
wait $launched || code=$?
[ $code -eq 0 ] || fail "it ended with $code: $(tail -3 run-slow.log)"
wait $slow || fail "the slow worker ended with $?: $(tail -3 slow.log)"
[ "$(sums run-slow "$steps")" = "$(sums run-reference "$steps")" ] || fail "other bits"

log=run-slow/log.jsonl
joined=$(sed -nE 's/.*"event":"member","step":([0-9]+),.*pid '$slow'\) joined.*/\1/p' $log)
named=$(sed -nE 's/.*"step":([0-9]+),.*pid '$slow'\).*slow.*/\1/p' $log | head -1)
[ -n "$named" ] || fail "the slow worker is not named"
[ $((named - joined)) -le 10 ] || fail "the slow worker was named $((named - joined)) steps after it had joined"
say "same bits; joined at step $joined, named at step $named: $(grep -m1 -i slow run-slow.log)"
awk -F'[:,]' -v from=$((joined + 2)) -v to="$steps" -v V=$slices '
    /"event":"step"/ {time[$6] = $2}
    END {
        T = time[to] - time[from]
        printf "steps %d to %d: %.3f s each, %.1f %% of the sum of speeds\n", from, to, T / (to - from),
               100 * (to - from) * V * 0.02 / (4.25 * T)
    }' $log
