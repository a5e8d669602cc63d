#!/usr/bin/env bash
# away.sh - a worker that came over TCP is stopped, and goes on when the run is done: it says so and ends, at once, however
# long it is told to look for a coordinator.
source "$(dirname "$0")/../run/lib.sh"
prepare data char
rm -rf run-*
steps=60
common=(data.dir=data model.layers=1 model.heads=1 model.width=32 model.context=32 train.batch=12 train.slices=12
        train.steps=$steps train.eval_every=1000 train.checkpoint_every=1000 cluster.threads=1)
"$LOCKSTEP" train "${common[@]}" run.dir=run-reference >run-reference.log 2>&1 || fail "$(tail -3 run-reference.log)"

LOCKSTEP_FAIL='worker.compute=sleep:10ms' "$LOCKSTEP" launch -n 2 "${common[@]}" run.dir=run-away >run-away.log 2>&1 &
launched=$!
away=
trap 'kill -KILL $away $launched 2>/dev/null || true' EXIT
wait_for 60 at_step run-away 1 || fail "it does not begin: $(tail -3 run-away.log)"
"$LOCKSTEP" worker --run run-away --threads 1 --wait 1h >away.log 2>&1 &
away=$!
joined() { grep -q "pid $away) joined" run-away/log.jsonl; }
wait_for 30 joined || fail "it does not join: $(cat away.log)"
kill -STOP $away
code=0
wait $launched || code=$?
launched=
[ $code -eq 0 ] || fail "launch ended with $code: $(tail -3 run-away.log)"
[ "$(sums run-away $steps)" = "$(sums run-reference $steps)" ] || fail "it ends in other bits"
grep -q "pid $away) peer did not answer in time" run-away/log.jsonl || fail "nobody has missed it: $(cat run-away.log)"
kill -CONT $away
ended() { [ "$(cut -d' ' -f3 "/proc/$away/stat" 2>/dev/null || echo Z)" = Z ]; }
wait_for 20 ended || fail "it goes on looking: $(cat away.log)"
wait $away || code=$?
away=
[ $code -eq 0 ] || fail "it ended with $code: $(cat away.log)"
grep -q 'the run was done while this worker was away' away.log || fail "it does not say why it ends: $(cat away.log)"
say "$(tail -1 away.log)"
