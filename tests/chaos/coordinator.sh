#!/usr/bin/env bash
# coordinator.sh KILLS [POINT...] - the coordinator under `lockstep launch -n 2` ends at each fail point (all that the program
# names, or these), once in its first pass and once in mid-run; calls to the disk fail; and KILLS kill -9 at random.
# Always: exit code 0, the sums of the undisturbed run, no more computed again than is allowed, a whole journal, nobody left.
# SEED=N repeats a schedule.
source "$(dirname "$0")/../run/lib.sh"
kills=$1
shift
points=("$@")
seed=${SEED:-$RANDOM}
RANDOM=$seed
say "seed $seed"
prepare data char
rm -rf run-*
steps=300
every=30
common=(data.dir=data model.layers=1 model.heads=2 model.width=32 model.context=32 model.dropout=0.1 train.batch=8
        train.slices=4 train.checkpoint_every=$every train.eval_every=100 cluster.threads=1 run.log_every=1000)

# processes of tests in this folder
left() {
    local p
    for p in /proc/[0-9]*; do
        [ "$(readlink "$p/cwd" 2>/dev/null)" = "$scratch" ] || continue
        case $(cat "$p/comm" 2>/dev/null) in lockstep|mpirun) cat "$p/comm" ;; esac
    done
}
nobody_left() { [ -z "$(left)" ]; }

# again RUN: of every life that was cut short: the version it reached, that of the next one's start, the newest
# checkpoint that the journal knew.  Of the journal, which has all starts and commits in order.
again() {
    "$LOCKSTEP" inspect "$1/journal" | awk '
        $1 == "start" { if (seen) print reached, $5, saved; seen = 1; reached = saved = $5 }
        $1 == "commit" || $1 == "skipped" || $1 ~ /^spike/ { reached = $5 + 1 }
        $1 == "checkpoint" { saved = $5 }'
}

most=0
# ended RUN CODE STEPS REFERENCE
ended() {
    local at start saved got
    [ "$2" -eq 0 ] || fail "$1 ended with $2: $(tail -5 "$1.log")"
    got=$(sums "$1" "$3")
    [ "$got" = "$4" ] || fail "$1 ends in other bits: $got"
    "$LOCKSTEP" inspect "$1/journal" >"$1.journal" 2>&1 || fail "$1: the journal is damaged: $(tail -2 "$1.journal")"
    grep -q 'came out otherwise' "$1.log" && fail "$1: $(grep -m1 'came out otherwise' "$1.log")"
    wait_for 10 nobody_left || fail "$1 leaves $(left | tr '\n' ' ')"
    while read -r at start saved; do
        [ $((at - start)) -le $every ] || fail "$1: $((at - start)) steps again, from $start to $at; $saved was on disk"
        [ $((at - start)) -le $most ] || most=$((at - start))
    done < <(again "$1")
}

# launch NAME STEPS [FAIL]; its exit code in $code
launch() {
    rm -rf "$1" "$1.log" "$1.once"
    code=0
    LOCKSTEP_FAIL=${3:-} timeout 120 "$LOCKSTEP" launch -n 2 "${common[@]}" train.steps="$2" run.dir="$1" >"$1.log" 2>&1 ||
        code=$?
}

launch run-reference $steps
[ "$code" -eq 0 ] || fail "$(tail -3 run-reference.log)"
reference=$(sums run-reference $steps)
say "undisturbed: ${reference:0:16} ${reference:65:16}"

