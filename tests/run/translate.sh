#!/usr/bin/env bash
# translate.sh - lockstep translate: what a model knows by heart comes out, line by line, whatever the threads, batches
# and pages; in a pipe, at a limit, with mistakes.
source "$(dirname "$0")/lib.sh"
rm -rf pairs text knows partly writes large.out endless.out

printf '%s\t%s\n' 'two dogs run' 'zwei hunde rennen' 'a man sleeps' 'ein mann schläft' 'dogs sleep' 'hunde schlafen' \
    'a dog and a man' 'ein hund und ein mann' 'two men run' 'zwei männer rennen' 'run' 'lauf' >pairs.tsv
cut -f1 pairs.tsv >source.txt
cut -f2 pairs.tsv >target.txt

# train RUN DATA OPTION...: a small model, which knows what is in DATA by heart
train() {
    "$LOCKSTEP" train run.dir="$1" data.dir="$2" model.layers=1 model.heads=2 model.width=32 model.context=24 model.dropout=0 \
        train.slices=2 train.eval_every=0 optim.warmup=10 optim.lr=5e-3 "${@:3}" >"$1.log" 2>&1 || fail "train: $(tail -5 "$1.log")"
}
"$LOCKSTEP" prepare --out pairs --tokenizer subword:20 --pairs pairs.tsv --held-out-pairs pairs.tsv >prepare.log 2>&1 ||
    fail "prepare: $(cat prepare.log)"
train knows pairs model.encoder_layers=1 train.batch_tokens=64 train.steps=200 train.eval_every=200 translate.bleu=true
grep -qE 'held-out loss .*  BLEU 100\.00  best loss and BLEU' knows.log || fail "what is known by heart scores less: $(cat knows.log)"
"$LOCKSTEP" prepare --out text --tokenizer bpe:260 --held-out 0.5 source.txt target.txt >prepare.log 2>&1 ||
    fail "prepare: $(cat prepare.log)"
train writes text train.batch=2 train.steps=1

translate() { "$LOCKSTEP" translate --run knows "$@" 2>err.log || fail "translate $*: $(cat err.log)"; }
translate <source.txt >out.txt
diff target.txt out.txt || fail "what was learned by heart comes out otherwise"
grep -qE 'info  *6 sentences of [0-9]+ tokens into [0-9]+ tokens in .* sentences/s' err.log || fail "no report: $(cat err.log)"
translate --run knows/checkpoints/step-00000200 --input source.txt --output out.txt --beam 1 >stdout.txt
diff target.txt out.txt || fail "greedy, from a file: something else"
[ ! -s stdout.txt ] || fail "--output leaves something on standard output"
say "by heart"

# the BLEU of a half-trained model is the same by training, eval, and translate with score
train partly pairs model.encoder_layers=1 train.batch_tokens=64 train.steps=50 train.eval_every=50 translate.bleu=true
bleu=$(sed -nE 's/.*held-out loss .*  BLEU ([0-9.]+).*/\1/p' partly.log | head -1)
awk -v b="$bleu" 'BEGIN { exit !(b > 1 && b < 99) }' || fail "a half-trained model has a BLEU of $bleu: choose other steps"
"$LOCKSTEP" eval --run partly >eval.txt 2>eval.log || fail "eval: $(cat eval.log)"
grep -q "BLEU $bleu\$" eval.txt || fail "eval says another BLEU than training, $bleu: $(cat eval.txt)"
"$LOCKSTEP" translate --run partly <source.txt 2>err.log | "$LOCKSTEP" score -r target.txt - >score.txt 2>score.log ||
    fail "translate and score: $(cat err.log score.log)"
grep -q " = $bleu " score.txt || fail "score says another BLEU than training, $bleu: $(cat score.txt)"
say "BLEU $bleu three times"

# many lines, empty ones among them, in any division into threads, batches and pages
for ((i = 0; i < 120; i++)); do
    sed -n "$((i * 7 % 6 + 1))p" source.txt
    if ((i % 5 == 0)); then printf '  \r\n'; fi
    if ((i % 3 == 0)); then echo "  dogs and men $i " ; fi
