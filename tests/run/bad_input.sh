#!/usr/bin/env bash
# bad_input.sh - each mistake gets one message that names what and where, and its exit code; under
# mpirun once and not once per rank.  The time to the end is printed (two seconds are promised).
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf good bad* full
small=(data.dir=data model.layers=1 model.heads=2 model.width=16 model.context=16 train.batch=4
       train.slices=2 train.steps=4 train.eval_every=1000 train.checkpoint_every=2 cluster.threads=1)

# expect CODE PATTERN COMMAND...: fails with CODE, and says PATTERN exactly once
expect() {
    local code=$1 pattern=$2 got=0 start end
    shift 2
    start=$(date +%s%N)
    "$@" >out.log 2>&1 || got=$?
    end=$(date +%s%N)
    [ $got -eq "$code" ] || fail "exit code $got, expected $code: $* : $(cat out.log)"
    [ "$(grep -cE "$pattern" out.log)" -eq 1 ] || fail "expected once '$pattern' from: $* : $(cat out.log)"
    say "$code  $(printf %5d $(((end - start) / 1000000))) ms  $(grep -E "$pattern" out.log | cut -c14-170)"
}

train=("$LOCKSTEP" train "${small[@]}" run.dir=bad)
ranks=(mpirun -n 3)

expect 64 'unknown command .trian.; did you mean .train.' "$LOCKSTEP" trian
expect 78 "model.layer[^s].*model.layers" "${train[@]}" model.layer=3
expect 78 "model.layer[^s].*model.layers" "${ranks[@]}" "${train[@]}" model.layer=3
expect 78 'optim.lr.*-1' "${train[@]}" optim.lr=-1
expect 78 'heads.*(divide|multiple)|width.*heads' "${train[@]}" model.heads=3
expect 78 'heads.*(divide|multiple)|width.*heads' "${ranks[@]}" "${train[@]}" model.heads=3
expect 66 'nowhere.yaml' "${train[@]}" nowhere.yaml
expect 66 'no-data' "${train[@]}" data.dir=no-data
expect 66 'no-data' "${ranks[@]}" "${train[@]}" data.dir=no-data
expect 66 'missing.txt' "$LOCKSTEP" prepare --out bad-data missing.txt
printf 'model:\n  layers: 2\n  wdth: 3\n' >bad.yaml
expect 78 'bad.yaml:3' "${train[@]}" bad.yaml
printf 'abc\xff\xfe def\n' >bad.txt
expect 65 'bad.txt.*(UTF-8|byte)' "$LOCKSTEP" prepare --out bad-data --tokenizer char bad.txt
: >empty.txt
expect 65 'empty.txt' "$LOCKSTEP" prepare --out bad-data --tokenizer char empty.txt
[ ! -e bad-data/tokenizer.json ] || fail "prepare left a file under its final name"

# token files: truncated, damaged, too short for the context
cp -r data bad-cut && truncate -s -7 bad-cut/train.tokens
expect 65 'bad-cut/train.tokens' "${train[@]}" data.dir=bad-cut
expect 65 'bad-cut/train.tokens' "${ranks[@]}" "${train[@]}" data.dir=bad-cut
cp -r data bad-flip && printf 'X' | dd of=bad-flip/held_out.tokens bs=1 seek=5000 conv=notrunc status=none
expect 65 'bad-flip/held_out.tokens' "${train[@]}" data.dir=bad-flip
printf 'just a few words of text' >short.txt
"$LOCKSTEP" prepare --out bad-short --tokenizer char short.txt >out.log 2>&1 || fail "$(cat out.log)"
expect 65 'bad-short/train.tokens.*context' "${train[@]}" data.dir=bad-short

# checkpoints: the newest damaged, then all
"$LOCKSTEP" train "${small[@]}" run.dir=good >out.log 2>&1 || fail "$(cat out.log)"
printf 'X' | dd of=good/checkpoints/step-00000004/model.safetensors bs=1 seek=900 conv=notrunc status=none
"$LOCKSTEP" train "${small[@]}" run.dir=good train.steps=6 >out.log 2>&1 || fail "$(cat out.log)"
grep -q 'step-00000004.*model.safetensors.*checksum' out.log || fail "the damaged one is not named: $(cat out.log)"
grep -q 'going on from good/checkpoints/step-00000002' out.log || fail "the older one is not used: $(cat out.log)"
say "newest checkpoint damaged: skipped by name, older one used"
for c in good/checkpoints/step-*; do truncate -s -1 "$c/optimizer.safetensors"; done
expect 65 'never starts from zero' "$LOCKSTEP" train "${small[@]}" run.dir=good train.steps=8
expect 65 'never starts from zero' "${ranks[@]}" "$LOCKSTEP" train "${small[@]}" run.dir=good train.steps=8

# another configuration than the run's
"$LOCKSTEP" train "${small[@]}" run.dir=good2 >out.log 2>&1 || fail "$(cat out.log)"
expect 78 'model.width.*16.*32|model.width.*32.*16' "$LOCKSTEP" train "${small[@]}" run.dir=good2 model.width=32
rm -rf good2

# the same by launch, which must not try again what cannot succeed
launch=("$LOCKSTEP" launch -n 2 "${small[@]}")
expect 65 'never starts from zero' "${launch[@]}" run.dir=good train.steps=8
expect 65 'bad-cut/train.tokens' "${launch[@]}" run.dir=bad data.dir=bad-cut
expect 78 'heads.*(divide|multiple)' "${launch[@]}" run.dir=bad model.heads=3
expect 64 'workers' "$LOCKSTEP" launch -n 0 run.dir=bad

# run directory in use
"$LOCKSTEP" train "${small[@]}" run.dir=busy train.steps=1M run.log_level=error &
pid=$!
trap 'kill -KILL $pid 2>/dev/null || true' EXIT
wait_for 20 at_step busy 1 || fail "the run does not start"
expect 73 'busy is in use by process' "$LOCKSTEP" train "${small[@]}" run.dir=busy
expect 73 'busy is in use by process' "${launch[@]}" run.dir=busy
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code -eq 75 ] || fail "asked to stop, it ended with $code"
say "75  stopped on request"

# full disk during a checkpoint: training goes on
if [ "$(id -u)" -eq 0 ] && mkdir -p full && mount -t tmpfs -o size=400k tmpfs full 2>/dev/null; then
    trap 'umount full 2>/dev/null || true' EXIT
    code=0
    "$LOCKSTEP" train "${small[@]}" run.dir=full/run model.width=64 model.layers=2 >out.log 2>&1 || code=$?
    umount full
    [ $code -eq 74 ] || fail "full disk: exit code $code, expected 74: $(cat out.log)"
    grep -q 'training goes on' out.log || fail "full disk: $(cat out.log)"
    grep -q 'step 4/4' out.log || fail "full disk stopped the training: $(cat out.log)"
    say "74  full disk: training went on to its end, then said that the last checkpoint is missing"
else
    say "full disk: not tried, needs to mount a small tmpfs"
fi
