#!/usr/bin/env bash
# recipe.sh [key=value...] - nanoGPT's CPU recipe on tiny Shakespeare with a coordinator and two MPI workers: the held-out loss over the
# whole held-out text after 2000 steps is at most 1.90 (nanoGPT publishes 1.88 on a sample).
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf run
"$LOCKSTEP" launch -n 2 "$(dirname "$0")/../../deploy/conf/shakespeare-char.yaml" run.dir=run data.dir=data \
    run.log_every=500 "$@" || fail "launch ended with $?"
loss=$(field run held_out_loss)
say "held-out loss $loss after $(field run step) steps"
awk -v loss="$loss" 'BEGIN { exit !(loss > 1 && loss <= 1.90) }' || fail "held-out loss $loss, expected at most 1.90"