done >many.txt
translate --threads 1 --scores <many.txt >many.1
[ "$(wc -l <many.1)" -eq "$(wc -l <many.txt)" ] || fail "not a line for each line"
[ "$(grep -c $'^0.0000\t$' many.1)" -eq 24 ] || fail "empty lines do not stay empty"
for threads in 2 5; do
    translate --threads $threads --scores <many.txt >many.n
    cmp many.1 many.n || fail "$threads threads give something else"
done
translate --page 7 --batch-tokens 30 <many.txt >many.n
cut -f2 many.1 | cmp - many.n || fail "other pages and batches give other sentences"
say "threads, batches, pages"

# shared by the workers of an MPI world, one of them killed: the same
shared() { mpirun --oversubscribe --enable-recovery -n "$@" 2>err.log; }
cut -f2 many.1 >many.right
for workers in 1 4; do
    shared $((workers + 1)) "$LOCKSTEP" translate --run knows --input many.txt --output many.n ||
        fail "$workers workers: $(cat err.log)"
    cmp many.right many.n || fail "$workers workers give something else than one process"
    grep -qE 'coordinator *160 sentences of [0-9]+ tokens into ' err.log || fail "$workers workers: no report: $(cat err.log)"
done
for ((i = 0; i < 40; i++)); do cat many.txt; done >large.txt
for ((i = 0; i < 40; i++)); do cat many.right; done >large.right
shared 4 "$LOCKSTEP" translate --run knows --threads 1 <large.txt >large.out &
pid=$!
wait_for 60 test -s large.out || fail "3 workers: nothing comes out: $(cat err.log)"
wait_for 60 grep -q 'worker 2 joined' err.log || fail "no worker 2: $(cat err.log)" # mpirun brings both as it likes
victim=$(sed -nE 's/.*worker 2 joined: .* pid ([0-9]+)$/\1/p' err.log)
kill -KILL "$victim"
code=0
wait "$pid" || code=$?
cmp large.right large.out || fail "with a worker killed something else comes out: $(tail -5 err.log)"
grep -q 'worker 2 .* is lost' err.log || fail "nobody was lost: $(cat err.log)"
say "shared, one killed, exit code of mpirun $code"

# n-best: the number of the line, scores that fall, the best one first
printf 'run\n\ntwo dogs run\n' | translate --n-best 3 --scores >best.txt
[ "$(cut -f1 best.txt | tr '\n' ' ')" = "1 1 1 2 3 3 3 " ] || fail "n-best: numbers of lines: $(cat best.txt)"
[ "$(grep ^1 best.txt | cut -f2 | sort -grc 2>&1)" = "" ] || fail "n-best: scores do not fall: $(cat best.txt)"
[ "$(sed -n 1p best.txt | cut -f3)" = lauf ] && [ "$(sed -n 5p best.txt | cut -f3)" = 'zwei hunde rennen' ] ||
    fail "n-best: the best is not first: $(cat best.txt)"
echo 'two dogs run' | translate --max-length 2 >short.txt
grep -q 'into 2 tokens' err.log || fail "--max-length 2 does not end: $(cat short.txt err.log)"
say "n-best"

# a conversation: each answer is there before the next question
coproc talk { exec "$LOCKSTEP" translate --run knows --page 1 2>talk.log; }
for line in 1 4 2; do
    sed -n ${line}p source.txt >&"${talk[1]}"
    read -rt 20 answer <&"${talk[0]}" || fail "no answer in a pipe: $(cat talk.log)"
    [ "$answer" = "$(sed -n ${line}p target.txt)" ] || fail "in a pipe: '$answer'"
done
pid=$talk_PID
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ $code -eq 130 ] || fail "after an interrupt it ends with $code, expected 130: $(cat talk.log)"
grep -q 'stopped behind line 3' talk.log || fail "it does not say where it stopped: $(cat talk.log)"
say "a conversation"

# characters that the model has never seen
printf 'run\na çat runs ö\nö\n' | translate >unknown.txt
[ "$(wc -l <unknown.txt)" -eq 3 ] || fail "unknown characters: not a line for each line"
grep -q '3 characters have no token and are <unk>, the first in line 2' err.log || fail "unknown characters: $(cat err.log)"
translate --no-unknown --beam 300 --n-best 300 <source.txt >unknown.txt
! grep -q '<unk>' unknown.txt || fail "--no-unknown says it all the same: $(grep -m 1 '<unk>' unknown.txt)"
translate --beam 300 --n-best 300 <source.txt >unknown.txt
grep -q '<unk>' unknown.txt || fail "without --no-unknown it is not even the last of 300"
say "unknown characters"

