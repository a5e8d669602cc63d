#!/usr/bin/env bash
# context.sh - three steps of a model of 6 layers, 6 heads, width 384 that looks at 4,096 tokens, one sequence a slice, with
# train.recompute: a worker stays below 2 GiB, and near what --dry-run says.
source "$(dirname "$0")/lib.sh"
prepare data char
common=(run.dir=run data.dir=data model.layers=6 model.heads=6 model.width=384 model.context=4096 train.batch=1 train.slices=1
        train.steps=3 train.eval_every=0 train.recompute=true cluster.threads=1 run.log_every=1)
# What a process has that has nothing to do with the model: the program, its libraries, Open MPI's buffers.
process_mib=100
rm -rf run

said_mib=$("$LOCKSTEP" train "${common[@]}" --dry-run |
    awk '/memory of a worker/ { print int($(NF - 1) * ($NF == "GiB" ? 1024 : 1)) }')
[ "$said_mib" -gt 0 ] || fail "--dry-run does not say what a worker needs"
mpirun --bind-to none -n 2 "$LOCKSTEP" train "${common[@]}" >run.log 2>&1 &
job=$!
trap 'kill -TERM $job 2>/dev/null || true; wait' EXIT
wait_for 600 at_step run 2 || fail "no two steps in ten minutes: $(tail -3 run.log)"
worker=$(for pid in $(pgrep -P "$job" lockstep); do
    tr '\0' '\n' <"/proc/$pid/environ" | grep -q '^OMPI_COMM_WORLD_RANK=1$' && echo "$pid"
done)
peak_mib=$(($(awk '/VmHWM/ { print $2 }' "/proc/$worker/status") / 1024))
say "a worker: $peak_mib MiB at most, $said_mib MiB said"
[ "$peak_mib" -lt 2048 ] || fail "2 GiB and more"
[ "$peak_mib" -lt $((said_mib + process_mib)) ] || fail "more than was said"
[ "$peak_mib" -gt $((said_mib * 2 / 3)) ] || fail "much less than was said"
wait "$job" || fail "the run ended with $?: $(tail -3 run.log)"
trap - EXIT
grep 'step [0-9]*/3' run.log
