#!/usr/bin/env bash
# latency.sh SEED KILLS SILENCES - from the death of a worker process to the moment in which the coordinator has leased its
# slices to somebody else (it does that in the event that tells the end, which log.jsonl has): workers that join a run over TCP
# are stopped at a fail point - idle, computing, pushing or pulling - and killed there.  Then the same for workers that fall
# silent without an end, as one whose cable is pulled: stopped there, and left so.
source "$(dirname "$0")/../run/lib.sh"
RANDOM=$1
kills=$2
silences=$3
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
told() { grep -q "pid $victim) $1" run-kills/log.jsonl; }

points=(idle compute pushing pulling)
# victim POINT: joins, and stops there; its pid in $victim
victim() {
    LOCKSTEP_FAIL="worker.$1=stop@$((1 + RANDOM % 5))" "$LOCKSTEP" worker --run run-kills --threads 1 >victim.log 2>&1 &
    victim=$!
    disown $victim
    wait_for 30 stopped $victim || fail "the worker does not come to $1: $(cat victim.log)"
}
# since AT TEXT POINT: milliseconds from AT to what log.jsonl says of the victim
since() {
    sed -nE 's/^\{"time":([0-9.]+),.*pid '"$victim"'\) '"$2"'.*/\1/p' run-kills/log.jsonl |
        awk -v at="$1" -v point="$3" '{printf "%.1f %s\n", ($1 - at) * 1000, point}' >>times
}

for ((i = 0; i < kills; i++)); do
    point=${points[i % 4]}
    victim "$point"
    at=$(date +%s.%N)
    kill -KILL $victim
    wait_for 10 told "connection closed" || fail "the death of $victim ($point) is not noticed"
    since "$at" "connection closed" "$point"
done
for ((i = 0; i < silences; i++)); do
    victim "${points[i % 4]}"
    # its last word came at most one heartbeat and one look of ours, 50 ms, before this
    at=$(date +%s.%N)
    wait_for 10 told "peer did not answer in time" || fail "the silence of $victim (${points[i % 4]}) is not noticed"
    since "$at" "peer did not answer in time" silent
    kill -KILL $victim
done
code=0
kill -TERM "$launched"
wait "$launched" || code=$?
[ $code -eq 75 ] || fail "asked to stop, it ended with $code: $(tail -3 run-kills.log)"
[ "$(wc -l <times)" -eq $((kills + silences)) ] || fail "$(wc -l <times) ends were noticed instead of $((kills + silences))"
for point in "${points[@]}" silent; do
    grep " $point" times | sort -n | awk -v p="$point" '{t[NR] = $1}
        END {printf "%-8s %3d times, median %.1f ms, largest %.1f ms\n", p, NR, t[int((NR + 1) / 2)], t[NR]}'
done
grep -v silent times | sort -n |
    awk '{t[NR] = $1} END {printf "all      %3d kills, 99th percentile %.1f ms\n", NR, t[int(NR * 0.99 + 0.999)]}'
