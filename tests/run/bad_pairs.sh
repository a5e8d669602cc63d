#!/usr/bin/env bash
# bad_pairs.sh - what can be wrong with a parallel text, one row each: what is said, by whom, with which exit code.
# Every message names the file, where it makes sense the line, the value, and what to do; said once, under mpirun too.
# Nothing is lost: what was there before is there still, whole, and what comes out before a bad line has been written.
source "$(dirname "$0")/lib.sh"
rm -rf data other few run* out

for i in {1..60}; do
    echo "the $i dogs run" >>s.new
    echo "die $i Hunde laufen" >>t.new
    echo "une $i autre chose" >>o.new
done
for side in s t o; do mv $side.new $side.txt; done
make() { "$LOCKSTEP" prepare --out "$@" >make.log 2>&1 || fail "prepare --out $*: $(cat make.log)"; }
make data --tokenizer bpe:270 --source s.txt --target t.txt
make few --tokenizer bpe:265 --source s.txt --target t.txt   # other sizes
make other --tokenizer bpe:270 --source o.txt --target t.txt # the same size
make over --tokenizer bpe:270 --source s.txt --target t.txt  # to be written over
small=(model.encoder_layers=1 model.layers=1 model.width=16 model.heads=2 train.batch_tokens=60 train.slices=2 optim.warmup=1
       train.steps=2 train.checkpoint_every=2 train.eval_every=0 cluster.threads=1)
train=("$LOCKSTEP" train "${small[@]}")
"${train[@]}" data.dir=data run.dir=run model.context=30 >make.log 2>&1 || fail "$(cat make.log)"
make chars --tokenizer subword:5 --source s.txt --target t.txt
"${train[@]}" data.dir=chars run.dir=run-chars model.context=50 >make.log 2>&1 || fail "$(cat make.log)"
before=$(find data over run -type f ! -name lock ! -name status.json | sort | xargs sha256sum)

head -n 58 t.txt >short.txt
sed '7s/.*//' s.txt >hole.txt
sed 's/.*//' s.txt >blank.txt
: >nothing.txt
sed "5s/.*/$(printf 'dogs %.0s' {1..60})/" s.txt >long.txt
sed '3s/.*/der Hund läuft weg 犬/' s.txt >strange.txt
paste s.txt t.txt | sed '4s/\t/ /' >flat.tsv
paste s.txt t.txt | sed '4s/$/\tmore/' >wide.tsv
printf 'the 1 dogs run\nth\xe9\n' >latin.txt

both=(--source s.txt --target)
new=("$LOCKSTEP" prepare --out over --tokenizer bpe:270)
row() { # CODE PATTERN COMMAND...
    local code=$1 pattern=$2 got=0
    shift 2
    "$@" >out.txt 2>out.log </dev/null || got=$?
    [ $got -eq "$code" ] || fail "exit code $got, expected $code: $* : $(cat out.log)"
    [ "$(grep -cE -- "$pattern" out.log)" -eq 1 ] || fail "expected once '$pattern' from: $* : $(cat out.log)"
    say "$code  $(grep -E -- "$pattern" out.log | cut -c14-230)"
}

say "files of unequal length"
row 65 's.txt has 60 lines and short.txt has 58: line 59 of s.txt has no partner; each line needs one' "${new[@]}" "${both[@]}" short.txt
row 65 's.txt has 60 lines and short.txt has 58: line 59' "${new[@]}" "${both[@]}" t.txt --held-out-source s.txt --held-out-target short.txt
row 65 'short.txt has 58 lines and t.txt has 60: line 59 of t.txt has no partner' "$LOCKSTEP" score --reference t.txt short.txt
row 65 'flat.tsv:4: no tab; expected the source, one tab, the target' "${new[@]}" --pairs flat.tsv
row 65 'wide.tsv:4: 2 tabs|wide.tsv:4: more than one tab' "${new[@]}" --pairs wide.tsv

say "an empty side"
row 0 '1 pair left out, the source is empty: hole.txt:7$' "$LOCKSTEP" prepare --out out --tokenizer bpe:270 --source hole.txt --target t.txt
row 0 '1 pair left out, the target is empty: hole.txt:7$' "$LOCKSTEP" prepare --out out --tokenizer bpe:270 "${both[@]}" hole.txt
row 65 'no pair is left|no pairs' "${new[@]}" --source blank.txt --target t.txt
row 65 'nothing.txt' "${new[@]}" --source nothing.txt --target nothing.txt
row 65 'nothing.txt is empty; expected sentences, one a line' "$LOCKSTEP" score --reference nothing.txt nothing.txt
row 0 ' 59 sentences' "$LOCKSTEP" translate --run run --input hole.txt
[ "$(wc -l <out.txt)" -eq 60 ] && [ -z "$(sed -n 7p out.txt)" ] || fail "an empty line did not become one: $(cat out.txt)"

