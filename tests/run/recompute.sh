#!/usr/bin/env bash
# recompute.sh - blocks that are computed again on the way back (train.recompute) end in the same weights and moments, to
# the bit, and say the same about what a step is examined for; a run may go on with them that was begun without.
source "$(dirname "$0")/lib.sh"
prepare data char
common=(data.dir=data model.layers=3 model.heads=2 model.width=32 model.context=300 model.dropout=0.1 train.batch=4
        train.slices=2 train.steps=6 train.checkpoint_every=3 train.stats_every=2 train.eval_every=0)

train() { # NAME [key=value...]
    local name=run-$1
    shift
    "$LOCKSTEP" train "${common[@]}" run.dir="$name" "$@" >>"$name.log" 2>&1 || fail "$name: $(tail -3 "$name.log")"
}

statistics() { # NAME
    sed -nE 's/^\{"time":[0-9.]+,("event":"statistics",.*)/\1/p' "run-$1/log.jsonl"
}

rm -rf run-*
train kept
train again train.recompute=true
train begun train.steps=3 optim.decay_steps=6
train begun optim.decay_steps=6 train.recompute=true
for name in again begun; do
    [ "$(sums run-$name 6)" = "$(sums run-kept 6)" ] || fail "other weights or moments: $name"
done
[ -n "$(statistics kept)" ] && [ "$(statistics again)" = "$(statistics kept)" ] || fail "other statistics"
say "the same bits: $(sums run-kept 6 | cut -c1-16)"