# --- at every point.  A point that is passed once in a life ends the first one; what is passed at every step or
# checkpoint, also one in mid-run.
middle() {
    case $1 in
        resume.*|access.*|end.*|disk.truncate) ;;
        commit.*|journal.half|journal.before|journal.written) echo $((every * 4 + RANDOM % every)) ;;
        checkpoint.file_part) echo 7 ;;
        checkpoint.file_*) echo $((6 * 4 + 1 + RANDOM % 6)) ;;
        checkpoint.old_*) echo 2 ;;
        disk.write) echo $((every * 4 + RANDOM % every)) ;;
        disk.open|disk.reserve|disk.sync) echo $((18 + RANDOM % 12)) ;;
        *) echo 4 ;;
    esac
}
at_point() { # POINT PASS
    local name=run-$1-$2 before=
    # a life before it that left something to load
    [ "$1" != resume.loaded ] || before="commit.recorded=kill@100/once:$name.before;"
    rm -f "$name.before"
    launch "$name" $steps "$before$1=kill@$2/once:$name.once"
    [ -e "$name.once" ] || fail "$1 was not passed $2 times"
    ended "$name" $code $steps "$reference"
    passed=$((passed + 1))
}
[ ${#points[@]} -gt 0 ] || mapfile -t points < <("$LOCKSTEP" options --failpoints | awk '!/^worker|^slice|^rewind/ { print $1 }')
passed=0
for point in "${points[@]}"; do
    first=1
    [ "$point" != disk.make_dir ] || first=2 # launch makes the run directory; RUN/checkpoints is the first of the coordinator's own
    at_point "$point" $first
    pass=$(middle "$point")
    [ -z "$pass" ] || at_point "$point" "$pass"
done
say "killed at ${#points[@]} points, $passed times: all equal; at most $most steps computed again"

# --- calls that fail in mid-run, at checkpoints: that attempt is given up, training goes on
injected=0
for call in disk.sync=error:EIO@14 disk.write=error:ENOSPC@200 disk.open=error:ENOSPC@18 disk.reserve=error:ENOSPC@14 \
    disk.rename=error:EIO@5 disk.remove=error:EIO@4 disk.sync_dir=error:EIO@12 disk.make_dir=error:EDQUOT@4; do
    name=run-$call
    launch "$name" $steps "$call/once:$name.once"
    [ -e "$name.once" ] || fail "$call: that call was not made"
    ended "$name" $code $steps "$reference"
    injected=$((injected + 1))
    say "$call: equal; $(grep -m1 -o 'could not.*' "$name.log" || echo 'nothing said')"
done

# --- a disk that is slower than checkpoints are due: said, and nothing else
launch run-slow-disk $steps "checkpoint.begun=sleep:2s@2"
ended run-slow-disk $code $steps "$reference"
grep -q 'training waits for the disk' run-slow-disk.log || fail "nobody says why it stands still: $(cat run-slow-disk.log)"
say "slow disk: equal; $(grep -m1 -o 'step [0-9]*: a checkpoint is still.*' run-slow-disk.log)"

# --- at random
[ "$kills" -gt 0 ] || { say "$passed + $injected runs"; exit 0; }
long=4000
launch run-random-reference $long
[ "$code" -eq 0 ] || fail "$(tail -3 run-random-reference.log)"
reference=$(sums run-random-reference $long)
say "undisturbed, $long steps: ${reference:0:16} ${reference:65:16}"

owner() { sed -nE 's/^process ([0-9]+) on .*/\1/p' "$1/lock" 2>/dev/null; }
new_owner() { local o; o=$(owner "$1") && [ -n "$o" ] && [ "$o" != "$2" ] && [ "$o" != "$launched" ]; }
rm -rf run-random*
done_kills=0
deaths=run-deaths
: >$deaths
round=0
while [ $done_kills -lt "$kills" ]; do
    round=$((round + 1))
    run=run-random-$round
    "$LOCKSTEP" launch -n 2 --restarts 6 "${common[@]}" train.steps=$long run.dir="$run" >"$run.log" 2>&1 &
    launched=$!
    before=
    while [ $done_kills -lt "$kills" ]; do
        wait_for 30 new_owner "$run" "$before" || break
        before=$(owner "$run")
        ms=$((RANDOM % 1200))
        read -rt "$((ms / 1000)).$(printf %03d $((ms % 1000)))" <> <(:) || true
        [ "$(cat "/proc/$before/comm" 2>/dev/null)" = lockstep ] || break
        kill -KILL "$before" 2>/dev/null || break
        echo "$run $(date +%s.%N)" >>$deaths
        done_kills=$((done_kills + 1))
    done
    code=0
    wait $launched || code=$?
    ended "$run" $code $long "$reference"
    say "$done_kills of $kills, round $round: equal"
done

# from every death to the next step, and to the next that no life had decided before
while read -r run time; do
    awk -v died="$time" '
        match($0, /"time":[0-9.]+/) { t = substr($0, RSTART + 7, RLENGTH - 7) + 0 }
        !/"event":"step"/ || !match($0, /"step":[0-9]+/) { next }
        { s = substr($0, RSTART + 7, RLENGTH - 7) + 0 }
        t <= died { if (s > reached) reached = s; next }
        !first { first = t - died }
        s > reached { printf "%.3f %.3f\n", first, t - died; exit }' "$run/log.jsonl"
done <$deaths >run-times
for column in 1 2; do
    what=([1]="to the next step, loading included" [2]="to the next new step, loading and what is computed again included")
    cut -d' ' -f$column run-times | sort -n | awk -v what="${what[column]}" '
        { t[NR] = $1 }
        function at(share) { i = int(NR * share + 0.999); return t[i < 1 ? 1 : i] }
        END { printf "from death %s: %d deaths, median %.2f s, p99 %.2f s, max %.2f s\n", what, NR, at(.5), at(.99), t[NR] }'
done
say "$done_kills kills at random (seed $seed) in $round runs: all equal; at most $most steps computed again"