say "a sentence longer than the context"
row 0 '1 pair left out, longer than --max-length 40 tokens: long.txt:5$' "$LOCKSTEP" prepare --out long --tokenizer bpe:270 --source long.txt --target t.txt --max-length 40
make long --tokenizer bpe:270 --source long.txt --target t.txt
context='long/train.pairs has a sentence of [0-9]+ tokens, which with its end do not fit model.context 30; use model.context [0-9]+, or prepare with --max-length 29'
row 65 "$context" "${train[@]}" data.dir=long run.dir=run-long model.context=30
row 65 "$context" mpirun -n 3 "${train[@]}" data.dir=long run.dir=run-long model.context=30
row 65 'long.txt: line 5 has [0-9]+ tokens, more than the 29 .*--truncate' "$LOCKSTEP" translate --run run --input long.txt
[ "$(wc -l <out.txt)" -eq 4 ] || fail "of the 4 lines before the long one came $(wc -l <out.txt)"
row 0 '1 lines were cut to 29 tokens, the first is line 5' "$LOCKSTEP" translate --run run --input long.txt --truncate

say "unknown characters"
row 65 'latin.txt.*line 2.*0xe9.*UTF-8' "${new[@]}" "${both[@]}" latin.txt
row 65 'latin.txt: line 2, byte 2 of it, is 0xe9, which is not valid UTF-8' "$LOCKSTEP" translate --run run --input latin.txt
[ "$(wc -l <out.txt)" -eq 1 ] || fail "of the line before the broken one came $(wc -l <out.txt)"
row 0 '[0-9]+ characters have no token and are <unk>, the first in line 3' "$LOCKSTEP" translate --run run-chars --input strange.txt
row 0 ' 60 sentences' "$LOCKSTEP" translate --run run --input strange.txt # of bytes: all are known

say "a vocabulary that does not belong to the checkpoint"
size='run/checkpoints/step-00000002: its vocabulary has 270 tokens and that of few has 265; use data prepared with the same tokenizer'
kind='run/checkpoints/step-00000002: its vocabulary is another than that of other, though both have 270 tokens .*; use data prepared with the same tokenizer'
more=(run.dir=run model.context=30 train.steps=4)
row 78 "$size" "${train[@]}" data.dir=few "${more[@]}"
row 78 "$kind" "${train[@]}" data.dir=other "${more[@]}"
row 78 "$kind" mpirun -n 3 "${train[@]}" data.dir=other "${more[@]}"
row 78 "run.from $kind" "${train[@]}" data.dir=other run.dir=run-from run.from=run model.context=30
row 78 "$size" "$LOCKSTEP" eval --run run --data few
row 78 "$kind" "$LOCKSTEP" eval --run run --data other
cp -r run run-mixed && cp other/tokenizer.json run-mixed/checkpoints/step-00000002/
row 65 'tokenizer.json .*(manifest says|checksum)' "$LOCKSTEP" translate --run run-mixed --input s.txt
"${train[@]}" data.dir=other run.dir=run-other model.context=30 >make.log 2>&1 || fail "$(cat make.log)"
row 78 'have other tokenizers' "$LOCKSTEP" average --out out-mean run/checkpoints/step-00000002 run-other/checkpoints/step-00000002
cp -r data data-mixed && cp other/tokenizer.json data-mixed/
row 65 'data-mixed/(train|held_out).pairs was made with another tokenizer than the tokenizer.json beside it' "${train[@]}" data.dir=data-mixed run.dir=run-none model.context=30

after=$(find data over run -type f ! -name lock ! -name status.json | sort | xargs sha256sum)
[ "$before" = "$after" ] || fail "something was lost or changed: $(diff <(echo "$before") <(echo "$after"))"
for none in run-none run-from run-long out-mean; do
    [ ! -e $none/checkpoints ] && [ ! -e $none/MANIFEST ] || fail "$none was begun"
done
row 0 'all steps are done' "${train[@]}" data.dir=data "${more[@]}" # and goes on with the right ones
