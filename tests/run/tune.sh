#!/usr/bin/env bash
# tune.sh - the learning-rate range test: the same table from one process and from two workers, one that explodes ends
# early, one that is told to ends cleanly, and nothing stays but its two files.
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf one two more run
small=(data.dir=data model.layers=1 model.heads=2 model.width=32 model.context=32 train.batch=8 train.slices=4
       train.seed=7 cluster.threads=1)

tune() { # CODE OUT ARGUMENTS...: table to OUT.txt
    local expected=$1 out=$2 got=0
    shift 2
    "$LOCKSTEP" tune lr "${small[@]}" --out "$out" "$@" >"$out.txt" 2>"$out.log" || got=$?
    [ $got -eq "$expected" ] || fail "tune $* ends with $got, expected $expected: $(tail -5 "$out.log")"
    [ ! -e "$out/lr.scratch" ] || fail "tune $* leaves $(ls -d "$out"/lr.scratch)"
}

# in one process, and as a cluster, which is told to stop at what a range test is there to show
tune 0 one
tune 0 two -n 2 train.divergence=0.5 train.on_divergence=stop train.skip_loss_z=1 train.skip_norm_z=1 train.skip_window=8
diff one.txt two.txt || fail "two workers propose something else"
cmp one/lr.jsonl two/lr.jsonl || fail "two workers have other losses"
cmp one/lr.svg two/lr.svg || fail "two workers draw another curve"
[ "$(wc -l <one/lr.jsonl)" -eq 200 ] || fail "one/lr.jsonl has $(wc -l <one/lr.jsonl) lines"
[ "$(ls one | tr '\n' ' ')" = "lr.jsonl lr.svg " ] || fail "one has $(ls one)"
rate=$(sed -nE 's/.*proposed +optim.lr=([0-9.e-]+)$/\1/p' one.txt)
awk -v r="$rate" 'BEGIN { exit !(r >= 1e-3 && r <= 5e-2) }' || fail "proposed: '$rate' in $(cat one.txt)"
grep -q "proposed: optim.lr=$rate<" one/lr.svg || fail "lr.svg does not say $rate"
[ "$(sed -n 2p one.txt | awk '{print $2}')" = 1.00e-06 ] || fail "the first rate: $(sed -n 2p one.txt)"
say "proposed: $rate"

# what is proposed trains; a test from there starts where that ended
"$LOCKSTEP" train "${small[@]}" run.dir=run train.steps=60 optim.warmup=10 optim.lr="$rate" train.eval_every=0 >run.log 2>&1 ||
    fail "train with what was proposed: $(tail -3 run.log)"
first=$(sed -nE '1s/.*"loss": ([0-9.]+).*/\1/p' one/lr.jsonl)
awk -v a="$first" -v b="$(field run loss)" 'BEGIN { exit !(b < a - 0.8) }' || fail "it trains badly: $(field run loss)"
tune 0 more --checkpoint run --from 1e-5 --to 0.1 --steps 120 --json
start=$(sed -nE '1s/.*"loss": ([0-9.]+).*/\1/p' more/lr.jsonl)
awk -v a="$first" -v b="$start" 'BEGIN { exit !(b < a - 0.8) }' || fail "--checkpoint starts at $start, a new model at $first"
grep -qE '^\{"verdict": "(found|open)", "option": "optim.lr", "value": [0-9.e-]+, .*\}$' more.txt || fail "--json: $(cat more.txt)"
say "from a checkpoint: $start at first, $(cat more.txt)"

# a rate that destroys the model ends the test before its time; too low ones say nothing
tune 0 more --from 1e-4 --to 10 --steps 200 --json optim.clip=0 optim.name=sgd optim.momentum=0.99
grep -q '"diverged": true' more.txt || fail "nothing diverges: $(cat more.txt)"
[ "$(wc -l <more/lr.jsonl)" -lt 200 ] || fail "it did not end early"
tune 70 more --from 1e-9 --to 1e-8 --steps 40
grep -q 'nothing is proposed' more.txt || fail "a flat curve: $(cat more.txt)"
say "explodes: ends early; flat: no proposal"

# asked to stop
"$LOCKSTEP" tune lr -n 1 "${small[@]}" --out more --steps 100k >more.txt 2>more.log &
tuner=$!
wait_for 20 at_step more/lr.scratch 5 || fail "it does not begin: $(cat more.log)"
"$LOCKSTEP" tune lr "${small[@]}" --out more >other.log 2>&1 && fail "two at once in one place"
grep -q 'lr.scratch' other.log || fail "the second does not say why: $(cat other.log)"
kill -INT $tuner
code=0
wait $tuner || code=$?
[ $code -eq 75 ] || fail "asked to stop it ends with $code: $(cat more.log)"
[ ! -e more/lr.scratch ] || fail "asked to stop it leaves its scratch folder"
say "asked to stop: $(tail -1 more.log)"

refused() { # CODE PATTERN ARGUMENTS...
    local code=0 expected=$1 pattern=$2
    shift 2
    "$LOCKSTEP" tune "$@" >out.log 2>&1 || code=$?
    [ $code -eq "$expected" ] || fail "tune $* ends with $code, expected $expected: $(cat out.log)"
    grep -qE -- "$pattern" out.log || fail "tune $*: no '$pattern' in $(cat out.log)"
}
refused 64 'expected what to tune: lr' batch
refused 64 'missing: lr'
refused 64 '--from 1 must be below --to 0.1' lr --from 1 --to 0.1
refused 64 '--steps 3: expected' lr --steps 3
refused 64 'two configuration files' lr train.steps=3 one.yaml two.yaml
refused 78 'data.dir is not set' lr
refused 66 'no-data' lr data.dir=no-data
refused 66 'no-run' lr "${small[@]}" --checkpoint no-run
say "mistakes are refused"
