#!/usr/bin/env bash
# memory.sh - steps of GPT-2's 124M shape (12 layers, 12 heads, width 768, vocabulary 50,257, context 64, batch 4), and the
# peak memory of each process beside what --dry-run says.
source "$(dirname "$0")/lib.sh"
bpe=$TEST_SHARED/data/gpt2-bpe
[ -s "$bpe/encoder.json" ] || skip "no $bpe"
prepare data "gpt2:$bpe"
conf=$(dirname "$0")/../../deploy/conf/gpt2-124m.yaml
rm -rf run
"$LOCKSTEP" train "$conf" run.dir=run data.dir=data --dry-run
mpirun --bind-to none -n 2 "$LOCKSTEP" train "$conf" run.dir=run data.dir=data train.steps=3 train.slices=4 train.eval_every=1k \
    cluster.threads=2 run.log_every=1 >run.log 2>&1 &
job=$!
trap 'kill -TERM $job 2>/dev/null || true; wait' EXIT
wait_for 240 grep -q 'step 3/3' run.log || fail "no three steps in four minutes: $(tail -3 run.log)"
grep 'step [0-9]*/3' run.log
for pid in $(pgrep -P "$job" lockstep); do
    role=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')
    say "rank $role: $(grep VmHWM "/proc/$pid/status")"
done
