#!/usr/bin/env bash
# multi30k.sh - the short form of deploy/conf/multi30k-tiny.yaml: 800 of its 8,000 updates, warm-up 300 instead of 2,000,
# by a coordinator and two MPI workers; the mean of the last five checkpoints, beam 5, BLEU on test2016.  All else is the
# configuration's.  tests/results/multi30k-tiny.md has what the full form and this one reach.
#
#     multi30k.sh [key=value...]    # train.seed=2
source "$(dirname "$0")/lib.sh"
floor=33 # BLEU; tests/results/multi30k-tiny.md

# What subword-nmt has cut, joined again
joined() { sed -E 's/@@( |$)//g'; }

from=$TEST_SHARED/data/multi30k-en-de-bpe
[ -s "$from/train.en.gz" ] || skip "no $from"
for side in en de; do
    gzip -dc "$from/train.$side.gz" | joined >train.$side
    joined <"$from/valid.$side" >val.$side
    joined <"$from/test.2016.$side" >test2016.$side
done
rm -rf data run average
"$LOCKSTEP" prepare --out data --tokenizer "subword:$from/code" --source train.en --target train.de \
    --held-out-source val.en --held-out-target val.de 2>data.log || fail "prepare: $(cat data.log)"
"$LOCKSTEP" launch -n 2 "$(dirname "$0")/../../deploy/conf/multi30k-tiny.yaml" run.dir=run data.dir=data train.steps=800 \
    optim.warmup=300 train.checkpoint_every=20 train.keep_last=5 run.log_every=100 "$@" || fail "launch ended with $?"
"$LOCKSTEP" average run --last 5 --out average >average.log 2>&1 || fail "average: $(cat average.log)"
"$LOCKSTEP" translate --run average --beam 5 --input test2016.en --output test2016.out.de 2>translate.log ||
    fail "translate: $(cat translate.log)"
score=$("$LOCKSTEP" score --tokenize none --smooth none --reference test2016.de test2016.out.de) || fail "score ended with $?"
say "$score, held-out loss $(field run held_out_loss), $(field run tokens_per_second) tokens/s"
bleu=$(sed -nE 's/^[^=]*= ([0-9.]+) .*/\1/p' <<<"$score")
awk -v bleu="$bleu" -v floor=$floor 'BEGIN { exit !(bleu >= floor && bleu <= 100) }' || fail "BLEU $bleu, expected at least $floor"
