#!/usr/bin/env bash
# pairs.sh - parallel text: prepare and inspect; what is wrong with a file is said with its place, what is left out too.
source "$(dirname "$0")/lib.sh"
rm -rf data one text

for i in {1..40}; do
    echo "the $i dogs run" >>one.en.new
    echo "die $i Hunde laufen" >>one.de.new
done
mv one.en.new one.en && mv one.de.new one.de
sed -i '7s/.*/ /; 9s/.*//' one.en
sed -i '12s/.*/\t/' one.de
sed -i "20s/.*/$(printf 'dog %.0s' {1..100})/" one.en
gzip -kf one.de
paste one.en one.de | grep '[a-z].*	.*[a-z]' >one.tsv

prepared() { "$LOCKSTEP" prepare --tokenizer bpe:270 "$@" >out.log 2>&1 || fail "prepare $*: $(cat out.log)"; }
has() { grep -qE -- "$1" "$2" || fail "no '$1' in $2: $(cat "$2")"; }

prepared --out data --source one.en --target one.de.gz --max-length 50
has '2 pairs left out, the source is empty: one.en:7, one.en:9$' out.log
has '1 pair left out, the target is empty: one.de.gz:12$' out.log
has '1 pair left out, longer than --max-length 50 tokens: one.en:20$' out.log
"$LOCKSTEP" inspect data >data.txt 2>out.log || fail "inspect: $(cat out.log)"
has 'data/train.pairs: pairs file, checksums are right' data.txt
has '^ +pairs +32$' data.txt # of 37 the first 33, without the long one
has '^ +pairs +4$' data.txt
"$LOCKSTEP" inspect data/held_out.pairs >held_out.txt 2>out.log || fail "inspect: $(cat out.log)"
has 'length of targets +[0-9]+ to [0-9]+ tokens, mean [0-9.]+$' held_out.txt
awk '/^  tokens /{on = 1; next} on {n += $(NF - 1); m += $NF} END {exit n != 4 || m != 4}' held_out.txt ||
    fail "the lengths of 4 pairs are counted otherwise: $(cat held_out.txt)"
prepared --out one --pairs one.tsv --max-length 50 --held-out-source one.en --held-out-target one.de
cmp -s data/train.pairs one/train.pairs && fail "all pairs train where others are held out"
prepared --out one --pairs one.tsv --max-length 50
cmp data/train.pairs one/train.pairs || fail "two files and one with tabs differ"
say "prepared and inspected"

# refuses CODE PATTERN ARGUMENTS...
refuses() {
    local code=$1 pattern=$2 got=0
    shift 2
    "$LOCKSTEP" prepare --out bad "$@" >out.log 2>&1 || got=$?
    [ $got -eq "$code" ] || fail "exit code $got, expected $code: prepare $*: $(cat out.log)"
    has "$pattern" out.log
    [ ! -e bad/tokenizer.json ] || fail "prepare $* left a data set"
}
head -38 one.de >short.de
printf 'a\tb\n\nc\td\n' >no.tsv
printf 'a\tb\nc\td\te\n' >two.tsv
printf 'a\nb\xff\n' >bad.en
refuses 65 'one.en has 40 lines and short.de has 38: line 39 of one.en has no partner' --source one.en --target short.de
refuses 65 'line 39 of one.en has no partner' --source short.de --target one.en
refuses 65 'no.tsv:2: no tab' --pairs no.tsv
refuses 65 'two.tsv:2: more than one tab' --pairs two.tsv
refuses 65 'bad.en: line 2.*UTF-8' --source bad.en --target bad.en
refuses 65 'no pairs for train.pairs' --source one.en --target one.de --max-length 1
refuses 66 'none.en' --source none.en --target one.de
refuses 64 'char has no end of text.*bpe:8192' --tokenizer char --source one.en --target one.de
refuses 64 'target for each source' --source one.en
refuses 64 'choose one' --source one.en --target one.de one.en
refuses 64 'choose one' --pairs one.tsv --held-out-pairs one.tsv --held-out 0.2
refuses 64 'for a parallel text' --held-out-pairs one.tsv one.en
refuses 64 'max-length 0' --pairs one.tsv --max-length 0
say "bad files and options: each named"

got=0
printf x | dd of=data/train.pairs bs=1 seek=300 conv=notrunc status=none
"$LOCKSTEP" inspect data >out.log 2>&1 || got=$?
[ $got -eq 65 ] || fail "inspect of damaged pairs ends with $got, expected 65: $(cat out.log)"
has 'data/train.pairs: damaged' out.log
got=0
"$LOCKSTEP" train run.dir=text data.dir=one train.steps=1 >out.log 2>&1 || got=$?
[ $got -eq 78 ] || fail "a decoder alone takes pairs: exit code $got, expected 78: $(cat out.log)"
has 'set it to 1 or more to learn to translate' out.log
say "damage is found, and pairs are no text"
