#!/usr/bin/env bash
# rewind.sh - a rate that explodes: a run that stops at it, and runs that go back and end well, with the same weights, moments,
# average and evaluations, to the bit, whoever computes them: one process, three MPI workers, stopped there and told to go back, with the checkpoint to go back to damaged, killed there.
#
# And spikes that are skipped: the same ones when the run is made in two parts, of which the second has to know the window.
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf run-*

# Without clipping, a rate that rises until it is too high, at about step 60.
steps=120
common=(data.dir=data model.layers=1 model.heads=2 model.width=32 model.context=32 train.batch=8 train.slices=4
        train.steps=$steps train.checkpoint_every=20 train.keep_last=10 train.eval_every=20 train.stats_every=5 cluster.threads=1
        run.log_every=1000 optim.ema=0.99 optim.name=sgd optim.lr=10 optim.warmup=300 optim.schedule=constant optim.clip=0
        train.divergence=1 train.rewind_steps=20 train.rewind_rate=0.2)
rewind=train.on_divergence=rewind

train() { # NAME RANKS [key=value...]; RANKS 1: without mpirun; its exit code in $code
    local name=run-$1 ranks=$2
    shift 2
    code=0
    if [ "$ranks" -eq 1 ]; then
        "$LOCKSTEP" train "${common[@]}" run.dir="$name" "$@" >>"$name.log" 2>&1 || code=$?
    else
        mpirun -n "$ranks" "$LOCKSTEP" train "${common[@]}" run.dir="$name" "$@" >>"$name.log" 2>&1 || code=$?
    fi
}

# What log.jsonl says that steps were examined for, on any way, once; without the time.
statistics() { # RUN
    sed -nE 's/^\{"time":[0-9.]+,("event":"statistics",.*)/\1/p' "$1/log.jsonl" | sort -u
}

reference=
compare() {
    local got
    [ "$code" -eq 0 ] || fail "run-$1 ended with $code: $(tail -5 "run-$1.log")"
    got="$(sums "run-$1" $steps)$("$LOCKSTEP" inspect "run-$1/checkpoints/step-$(printf %08d $steps)" | grep -E 'held-out|evaluations')"
    ! statistics "run-$1" | grep '"blocks":\[\]' || fail "run-$1 was told nothing of a step that it examines"
    got+=$(statistics "run-$1" | sha256sum)
    [ -n "$reference" ] || reference=$got
    say "$1: ${got:0:16} ${got:65:16}"
    [ "$got" = "$reference" ] || fail "run-$1 ends in other bits"
    ! grep 'came out otherwise' "run-$1.log" || fail "run-$1 was compared with another way"
}
back='going back from step ([0-9]+) to ([0-9]+), then on with samples number ([0-9]+)'

train one-process 1 $rewind
compare one-process
read -r from to sample < <(sed -nE "s/.*$back.*/\1 \2 \3/p" run-one-process.log | head -1)
[ -n "${sample:-}" ] || fail "it did not go back: $(cat run-one-process.log)"
[ "$sample" -eq $((from * 8)) ] || fail "it goes on with sample $sample after $from steps of 8"
awk '!/"event":"step"/ { next } match($0, /"loss":[^,]*/) { x = substr($0, RSTART + 7, RLENGTH - 7) }
    END { exit !(x > 0 && x < 4.2) }' run-one-process/log.jsonl || fail "it ends as bad as it began: $(field run-one-process loss)"
say "back from $from to $to, loss $(field run-one-process loss)"

train three-workers 4 $rewind
compare three-workers

# stopped by it: exit code, reason, a checkpoint of that step; then the same with the way back allowed
train stopped 1 train.on_divergence=stop
[ $code -eq 70 ] || fail "a run that diverges ends with $code, expected 70: $(tail -3 run-stopped.log)"
[ "$(field run-stopped state) $(field run-stopped message)" = "failed the loss diverges" ] || fail "$(cat run-stopped/status.json)"
[ "$(field run-stopped step)" -eq "$from" ] || fail "it stops at step $(field run-stopped step), not $from"
[ -d "run-stopped/checkpoints/step-$(printf %08d "$from")" ] || fail "there is no checkpoint of step $from"
cp -r run-stopped run-damaged
train stopped 1 $rewind
compare stopped

