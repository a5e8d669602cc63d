#!/usr/bin/env bash
# score.sh - lockstep score: the numbers, from files, gzip and standard input, as text and as JSON; each mistake gets
# one message that names what and where, and its exit code.
source "$(dirname "$0")/lib.sh"

# the example of sacreBLEU's README
printf '%s\n' 'The dog bit the man.' "It wasn't surprising." 'The man had just bitten him.' >out.txt
printf '%s\n' 'The dog bit the man.' 'It was not unexpected.' 'The man bit him first.' >one.txt
printf '%s\n' 'The dog had bit the man.' 'No one was surprised.' 'The man had bitten the dog.' | head -c -1 >other.txt
gzip -c other.txt >other.txt.gz
version=$("$LOCKSTEP" --version | cut -d' ' -f2)

# says EXPECTED ARGUMENTS...: standard output to the letter; standard input is out.txt
says() {
    local expected=$1
    shift
    [ "$("$LOCKSTEP" score "$@" <out.txt 2>err.log)" = "$expected" ] ||
        fail "score $*: expected '$expected', got '$("$LOCKSTEP" score "$@" <out.txt 2>&1)'"
}

bleu="BLEU|nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:lockstep-$version = 48.53 82.4/50.0/45.5/37.5 (BP = 0.943 ratio = 0.944 hyp_len = 17 ref_len = 18)"
chrf="chrF2|nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no|version:lockstep-$version = 59.73"
plus="chrF2++|nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|version:lockstep-$version = 59.15"
says "$bleu" --reference one.txt --reference other.txt out.txt
says "$bleu" -r other.txt.gz -r one.txt
says "$bleu" -r one.txt -r other.txt -
says "$chrf" -r one.txt -r other.txt --metric chrf
says "$bleu"$'\n'"$chrf"$'\n'"$plus" -r one.txt -r other.txt -m chrf++ -m bleu -m chrf
says "BLEU|nrefs:2|case:lc|eff:no|tok:none|smooth:none|version:lockstep-$version = 49.19 71.4/54.5/50.0/40.0 (BP = 0.931 ratio = 0.933 hyp_len = 14 ref_len = 15)" \
    -r one.txt -r other.txt --tokenize none --smooth none --lowercase
say "text"

value() { sed -nE "s/^ *\"$1\": (.*[^,]),?\$/\1/p" out.json; }
"$LOCKSTEP" score -r one.txt -r other.txt --json out.txt >out.json || fail "--json ends with $?"
for pair in 'name="BLEU"' sentences=3 'matches=[14, 7, 5, 3]' 'totals=[17, 14, 11, 8]' hyp_len=17 ref_len=18 \
    "signature=\"nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:lockstep-$version\""; do
    [ "$(value "${pair%%=*}")" = "${pair#*=}" ] || fail "JSON: expected ${pair%%=*} ${pair#*=}: $(cat out.json)"
done
[[ $(value score) == 48.530827009* ]] || fail "JSON: the score is short: $(cat out.json)"
"$LOCKSTEP" score -r one.txt -m bleu -m chrf --json out.txt | tr -d ' \n' >out.json
grep -qE '^\[\{"name":"BLEU",.*\},\{"name":"chrF2",.*\}\]$' out.json || fail "JSON of two metrics: $(cat out.json)"
say "JSON"

# an empty line is an empty sentence, a last line may do without its end
printf 'a b c d\n\n' >two.txt
printf 'a b c d\ne f' >whole.txt
"$LOCKSTEP" score -r whole.txt two.txt | grep -q 'hyp_len = 4 ref_len = 6)$' || fail "an empty line does not count"

# expect CODE PATTERN ARGUMENTS...: fails with CODE, and says PATTERN exactly once
expect() {
    local code=$1 pattern=$2 got=0
    shift 2
    "$LOCKSTEP" score "$@" >out.log 2>&1 </dev/null || got=$?
    [ $got -eq "$code" ] || fail "exit code $got, expected $code: score $* : $(cat out.log)"
    [ "$(grep -cE "$pattern" out.log)" -eq 1 ] || fail "expected once '$pattern' from: score $* : $(cat out.log)"
}
printf 'fine\n\xc3\xa4\nabc\xff\n' >latin.txt
: >empty.txt
gzip -c one.txt | head -c 40 >cut.txt.gz
expect 64 'reference FILE is missing' out.txt
expect 64 'bleuu: expected one of bleu, chrf, chrf..' -r one.txt -m bleuu out.txt
expect 64 'tokenize 14: expected one of 13a, none' -r one.txt -t 14 out.txt
expect 64 'smooth much: expected one of exp, none, floor' -r one.txt -s much out.txt
expect 64 'two files of hypotheses, out.txt and one.txt' -r one.txt out.txt one.txt
expect 66 'nowhere.txt' -r one.txt nowhere.txt
expect 66 'nowhere.txt' -r nowhere.txt out.txt
expect 65 'out.txt has 3 lines and two.txt has 2: line 3 of out.txt has no partner' -r one.txt -r two.txt out.txt
expect 65 'two.txt has 2 lines and one.txt has 3: line 3 of one.txt has no partner' -r one.txt two.txt
expect 65 'latin.txt: line 3, byte 11 of the file, is 0xff' -r one.txt latin.txt
expect 65 'latin.txt: line 3' -r latin.txt out.txt
expect 65 'empty.txt is empty' -r empty.txt out.txt
expect 65 '/dev/stdin is empty' -r one.txt
expect 65 'cut.txt.gz: damaged gzip' -r cut.txt.gz out.txt
say "mistakes"

# text that is in tokens already
for ((i = 0; i < 100; i++)); do echo 'a b .'; done >parted.txt
"$LOCKSTEP" score -r parted.txt parted.txt 2>&1 >/dev/null | grep -q '100 lines end in' || fail "no warning of tokens"
[ -z "$("$LOCKSTEP" score -r parted.txt -t none parted.txt 2>&1 >/dev/null)" ] || fail "a warning of tokens that are told"

# Multi30k's test set of 2016, whose 12103 tokens are those of the papers: itself, and with each tenth word away; the
# scores are sacreBLEU's
reference=$TEST_SHARED/data/multi30k-en-de-tok/test_2016_flickr.lc.norm.tok.de.gz
[ -s "$reference" ] || skip "no $reference"
gzip -dc "$reference" | awk '{ for (i = 1; i <= NF; i++) if (++n % 10) printf "%s ", $i; print "" }' >tenth.txt
"$LOCKSTEP" score -r "$reference" -t none "$reference" | grep -q ' = 100.00 100.0/100.0/100.0/100.0 (BP = 1.000' ||
    fail "the reference itself does not score 100"
"$LOCKSTEP" score -r "$reference" -t none -m bleu -m chrf++ tenth.txt >tenth.log
grep -qF ' = 75.07 100.0/89.8/79.6/69.3 (BP = 0.895 ratio = 0.900 hyp_len = 10893 ref_len = 12103)' tenth.log &&
    grep -q '^chrF2++.* = 87.13$' tenth.log || fail "each tenth word away: $(cat tenth.log)"
say "Multi30k"
