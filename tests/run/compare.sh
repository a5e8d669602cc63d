#!/usr/bin/env bash
# compare.sh - runs side by side: finished, failed, going on, dead; the numbers are those of their logs, in the table,
# as JSON and in the picture; a torn or damaged log is read as far as it says something.
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf a b wild going
small=(data.dir=data model.layers=1 model.heads=2 model.width=32 model.context=32 train.batch=8 train.slices=4
       train.eval_every=20 cluster.threads=1 run.log_level=error)

"$LOCKSTEP" train run.dir=a "${small[@]}" train.steps=40 >a.log 2>&1 || fail "a: $(cat a.log)"
"$LOCKSTEP" train run.dir=b "${small[@]}" train.steps=60 optim.lr=1e-4 >b.log 2>&1 || fail "b: $(cat b.log)"
"$LOCKSTEP" train run.dir=wild "${small[@]}" train.steps=60 optim.name=sgd optim.lr=10 optim.momentum=0.99 optim.clip=0 \
    >wild.log 2>&1 && fail "what should diverge does not"

held() { sed -nE "s/.*\"step\":$2,\"held_out_loss\":([0-9.]+),.*/\1/p" "$1/log.jsonl" | tail -n 1; }
four() { printf '%.4f' "$1"; }

# the table
"$LOCKSTEP" compare a b wild --svg held.svg >out.txt 2>err.txt || fail "compare ends with $?: $(cat err.txt)"
grep -qE "^a +done +40/40 +$(four "$(held a 40)") +$(four "$(held a 40)") +40 " out.txt || fail "a: $(cat out.txt)"
grep -qE "^b +done +60/60 +$(four "$(held b 60)") " out.txt || fail "b: $(cat out.txt)"
grep -qE '^wild +failed +[0-9]+/60 ' out.txt || fail "wild: $(cat out.txt)"
grep -qE '^wild: .*not finite' out.txt || fail "it does not say why: $(cat out.txt)"
[ "$(grep -c 'class="line' held.svg)" -eq 6 ] || fail "three lines and their keys: $(cat held.svg)"
say "$(sed -n 3,6p out.txt)"

# names, another metric, smoothed: as many points as there are steps
"$LOCKSTEP" compare a b --names 'fast,<slow>' --metric loss --smooth 5 --log --svg loss.svg >out.txt
grep -q '^loss (nats/token)' out.txt && grep -qE '^<slow> +done ' out.txt || fail "names: $(cat out.txt)"
grep -q '>&lt;slow&gt;</text>' loss.svg || fail "the picture has other names: $(cat loss.svg)"
mkdir -p c && cp -r a c/ && "$LOCKSTEP" compare a c/a | grep -qE '^c/a +done ' || fail "two of one name are not told apart"

# JSON has all digits
"$LOCKSTEP" compare a wild --json | tr -d ' \n' >out.json
grep -qF '"metric":"held_out_loss","unit":"nats/token","wanted":"low","runs":[{"name":"a","dir":"a","state":"done"' out.json &&
    grep -qE "\"last\":$(held a 40)[0-9]*,\"best\":$(held a 40)[0-9]*,\"best_step\":40,\"tokens_per_second\":[0-9.]+,\"seconds\":[0-9.]+\}" out.json &&
    grep -qE '"name":"wild","dir":"wild","state":"failed","message":"[^"]+"' out.json || fail "JSON: $(cat out.json)"

# a log that was cut in mid-line is normal; a damaged line is told, and left out
cp -r a torn
head -c -20 a/log.jsonl >torn/log.jsonl
"$LOCKSTEP" compare torn >out.txt 2>err.txt || fail "torn: $?"
[ ! -s err.txt ] || fail "a torn line is complained of: $(cat err.txt)"
sed -i '3s/.*/{"time":/' torn/log.jsonl
"$LOCKSTEP" compare torn >out.txt 2>err.txt || fail "damaged: $?"
grep -q 'torn/log.jsonl: 1 lines .* line 3' err.txt || fail "damage: $(cat err.txt)"
grep -qE "^torn +done +40/40 +$(four "$(held a 40)") " out.txt || fail "damaged: $(cat out.txt)"
rm torn/status.json
"$LOCKSTEP" compare torn 2>/dev/null | grep -qE '^torn +unknown +40 ' || fail "without status.json: $("$LOCKSTEP" compare torn 2>&1)"
rm -rf torn c

# one that goes on, and one that only says so
"$LOCKSTEP" train run.dir=going "${small[@]}" train.steps=100k >going.log 2>&1 &
runner=$!
wait_for 20 at_step going 45 || fail "it does not begin: $(cat going.log)"
"$LOCKSTEP" compare a going >out.txt || fail "going: $?"
grep -qE '^going +running +[0-9]+/100000 ' out.txt || fail "going: $(cat out.txt)"
kill -INT $runner && wait $runner && fail "stopped it ends with 0"
"$LOCKSTEP" compare going | grep -qE '^going +stopped ' || fail "stopped: $("$LOCKSTEP" compare going)"
sed -i -E 's/"state": "stopped"/"state": "running"/; s/"updated": [0-9.]+/"updated": 1000.0/' going/status.json
"$LOCKSTEP" compare going | grep -qE '^going +silent ' || fail "silent: $("$LOCKSTEP" compare going)"
say "running, stopped, silent"

refused() { # CODE PATTERN ARGUMENTS...
    local code=0 expected=$1 pattern=$2
    shift 2
    "$LOCKSTEP" compare "$@" >out.log 2>&1 || code=$?
    [ $code -eq "$expected" ] || fail "compare $* ends with $code, expected $expected: $(cat out.log)"
    grep -qE -- "$pattern" out.log || fail "compare $*: no '$pattern' in $(cat out.log)"
}
refused 64 'no RUN is given'
refused 64 "expected one of loss, .*did you mean 'held_out_loss'" a --metric held_out_los
refused 64 '--names x: 1 names for 2 runs' a b --names x
refused 64 '--smooth 0: expected' a --smooth 0
refused 66 'nowhere/log.jsonl' a nowhere
refused 66 'no/where' a --svg no/where.svg
say "mistakes are refused"
