#!/usr/bin/env bash
# latency.sh SEED KILLS - from the death of a worker process to the moment in which the coordinator has leased its slices to
# somebody else (it does that in the event that tells the end, which log.jsonl has): workers that join a run over TCP are
# stopped at a fail point - idle, computing, pushing or pulling - and killed there.
source "$(dirname "$0")/../run/lib.sh"
RANDOM=$1
kills=$2
prepare data char
rm -rf run-* times
say "seed $1"
common=(data.dir=data model.layers=2 model.heads=2 model.width=64 model.context=32 train.batch=16 train.slices=16
        train.steps=1M train.eval_every=1000000 train.checkpoint_every=1000000 cluster.threads=1 run.log_every=1000)
"$LOCKSTEP" launch -n 1 "${common[@]}" run.dir=run-kills >run-kills.log 2>&1 &
launched=$!
victim=
trap 'kill -KILL $victim 2>/dev/null || true; kill -TERM "$launched" 2>/dev/null || true' EXIT
wait_for 60 at_step run-kills 1 || fail "it does not begin: $(tail -3 run-kills.log)"

stopped() { [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" = T ]; }
told() { grep -q "pid $1) connection closed" run-kills/log.jsonl; }

points=(idle compute pushing pulling)
for ((i = 0; i < kills; i++)); do
    point=${points[i % 4]}
    LOCKSTEP_FAIL="worker.$point=stop@$((1 + RANDOM % 5))" \
        "$LOCKSTEP" worker --run run-kills --threads 1 >victim.log 2>&1 &
    victim=$!
    disown $victim
    wait_for 30 stopped $victim || fail "the worker does not come to $point: $(cat victim.log)"
    at=$(date +%s.%N)
    kill -KILL $victim
    wait_for 10 told $victim || fail "the death of $victim ($point) is not noticed"
    sed -nE 's/^\{"time":([0-9.]+),.*pid '$victim'\) connection closed.*/\1/p' run-kills/log.jsonl |
        awk -v at="$at" -v point="$point" '{printf "%.1f %s\n", ($1 - at) * 1000, point}' >>times
done
code=0
kill -TERM "$launched"
wait "$launched" || code=$?
[ $code -eq 75 ] || fail "asked to stop, it ended with $code: $(tail -3 run-kills.log)"
[ "$(wc -l <times)" -eq "$kills" ] || fail "$(wc -l <times) deaths were noticed instead of $kills"
for point in "${points[@]}"; do
    grep " $point" times | sort -n | awk -v p="$point" '{t[NR] = $1}
        END {printf "%-8s %3d kills, median %.1f ms, largest %.1f ms\n", p, NR, t[int((NR + 1) / 2)], t[NR]}'
done
sort -n times | awk '{t[NR] = $1} END {printf "all      %3d kills, 99th percentile %.1f ms\n", NR, t[int(NR * 0.99 + 0.999)]}'
