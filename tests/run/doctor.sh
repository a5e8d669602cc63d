#!/usr/bin/env bash
# doctor.sh - lockstep doctor: a healthy run has nothing severe, a frozen layer is the first thing found, in words, as JSON
# and as a page that needs no other file; a torn or damaged log, and what is no run.
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf healthy frozen torn empty
small=(data.dir=data model.layers=3 model.heads=2 model.width=48 model.context=64 train.batch=8 train.slices=4 train.steps=200
       train.eval_every=100 train.stats_every=10 optim.lr=3e-3 optim.warmup=20 cluster.threads=1 run.log_level=error)
"$LOCKSTEP" train run.dir=healthy "${small[@]}" >healthy.log 2>&1 || fail "healthy: $(cat healthy.log)"
"$LOCKSTEP" train run.dir=frozen "${small[@]}" train.freeze=layers.1. >frozen.log 2>&1 || fail "frozen: $(cat frozen.log)"

doctor() { "$LOCKSTEP" doctor "$@" 2>err.txt; }
doctor healthy --check >out.txt || fail "a healthy run: exit code $?: $(cat out.txt err.txt)"
grep -q '^healthy: done, 200 steps, 2 evaluations, 21 steps examined; data looked at$' out.txt || fail "healthy: $(cat out.txt)"
! grep -q '^severe' out.txt || fail "a healthy run has severe findings: $(cat out.txt)"

code=0
doctor frozen --check --html page.html >out.txt || code=$?
[ $code -eq 1 ] || fail "a frozen layer: --check ends with $code, expected 1: $(cat out.txt err.txt)"
grep -E '^(severe|warning|note)' out.txt | head -n 1 | grep -q '^severe *frozen_layer: ' || fail "a frozen layer is not found first: $(cat out.txt)"
for word in seen why change source; do grep -q "^  $word  *[^ ]" out.txt || fail "it has no '$word': $(cat out.txt)"; done
doctor frozen >again.txt || fail "without --check a finding is an error"
cmp out.txt again.txt || fail "with a page it says something else"
doctor frozen --json >out.json || fail "--json ends with $?"
python3 - <<'PY' || fail "JSON, text and page differ: $(cat out.json)"
import json, re
found = json.load(open("out.json"))["findings"]
text = re.findall(r"^(severe|warning|note)\s+(\w+):", open("out.txt").read(), re.M)
page = re.findall(r'<dd class="rule">(\w+)</dd>', open("page.html").read())
assert [(f["severity"], f["rule"]) for f in found] == text, text
assert [f["rule"] for f in found] == page and page[0] == "frozen_layer", page
PY
python3 - <<'PY' || fail "the page is not whole, or wants something from outside"
import re, xml.etree.ElementTree as tree
page = open("page.html").read()
root = tree.fromstring(page.removeprefix("<!DOCTYPE html>"))
titles = [t.text for t in root.iter() if t.get("class") == "title"]
for name in ("Loss", "Learning rate", "Gradient", "Clipping", "Update / weight: decoder"):
    assert name in titles, (name, titles)
assert not re.search(r'(src|href|url)\s*[=(]', page.replace('xmlns="http://www.w3.org/2000/svg"', "")), "a reference"
assert "prefers-color-scheme:dark" in page
PY
say "healthy, frozen; $(wc -c <page.html) bytes of page"

# a log that is torn at its end, and has lines of others
cp -r frozen torn
sed -i '5i not json\n{"event":"step"}' torn/log.jsonl
printf '{"time":1,"event":"st' >>torn/log.jsonl
doctor torn >out.txt || fail "a torn log: $(cat err.txt)"
grep -q '2 lines of log.jsonl were not understood, the first is 5' out.txt || fail "a torn log: $(cat out.txt)"
grep -q '^severe *frozen_layer: ' out.txt || fail "in a torn log nothing is found: $(cat out.txt)"
: >torn/log.jsonl
doctor torn --html empty.html >out.txt || fail "an empty log: $(cat err.txt)"

# expect CODE PATTERN ARGUMENTS...
expect() {
    local code=$1 pattern=$2 got=0
    shift 2
    doctor "$@" >out.txt || got=$?
    [ $got -eq "$code" ] || fail "exit code $got, expected $code: doctor $*: $(cat err.txt)"
    grep -qE "$pattern" err.txt || fail "expected '$pattern' from: doctor $*: $(cat err.txt)"
}
mkdir empty
expect 64 'no RUN is given'
expect 64 'two runs, frozen and healthy' frozen healthy
expect 66 'nowhere/run.yaml' nowhere
expect 66 'empty/run.yaml' empty
expect 66 'nowhere/page.html' healthy --html nowhere/page.html
say "mistakes"
