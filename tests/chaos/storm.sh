#!/usr/bin/env bash
# storm.sh SEED STEPS FAULTS - a coordinator and four workers under a seeded storm: SIGKILL, SIGSTOP for 0.1 to 10 s, polite
# leaves, joins over TCP.  The weights and moments are those of a run that nobody disturbed, every step is committed once, and
# the run ends by itself.
#
# Each slice sleeps 20 ms where a machine of its own would compute: so the workers' speeds are known and add up, whatever the
# number of cores here, and what the live ones could have done is (seconds lived and not stopped) / 20 ms.  60 slices divide
# evenly among 2 to 6 workers: what is missing at the end is the faults' doing, and that of the time between steps.
source "$(dirname "$0")/../run/lib.sh"
seed=$1
steps=$2
faults=$3
RANDOM=$seed
prepare data char
rm -rf run-* events
say "seed $seed"

slices=60
common=(data.dir=data model.layers=1 model.heads=1 model.width=32 model.context=8 model.dropout=0.1 train.batch=60
        train.slices=$slices train.steps="$steps" train.checkpoint_every="$steps" train.eval_every=1000000
        train.keep_best=false cluster.threads=1 run.log_every=50)

"$LOCKSTEP" train "${common[@]}" run.dir=run-reference >run-reference.log 2>&1 || fail "$(tail -3 run-reference.log)"
reference=$(sums run-reference "$steps")

export LOCKSTEP_FAIL='worker.compute=sleep:20ms'
"$LOCKSTEP" launch -n 4 "${common[@]}" run.dir=run-storm >run-storm.log 2>&1 &
launched=$!
pids=()     # of workers that live and are not stopped
declare -A wakes=() # when a stopped one goes on, by its pid
stoppers=() # of those who wake somebody up
mine=()     # of all that was started, to be ended
trap 'kill -KILL "$launched" "${stoppers[@]}" "${mine[@]}" 2>/dev/null || true' EXIT

now() { date +%s.%N; }
log=run-storm/log.jsonl
step() { tail -n 30 "$log" 2>/dev/null | sed -nE 's/.*"event":"step","step":([0-9]+),.*/\1/p' | tail -1; }
reached() { [ "$(step || true)" -ge "$1" ] 2>/dev/null; }
live() { [ -d "/proc/$1" ] && [ "$(cut -d' ' -f3 "/proc/$1/stat" 2>/dev/null)" != Z ]; }
event() { echo "$(now) $1 $2" >>events; } # DELTA PID

join() {
    "$LOCKSTEP" worker --run run-storm --threads 1 --wait 30s >>"joined-$1.log" 2>&1 &
    mine+=($!)
    pids+=($!)
}

choose() { # one of those who live and are not stopped; the first stays, so that there is always one
    local i=$((1 + RANDOM % (${#pids[@]} - 1)))
    chosen=${pids[i]}
}
without() {
    local left=() p
    for p in "${pids[@]}"; do [ "$p" = "$1" ] || left+=("$p"); done
    pids=("${left[@]}")
}

wait_for 60 reached 1 || fail "it does not begin: $(tail -3 run-storm.log)"
coordinator=$(field run-storm pid)
mapfile -t pids < <(sed -nE 's/.*"event":"member".*pid ([0-9]+)\) joined.*/\1/p' "$log")
[ ${#pids[@]} -eq 4 ] || fail "not four workers: ${pids[*]}"
mine+=("$coordinator" "${pids[@]}")

awake() { # those whose time has come are back
    local p
    for p in "${!wakes[@]}"; do
        [ "${wakes[$p]}" -le "$(date +%s%N)" ] || continue
        pids+=("$p")
        unset "wakes[$p]"
    done
}

kinds=(0 0 0 0)
done_faults=0
for ((i = 1; i <= faults; i++)); do
    at=$((2 + (steps - 15) * i / faults - RANDOM % 5))
    wait_for 120 reached $at || fail "no step $at: $(tail -3 run-storm.log)"
    awake
    all=$((${#pids[@]} + ${#wakes[@]}))
    kind=$((RANDOM % 4))
    [ "$all" -gt 3 ] && [ ${#pids[@]} -gt 1 ] || kind=3
    [ "$all" -lt 6 ] || [ $kind -ne 3 ] || kind=1
    kinds[kind]=$((kinds[kind] + 1))
    case $kind in
        0)
            choose
            kill -KILL "$chosen" || fail "worker $chosen is not there any more"
            event -1 "$chosen"
            without "$chosen"
            say "step $at: SIGKILL to $chosen; ${#pids[@]} live"
            ;;
        1)
            choose
            ms=$(awk -v r=$RANDOM 'BEGIN {printf "%d", 100 * exp(log(100) * r / 32768)}')
            kill -STOP "$chosen" || fail "worker $chosen is not there any more"
            event -1 "$chosen"
            without "$chosen"
            wakes[$chosen]=$(($(date +%s%N) + ms * 1000000 + 200000000))
            (
                sleep "$(awk -v m="$ms" 'BEGIN {print m / 1000}')" # the fault itself
                kill -CONT "$chosen"
                event +1 "$chosen"
            ) &
            stoppers+=($!)
            say "step $at: SIGSTOP to $chosen for $ms ms"
            ;;
        2)
            choose
            kill -TERM "$chosen" || fail "worker $chosen is not there any more"
            event -1 "$chosen"
            without "$chosen"
            say "step $at: $chosen is asked to leave; ${#pids[@]} live"
            ;;
        3)
            join "$i"
            say "step $at: one joins over TCP; ${#pids[@]} live"
            ;;
    esac
    done_faults=$((done_faults + 1))
done

code=0
wait "$launched" || code=$?
[ $code -eq 0 ] || fail "launch ended with $code: $(tail -5 run-storm.log)"
for p in "${mine[@]}"; do
    wait_for 20 eval "! live $p" || fail "process $p outlives the run"
done
[ "$(sums run-storm "$steps")" = "$reference" ] || fail "the storm changes the weights (seed $seed)"
once=$(grep -c '"event":"step"' "$log")
[ "$once" -eq "$steps" ] || fail "$once steps were committed instead of $steps"
sed -nE 's/.*"event":"step","step":([0-9]+),.*/\1/p' "$log" | awk '$1 != NR {exit 1}' || fail "steps out of order"
say "$done_faults faults (${kinds[0]} killed, ${kinds[1]} stopped, ${kinds[2]} left, ${kinds[3]} joined): same bits, every step once"

# the first 4 are there from the first step on; others when the coordinator welcomed them for the first time
from=$(sed -nE 's/^\{"time":([0-9.]+),"event":"step","step":1,.*/\1/p' "$log")
to=$(sed -nE 's/^\{"time":([0-9.]+),"event":"step","step":'"$steps"',.*/\1/p' "$log")
for p in "${mine[@]:5}"; do
    sed -nE 's/^\{"time":([0-9.]+),"event":"member".*pid '"$p"'\) joined.*/\1 +1 '"$p"'/p' "$log" | head -1 >>events
done
sort -n events | awk -v from="$from" -v to="$to" -v steps="$steps" -v V=$slices '
    BEGIN {live = 4; last = from}
    $1 < to {could += live * ($1 - last); last = $1; live += $2}
    END {
        could += live * (to - last)
        printf "done %d slices in %.1f s, the live workers could have done %.0f: %.1f %%\n",
               (steps - 1) * V, to - from, could / 0.02, 100 * (steps - 1) * V * 0.02 / could
    }'