# the version to go back to cannot be read: from the one before, and on to where the others begin
printf x | dd of="run-damaged/checkpoints/step-$(printf %08d "$to")/model.safetensors" bs=1 seek=4000 conv=notrunc status=none
train damaged 1 $rewind
compare damaged
grep -q 'is damaged and skipped' run-damaged.log || fail "nobody has seen the damage: $(cat run-damaged.log)"

# the coordinator killed as soon as it is said that the run goes back
rm -rf run-killed*
"$LOCKSTEP" launch -n 2 "${common[@]}" run.dir=run-killed $rewind >run-killed.log 2>&1 &
pid=$!
rewinds() { grep -q '"event":"rewind"' run-killed/log.jsonl 2>/dev/null; }
wait_for 60 rewinds || fail "run-killed does not go back: $(tail -3 run-killed.log)"
kill -KILL "$(field run-killed pid)"
code=0
wait $pid || code=$?
grep -q 'was lost at step' run-killed.log || fail "nobody was killed: $(tail -3 run-killed.log)"
compare killed
[ "$(grep -cE 'going back' run-killed.log)" -le "$(($(grep -cE 'going back' run-one-process.log) + 1))" ] ||
    fail "it goes back more often than the others: $(grep -E 'going back' run-killed.log)"
for run in run-one-process run-killed; do
    "$LOCKSTEP" inspect $run/journal | grep '^rewind' | sed -E 's/term [0-9]+ //' | sort -u >$run.turns
done
cmp run-one-process.turns run-killed.turns || fail "the journals have other turns"
say "one way back, $(wc -l <run-killed.turns) in all"

# to the beginning; and again with nothing left but the journal, which knows the turn
reference=
train beginning 1 $rewind train.rewind_steps=$steps
compare beginning
grep -q 'going on from the initial parameters' run-beginning.log || fail "it goes back elsewhere: $(cat run-beginning.log)"
rm -r run-beginning/checkpoints
train beginning 1 $rewind train.rewind_steps=$steps
compare beginning

# spikes: with a good rate and so few deviations that ordinary losses are some
calm=(train.eval_every=85 optim.lr=0.5 optim.warmup=10 train.skip_loss_z=2 train.skip_norm_z=2 train.skip_window=16)
skipped() { sed -nE 's/.*"event":"skipped".*: the update of (step [0-9]+) was.*/\1/p' "run-$1/log.jsonl"; }
reference=
train spikes 1 "${calm[@]}"
compare spikes
train in-two 1 "${calm[@]}" train.steps=85
[ $code -eq 0 ] || fail "run-in-two ended with $code: $(tail -5 run-in-two.log)"
train in-two 3 "${calm[@]}"
compare in-two
[ "$(skipped spikes)" = "$(skipped in-two)" ] || fail "others were skipped: $(skipped spikes), $(skipped in-two)"
skipped spikes | awk '$2 >= 85 && $2 < 101 { soon = 1 } END { exit !soon }' || fail "none of the first window was: $(skipped spikes)"
say "$(skipped spikes | wc -l) steps of $steps skipped"

# pairs, whose steps have as many targets as their sentences need: those of the data gone on with
prepare_pairs pairs bpe:500
common+=(data.dir=pairs model.encoder_layers=1 train.batch_tokens=600 train.length_pool=100 model.context=128)
reference=
train pairs 1 $rewind
compare pairs
grep -qE "$back" run-pairs.log || fail "it did not go back: $(cat run-pairs.log)"
train pairs-workers 3 $rewind
compare pairs-workers
! grep 'is lost' run-pairs-workers.log || fail "a worker was lost"