# in the middle of work: what is done is written, whole lines
yes 'two dogs run' | head -200000 >endless.txt || true
"$LOCKSTEP" translate --run knows <endless.txt >endless.out 2>endless.log &
pid=$!
wait_for 60 test -s endless.out || fail "nothing comes out: $(cat endless.log)"
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ $code -eq 130 ] || fail "after an interrupt it ends with $code, expected 130: $(cat endless.log)"
[ -z "$(grep -vx 'zwei hunde rennen' endless.out)" ] || fail "broken lines after an interrupt"
grep -q "stopped behind line $(wc -l <endless.out)$" endless.log || fail "it stopped elsewhere: $(cat endless.log)"
say "interrupted behind $(wc -l <endless.out) lines"

under=()
# expect CODE PATTERN INPUT ARGUMENTS...: ends with CODE, says PATTERN exactly once, and what came before is there
expect() {
    local code=$1 pattern=$2 input=$3 got=0
    shift 3
    "${under[@]}" "$LOCKSTEP" translate "$@" <"$input" >out.log 2>err.log || got=$?
    [ $got -eq "$code" ] || fail "exit code $got, expected $code: translate $*: $(cat err.log)"
    [ "$(grep -cE "$pattern" err.log)" -eq 1 ] || fail "expected once '$pattern' from: translate $*: $(cat err.log)"
}
{ cat source.txt; printf 'a man sleeps and %.0s' {1..9}; echo; cat source.txt; } >long.txt
{ cat source.txt; printf 'caf\xe9\n'; } >latin.txt
{ head -1 source.txt; printf 'a\0b\n'; } >zero.txt
expect 64 'run DIR is missing' source.txt
expect 64 'beam 0: expected a number from 1' source.txt --run knows --beam 0
expect 64 'n-best 6: a beam of 5 finds 5 at most' source.txt --run knows --n-best 6
expect 64 'a file is named by --input' source.txt --run knows source.txt
expect 66 'nowhere: there is no checkpoint in it' source.txt --run nowhere
expect 66 'could not open nowhere.txt' source.txt --run knows --input nowhere.txt
expect 65 'a decoder alone .model.encoder_layers 0. cannot translate' source.txt --run writes
expect 65 'standard input: line 7 has [0-9]+ tokens, more than the 23 that .*--truncate' long.txt --run knows
cmp target.txt out.log || fail "lines before one that is too long are lost: $(cat out.log)"
expect 65 'latin.txt: line 7, byte 3 of it, is 0xe9, which is not valid UTF-8' source.txt --run knows --input latin.txt
cmp target.txt out.log || fail "lines before one that is not UTF-8 are lost: $(cat out.log)"
expect 65 'line 2 has a zero byte at byte 1' zero.txt --run knows
expect 0 '1 lines were cut to 23 tokens, the first is line 7' long.txt --run knows --truncate
[ "$(wc -l <out.log)" -eq 13 ] || fail "--truncate loses lines"
expect 0 ' 0 sentences' /dev/null --run knows
under=(mpirun --oversubscribe -n 3)
expect 64 'scores is for one process; leave it out, or start without mpirun' source.txt --run knows --scores
expect 66 'nowhere: there is no checkpoint in it' source.txt --run nowhere
expect 65 'standard input: line 7 has [0-9]+ tokens, more than the 23 that .*--truncate' long.txt --run knows
cmp target.txt out.log || fail "shared: lines before one that is too long are lost: $(cat out.log)"
expect 74 'could not write translations: No space left on device' source.txt --run knows --output /dev/full
expect 0 ' 0 sentences' /dev/null --run knows
got=0
"$LOCKSTEP" generate --run knows --prompt a >out.log 2>&1 || got=$?
[ $got -eq 65 ] && grep -q 'has nothing to say without a source; use lockstep translate' out.log ||
    fail "generate with an encoder ends with $got: $(cat out.log)"
say "mistakes"
