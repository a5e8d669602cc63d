#!/usr/bin/env bash
# subword.sh - subwords from a text to text: merges learned here, and the same merges as a file of codes, give the same
# data; a model of them writes words.  The text is the project's own source.
source "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
rm -rf learned read run text codes
cat "$top"/common/*/*.c >text

ready() { "$LOCKSTEP" prepare --out "$1" --tokenizer "$2" text 2>"$1.log" || fail "prepare $2: $(cat "$1.log")"; }
ready learned subword:500
{ echo '#version: 0.2'; sed -nE '/"merges"/,$ s/^ {6}"(.* .*)"[],]?$/\1/p' learned/tokenizer.json | sed 's/\\\(.\)/\1/g'; } >codes
[ "$(wc -l <codes)" -eq 501 ] || fail "$(wc -l <codes) lines of codes, expected 501"
ready read subword:codes
for file in tokenizer.json train.tokens held_out.tokens; do
    cmp "learned/$file" "read/$file" || fail "codes that are read give another $file than codes that are learned"
done
say "$(grep -h 'bytes per token' learned.log | tr '\n' ' ')"

# a character that the training part has not
{ cat text; printf 'snow \xe2\x98\x83\n'; } >text.new
mv text.new text
ready read subword:codes
grep -q 'held_out.tokens: unknown characters 1,.*<unk>' read.log || fail "an unknown character is not reported: $(cat read.log)"

"$LOCKSTEP" train run.dir=run data.dir=learned model.layers=1 model.heads=2 model.width=32 model.context=32 \
    train.batch=8 train.slices=2 train.steps=30 optim.warmup=5 optim.lr=3e-3 >train.log 2>&1 || fail "train: $(tail -5 train.log)"
"$LOCKSTEP" eval --run run >eval.txt 2>&1 || fail "eval: $(cat eval.txt)"
"$LOCKSTEP" generate --run run --prompt 'static int  i;' --tokens 40 >said 2>generate.log || fail "generate: $(cat generate.log)"
head -c 14 said | grep -qx 'static int i; ' || fail "the prompt is not what the text begins with: $(head -1 said)"
! grep -qE '</w>|@@|  ' said || fail "what is generated is not words: $(cat said)"
say "generate: $(head -c 80 said | tr '\n' ' ')"

# expect CODE KIND: what is wrong is refused
expect() {
    local code=0
    "$LOCKSTEP" prepare --out bad --tokenizer "$2" text 2>bad.log || code=$?
    [ $code -eq "$1" ] || fail "prepare $2 ends with $code, expected $1: $(cat bad.log)"
    [ ! -e bad/tokenizer.json ] || fail "prepare $2 leaves a tokenizer"
}
expect 78 subword:0
expect 66 subword:nowhere
sed 1d codes >old
expect 65 subword:old
grep -q "version: 0.2" bad.log || fail "the version is not named: $(cat bad.log)"
