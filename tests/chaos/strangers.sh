#!/usr/bin/env bash
# strangers.sh [ROUNDS [SECONDS]] - what comes to an open port while a run trains: wrong tokens, a handshake that was overheard, frames and
# messages that are too much, a thousand connections that say nothing, two hundred that say a byte now and then.  All end or are
# bounded: nobody is lost, a genuine worker still comes in, memory grows by at most 16 MiB, the bits are the same.  How much
# slower it trains meanwhile is printed.
source "$(dirname "$0")/../run/lib.sh"
rounds=${1:-1}
seconds=${2:-5}
prepare data char
rm -rf run-* relay.log
common=(data.dir=data model.layers=2 model.heads=2 model.width=64 model.context=64 model.dropout=0.1 train.batch=16
        train.slices=8 train.eval_every=1000000 train.checkpoint_every=1000000 cluster.threads=1 optim.schedule=constant
        run.log_every=100)
"$LOCKSTEP" launch -n 1 "${common[@]}" train.steps=1M run.dir=run-open >run-open.log 2>&1 &
launched=$!
mine=()
trap 'kill -TERM $launched "${mine[@]}" 2>/dev/null || true' EXIT
wait_for 60 at_step run-open 50 || fail "it does not begin: $(tail -n 3 run-open.log)"
coordinator=$(field run-open pid)
address=$(cat run-open/address)
token=$scratch/run-open/token

kib() { sed -nE "s/^$1:\s+([0-9]+) kB/\1/p" "/proc/$coordinator/status"; }
steps_between() { # FROM TO: steps a second
    sed -nE 's/^\{"time":([0-9.]+),"event":"step",.*/\1/p' run-open/log.jsonl |
        awk -v a="$1" -v b="$2" '$1 >= a && $1 < b {n++} END {printf "%.1f", n / (b - a)}'
}
now() { date +%s.%N; }

# attack NAME COMMAND...: memory, speed, nobody lost
attack() {
    local name=$1 before after quiet from to report
    shift
    from=$(now)
    read -rt "$seconds" <> <(:) || true # undisturbed, to compare with
    quiet=$(steps_between "$from" "$(now)")
    echo 5 >"/proc/$coordinator/clear_refs" # the high water mark begins here
    before=$(kib VmHWM)
    from=$(now)
    report=$("$@" 2>&1) || fail "$name: $report"
    to=$(now)
    after=$(kib VmHWM)
    [ $((after - before)) -le 16384 ] || fail "$name: memory grew by $((after - before)) KiB"
    say "$report; memory $((after - before)) KiB more, $(steps_between "$from" "$to") steps/s, undisturbed $quiet"
}
joined() { grep -q "pid $1) joined" run-open/log.jsonl; }
flood_with_joiner() { # a genuine worker comes in meanwhile, and leaves
    local flood joiner start
    "$STRANGER" "$address" idle 1000 $((2 * seconds)) &
    flood=$!
    read -rt 2 <> <(:) || true
    start=$(date +%s%N)
    "$LOCKSTEP" worker --run run-open --threads 1 >joiner.log 2>&1 &
    joiner=$!
    wait_for 30 joined $joiner || { echo "no genuine worker comes in: $(cat joiner.log)"; return 1; }
    echo "a genuine worker came in after $((($(date +%s%N) - start) / 1000000)) ms"
    kill -TERM $joiner
    wait $joiner || return 1
    wait $flood
}
replay() {
    local relay joiner port
    rm -f relay.log
    "$STRANGER" "$address" relay 60 >relay.log &
    relay=$!
    wait_for 10 test -s relay.log || return 1
    port=$(head -n 1 relay.log)
    "$LOCKSTEP" worker --join "$port" --token-file "$token" --threads 1 >joiner.log 2>&1 &
    joiner=$!
    wait_for 30 joined $joiner || { echo "nothing to overhear: $(cat joiner.log)"; return 1; }
    kill -TERM $joiner
    wait $joiner || return 1
    wait $relay || { cat relay.log; return 1; }
    tail -n 1 relay.log
}

for ((round = 1; round <= rounds; round++)); do
    attack "wrong token" "$STRANGER" "$address" wrong-token 200
    attack "replay" replay
    attack "oversized" "$STRANGER" "$address" oversized 20
    attack "oversized after a right handshake" "$STRANGER" "$address" oversized 20 "$token"
    for bytes in 16000 67000000; do
        attack "nested" "$STRANGER" "$address" nested $bytes 20 "$token"
        attack "empty" "$STRANGER" "$address" empty $bytes 20 "$token"
    done
    attack "idle" "$STRANGER" "$address" idle 1000 $((2 * seconds))
    attack "idle, and a newcomer" flood_with_joiner
    attack "trickle" "$STRANGER" "$address" trickle 200 $seconds
done

code=0
kill -TERM $launched
wait $launched || code=$?
[ $code -eq 75 ] || fail "asked to stop, it ended with $code: $(tail -n 5 run-open.log)"
! grep -q 'worker [0-9]* .* is lost' run-open.log || fail "a worker was lost: $(grep 'is lost' run-open.log)"
for reason in 'turned away: it does not know' 'connections turned away since'; do
    grep -q "$reason" run-open.log || fail "the log does not say '$reason': $(grep 'turned away' run-open.log | head -n 5)"
done
steps=$(field run-open step)
"$LOCKSTEP" train "${common[@]}" cluster.threads=2 train.steps="$steps" run.dir=run-alone >run-alone.log 2>&1 || fail "$(tail -n 3 run-alone.log)"
[ "$(sums run-open "$steps")" = "$(sums run-alone "$steps")" ] || fail "other bits after $steps steps"
say "$steps steps, the same bits, no worker lost; turned away: $(grep -c 'turned away' run-open.log) lines in the log"
