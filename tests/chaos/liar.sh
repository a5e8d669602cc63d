#!/usr/bin/env bash
# liar.sh P RUNS [SEED] - of three workers one lies once: one bit of one slice's gradient is another, after the backward pass
# and before hash and sum (fail point worker.gradient).  With cluster.audit=P, in each run:
#
#     the slice was drawn for the audit   the liar is named and evicted, nobody else, and the weights and moments are those of
#                                         the run that nobody disturbed, to the bit
#     it was not                          nobody notices, and the bits are others, or the lie was none; unless somebody
#                                         happened to compute a copy of the slice, as of one that is late: then as above
#
# Where a lie is seen by nobody because its slice was late, had been computed by another and was thrown away, the run is
# made again, a few times at most.
#
# Which slices are drawn says the coordinator's own draw, asked without a run (drawn.c).  The draw depends on train.seed, step
# and slice: each run has a seed, a moment, an element and a bit of its own.  Over all runs the share found by the audit must
# be what P predicts, exactly two-sided at 1e-4.
#
# liar.sh model - nobody lies, the model is no good: computed again, audited, believed; then stopped or skipped, as configured.
# liar.sh wild [SEED] - an exponent's high bit: the partial is hard to believe and computed elsewhere; without an audit nobody
# is evicted for it, with one the liar is.
source "$(dirname "$0")/../run/lib.sh"
P=$1
steps=20 slices=12
case $P in
wild) runs=4 seed=${2:-1} steps=40 ;; # when one of three has computed 110 slices, nine partials have come: enough to compare with
model) ;;
*) runs=$2 seed=${3:-1} ;;
esac
shakespeare_start() { # 60 kB, so that the held-out text is short
    [ -s "$shakespeare" ] || skip "no $shakespeare"
    head -c 60000 "$shakespeare" >text.txt
    shakespeare=$scratch/text.txt
}
shakespeare_start
prepare data char
rm -rf run-* mark
"$LOCKSTEP" options --failpoints | grep -q '^worker.gradient' || skip "a build without fail points"

common=(data.dir=data model.layers=1 model.heads=2 model.width=32 model.context=32 model.dropout=0.1 train.batch=$slices
        train.slices=$slices train.steps=$steps optim.warmup=5 train.checkpoint_every=1000 train.eval_every=1000
        cluster.threads=1)

# number TEXT BELOW: pseudo-random, of seed and text
number() { printf '%s' "$seed $1" | sha256sum | awk -v below="$2" '{ x = 0; for (i = 1; i <= 12; i++)
    x = x * 16 + index("0123456789abcdef", substr($1, i, 1)) - 1; printf "%d\n", x % below }'; }

said='s/.*worker ([0-9]+) .*the gradient of slice ([0-9]+) of step ([0-9]+) is wrong.*/\1 \2 \3/p'
# lying RUN [OPTION...]: the run with its lie, after the one without; sets step, slice, liar, same
lying() {
    local run=$1 code=0
    shift
    rm -rf run-reference run-lying mark
    "$LOCKSTEP" train "${common[@]}" "$@" run.dir=run-reference >run-reference.log 2>&1 || fail "$(tail -3 run-reference.log)"
    LOCKSTEP_FAIL="worker.gradient=flip:$element.$bit@$pass/once:$scratch/mark" "$LOCKSTEP" launch -n 3 "${common[@]}" "$@" \
        run.dir=run-lying >run-lying.log 2>&1 || code=$?
    [ $code -eq 0 ] || fail "run $run ended with $code: $(tail -5 run-lying.log)"
    # stderr of three workers: "worker N  the gradient of slice V of step S is wrong"
    read -r liar slice step < <(sed -nE "$said" run-lying.log) || fail "run $run: nobody has lied: $(tail -5 run-lying.log)"
    same=no
    [ "$(sums run-lying $steps)" != "$(sums run-reference $steps)" ] || same=yes
}
evicted() { sed -nE 's/.*"text":"worker ([0-9]+) .*computes wrongly.*/\1/p' run-lying/log.jsonl; }

doubted() { grep -q "\"text\":\"worker $liar .*gave a doubtful result for slices .* of step $step\"" run-lying/log.jsonl; }

