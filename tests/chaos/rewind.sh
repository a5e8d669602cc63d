#!/usr/bin/env bash
# rewind.sh - a run that diverges and goes back, under `lockstep launch -n 2`, whose coordinator ends at each point on that way,
# and some steps before and after it.  Always: exit code 0, the sums of the undisturbed run, the same turns, each once in the
# journal but where it ended before the journal had it for good, no checkpoint of the old way.
source "$(dirname "$0")/../run/lib.sh"
"$LOCKSTEP" options --failpoints | grep -q '^rewind' || skip "a build without fail points"
prepare data char
rm -rf run-*
steps=120
common=(data.dir=data model.layers=1 model.heads=2 model.width=32 model.context=32 train.batch=8 train.slices=4
        train.steps=$steps train.checkpoint_every=10 train.keep_last=100 train.eval_every=50 cluster.threads=1
        run.log_every=1000 optim.name=sgd optim.lr=10 optim.warmup=300 optim.schedule=constant optim.clip=0
        train.rewind_steps=20 train.rewind_rate=0.2 train.on_divergence=rewind)

# launch NAME [FAIL]
launch() {
    local code=0
    LOCKSTEP_FAIL=${2:-} timeout 120 "$LOCKSTEP" launch -n 2 "${common[@]}" run.dir="$1" >"$1.log" 2>&1 || code=$?
    [ $code -eq 0 ] || fail "$1 ended with $code: $(tail -5 "$1.log")"
}
turns() { "$LOCKSTEP" inspect "$1/journal" | grep '^rewind' | sed -E 's/term [0-9]+ //'; }

launch run-reference
reference=$(sums run-reference $steps)
turns run-reference >reference.turns
[ -s reference.turns ] || fail "it does not go back: $(cat run-reference.log)"
read -r from to < <(sed -nE 's/.*going back from step ([0-9]+) to ([0-9]+),.*/\1 \2/p' run-reference.log | head -1)
[ $((from - to)) -gt 20 ] || fail "back from $from to $to leaves no two checkpoints behind"
say "undisturbed: from $from back to $to, ${reference:0:16}"

passed=0
for point in rewind.recorded@1 rewind.abandoned@1 rewind.loaded@1 checkpoint.old_renamed@1 checkpoint.old_removed@1 \
    checkpoint.old_renamed@2 commit.updated@"$from" commit.recorded@"$from" commit.done@"$from" \
    commit.recorded@$((from + 1)) commit.recorded@$((from + 13)); do
    name=run-$point
    launch "$name" "${point%@*}=kill@${point#*@}/once:$name.once"
    [ -e "$name.once" ] || fail "$point was not passed"
    [ "$(sums "$name" $steps)" = "$reference" ] || fail "$name ends in other bits"
    ! grep -q 'came out otherwise' "$name.log" || fail "$name: $(grep -m1 'came out otherwise' "$name.log")"
    turns "$name" | cmp -s - reference.turns || fail "$name has other turns: $(turns "$name")"
    passed=$((passed + 1))
done
say "killed at $passed points: all equal"