if [ "$P" = model ]; then # decay times rate is 100: parameters grow a hundredfold with each step
    bad=(optim.lr=10 optim.decay=10 optim.warmup=0 optim.schedule=constant)
    "$LOCKSTEP" train "${common[@]}" "${bad[@]}" train.not_finite=skip run.dir=run-reference >run-reference.log 2>&1 ||
        fail "$(tail -3 run-reference.log)"
    code=0
    "$LOCKSTEP" launch -n 3 "${common[@]}" "${bad[@]}" train.not_finite=skip cluster.audit=1 run.dir=run-skip \
        >run-skip.log 2>&1 || code=$?
    [ $code -eq 0 ] || fail "skip ended with $code: $(tail -5 run-skip.log)"
    [ "$(sums run-skip $steps)" = "$(sums run-reference $steps)" ] || fail "skip ends in other bits"
    skipped=$(grep -c '"event":"skipped"' run-skip/log.jsonl) || fail "nothing was skipped: $(tail -5 run-skip.log)"
    [ "$skipped" -lt $steps ] || fail "all $steps steps were skipped"
    first=$((steps - skipped))
    samples="$((first * slices)) to $(((first + 1) * slices - 1))"
    grep -q "the update of step $first was skipped, its samples are number $samples\"" run-skip/log.jsonl ||
        fail "its samples are not recorded: $(grep -m1 skipped run-skip/log.jsonl)"
    grep -q "gave a doubtful result for slices .* of step $first\"" run-skip/log.jsonl || fail "it was believed at once"
    ! grep 'computes wrongly' run-skip/log.jsonl || fail "somebody was convicted"
    say "skip: $(grep -o 'not finite: .*' run-skip.log | head -1), and $((skipped - 1)) more; the bits of one process"
    code=0
    "$LOCKSTEP" launch -n 3 "${common[@]}" "${bad[@]}" cluster.audit=1 run.dir=run-stop >run-stop.log 2>&1 || code=$?
    [ $code -eq 70 ] && [ "$(field run-stop step)" = $first ] && [ -d "run-stop/checkpoints/step-$(printf %08d $first)" ] ||
        fail "stop ended with $code at step $(field run-stop step): $(tail -5 run-stop.log)"
    say "stop: exit code 70, checkpoint of step $first; $(field run-stop message)"
    exit 0
fi

if [ "$P" = wild ]; then
    for ((run = 1; run <= runs; run++)); do
        bit=30 pass=$((110 + $(number "pass $run" 50)))
        audit=$((run % 2))
        for ((try = 1; try <= 5; try++)); do
            element=$(number "element $run $try" 15000)
            lying "$run" cluster.audit=$audit
            ! grep -q 'element .* and is -\?[0-9.]*\(e-[0-9]*\)\?$' run-lying.log || continue # was 2 or more: the bit was set
            { [ $same = yes ] && ! doubted; } || break                                       # late and thrown away
        done
        lie="worker $liar, slice $slice of step $step: $(grep -o 'element .*' run-lying.log)"
        doubted || fail "run $run: it was believed: $lie; $(cat run-lying.log)"
        [ $same = yes ] || fail "run $run ends in other bits: $lie"
        [ "$(evicted)" = "$([ $audit -eq 0 ] || echo "$liar")" ] || fail "run $run, audit $audit, evicted: $(evicted); $lie"
        say "audit $audit: computed again before it was believed$([ $audit -eq 0 ] || echo ", evicted"), the same bits; $lie"
    done
    exit 0
fi

found=0 copies=0 undrawn=0 thrown=0
SECONDS=0
for ((run = 1; run <= runs; run++)); do
    # bits 12 to 22: the number changes by 1/2000 to 1/2, nothing that would look doubtful
    element=$(number "element $run" 15000) bit=$((12 + $(number "bit $run" 11))) pass=$((1 + $(number "pass $run" 60)))
    train_seed=$((1000 * seed + run))
    named='' same=yes
    for ((try = 1; try <= 3; try++)); do
        lying "$run" cluster.audit="$P" train.seed=$train_seed
        named=$(evicted | tr '\n' ' ')
        [ -z "$named" ] && [ $same = yes ] || break
        thrown=$((thrown + 1))
    done
    drawn=$("$DRAWN" "$P" $train_seed $slices "$step" "$slice")
    lie="seed $seed, run $run: element $element, bit $bit, pass $pass; worker $liar, slice $slice of step $step, drawn: $drawn"
    if [ -n "$named" ]; then
        [ "$named" = "$liar " ] || fail "$lie; evicted: $named; $(cat run-lying.log)"
        [ $same = yes ] || fail "$lie; found, and the bits are others: $(cat run-lying.log)"
    else
        [ "$drawn" = no ] || fail "$lie; not found: $(cat run-lying.log)"
        [ $same = no ] || fail "$lie; not found, and the bits are the same: no lie"
    fi
    case $drawn.$named in
    yes.*) found=$((found + 1)) ;;
    no.) undrawn=$((undrawn + 1)) ;;
    *) copies=$((copies + 1)) ;;
    esac
    [ "$runs" -gt 20 ] && [ $((run % 20)) -ne 0 ] || say "$lie${named:+; evicted}; so far $found of $run found by the audit"
done

# the chance of a count as far out as this, exactly: of both tails, the smaller one twice
awk -v n="$runs" -v k=$found -v p="$P" -v copies=$copies -v undrawn=$undrawn -v thrown=$thrown -v seconds=$SECONDS 'BEGIN {
    for (i = 0; i <= n; i++) {
        x = p == 1 ? (i == n) : p == 0 ? (i == 0) : exp(logc + i * log(p) + (n - i) * log(1 - p))
        if (i <= k) low += x
        if (i >= k) high += x
        if (i < n) logc += log((n - i) / (i + 1))
    }
    chance = 2 * (low < high ? low : high)
    if (chance > 1) chance = 1
    printf "audit %s, %d runs in %d s: %d lies found by the audit (%.1f %%), expected %.1f; ", p, n, seconds, k, 100 * k / n, n * p
    printf "%d more by a copy; %d not seen, %d thrown away; chance %.3g\n", copies, undrawn, thrown, chance
    exit chance < 1e-4
}' || fail "that share is not what P predicts"
