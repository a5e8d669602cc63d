#!/usr/bin/env bash
# scale.sh - a scaling experiment: the real command on a tiny model; its files, what is marked as more threads than cores,
# what is not measured again, a run that fails, an experiment that is stopped and goes on. Nothing here depends on how fast it is.
source "$(dirname "$0")/lib.sh"
prepare data char
rm -rf out one bin hosts
small=(data.dir=data model.layers=1 model.heads=2 model.width=32 model.context=32 train.batch=8 train.slices=4 train.seed=7)
short=(--steps 4 --warm-up 2)
cores=$(getconf _NPROCESSORS_ONLN)

# an mpirun that does as it is told: "bad": three processes fail; "held": three processes train for ever
mkdir bin
cat >bin/mpirun <<END
#!/bin/sh
case "\$(cat "$scratch/mood" 2>/dev/null):\$*" in
bad:*"-n 3 "*) exit 9 ;;
held:*"-n 3 "*) exec $(command -v mpirun) "\$@" train.steps=100000000 ;;
*) exec $(command -v mpirun) "\$@" ;;
esac
END
chmod +x bin/mpirun
PATH=$scratch/bin:$PATH
rm -f mood

scale() { # CODE ARGUMENTS...: to scale.txt and scale.log
    local expected=$1 got=0
    shift
    "$LOCKSTEP" scale "${short[@]}" "${small[@]}" --out "${out:-out}" "$@" >scale.txt 2>scale.log || got=$?
    [ $got -eq "$expected" ] || fail "scale $* ends with $got, expected $expected: $(tail -5 scale.log)"
    [ ! -e "${out:-out}/run.scratch" ] || fail "scale $* leaves its scratch folder"
}
column() { # NAME MODE WORKERS: of out/scale.csv
    awk -F, -v name="$1" -v mode="$2" -v n="$3" \
        'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } $1 == mode && $2 == n { print $at[name] }' out/scale.csv
}
expect() { # NAME MODE WORKERS VALUE
    [ "$(column "$1" "$2" "$3")" = "$4" ] || fail "$1 of $2, $3 workers: '$(column "$1" "$2" "$3")', expected '$4'"
}
made() { grep -c 'tokens/s, in' scale.log || true; }

# one and two workers with as many threads as there are cores: one fits, two do not
scale 0 -n 1,2 --repeats 2 cluster.threads="$cores"
for file in scale.md scale.csv scale.json {strong,weak}-{tokens,efficiency,phases}.svg; do
    [ -s out/$file ] || fail "no out/$file"
done
[ "$(made)" -eq 6 ] || fail "made $(made) runs, expected 6, as one worker is the same in both modes: $(cat scale.log)"
[ "$(grep -oE '(strong|weak)-n[0-9]-r[0-9]' scale.log | tr '\n' ' ')" = \
    "strong-n1-r1 strong-n2-r1 weak-n2-r1 strong-n1-r2 strong-n2-r2 weak-n2-r2 " ] || fail "they do not take turns: $(cat scale.log)"
for mode in strong weak; do
    expect runs $mode 1 2
    expect speed_up $mode 1 1
    expect efficiency $mode 1 1
    expect note $mode 1 ''
    expect runs $mode 2 2
    expect speed_up $mode 2 ''
    expect efficiency $mode 2 ''
    expect share_of_peak $mode 2 ''
    expect limit $mode 2 cores
    grep -qE "^$mode,2,.*,cores,,\"more threads than cores: behaviour, not scaling\"$" out/scale.csv || fail "scale.csv does not mark it"
    [ -n "$(column tokens_per_second $mode 2)" ] || fail "a crowded point has no speed: $(cat out/scale.csv)"
    grep -q '>more threads than cores: behaviour, not scaling</text>' out/$mode-tokens.svg || fail "$mode-tokens.svg does not mark it"
done
expect batch strong 2 8
expect slices strong 2 4
expect batch weak 2 16
expect slices weak 2 8
# each of two workers gets the parameters once, and gives one partial or, where leases are not aligned, a few
awk -v r="$(column received_bytes weak 2)" -v b="$(column received_bytes_bound weak 2)" 'BEGIN { exit !(r >= b / 2 && b > 0) }' ||
    fail "received less than one worker must give: $(cat out/scale.csv)"
grep -qF "| 2 | 8 | 4 | 2 |" scale.txt || fail "the table: $(cat scale.txt)"
grep -qF "more threads than cores: behaviour, not scaling |" scale.txt || fail "the table does not mark it"
grep -qF "$cores core" out/scale.md || fail "scale.md does not say how many cores: $(cat out/scale.md)"
[ -s out/runs/strong-n2-r2.jsonl ] || fail "the log of a run is not kept: $(ls out/runs)"
[ "$(grep -c '"member".*computed at' out/runs/strong-n2-r2.jsonl)" -eq 2 ] || fail "the log does not say how fast each worker was"
say "six runs, two of four points marked"

# what is measured is not measured again, unless it is other; --json is the file
scale 0 -n 1,2 --repeats 2 cluster.threads="$cores" --json
[ "$(made)" -eq 0 ] || fail "measured again: $(cat scale.log)"
grep -q '6 runs of out/scale.json are not made again' scale.log || fail "does not say so: $(cat scale.log)"
grep -q '"format": 1' scale.txt || fail "--json: $(head -3 scale.txt)"
scale 0 -n 1,2 --repeats 3 --strong cluster.threads="$cores"
[ "$(made)" -eq 2 ] || fail "one repeat more: made $(made) runs: $(cat scale.log)"
scale 0 -n 1 --repeats 1 --strong cluster.threads="$cores" model.width=64
[ "$(made)" -eq 1 ] || fail "another model is not measured: $(cat scale.log)"
scale 0 -n 1,2 --repeats 2 cluster.threads="$cores"
[ "$(made)" -eq 0 ] || fail "another model has driven out what was there: $(cat scale.log)"
scale 0 -n 1 --repeats 1 --strong cluster.threads="$cores" --again
[ "$(made)" -eq 1 ] || fail "--again does not measure again: $(cat scale.log)"
scale 0 -n 2 --repeats 3 --strong cluster.threads="$cores"
[ "$(made)" -eq 0 ] || fail "--again has driven out what it was not asked for: $(cat scale.log)"
say "nothing is measured twice"

# one point fails, the others go on
rm -rf out
echo bad >mood
scale 9 -n 1,2 --repeats 2 --strong cluster.threads=1
[ "$(made)" -eq 2 ] || fail "made $(made) of the other runs: $(cat scale.log)"
grep -q 'strong-n2-r1: run 1 failed: exit code 9; see out/runs/strong-n2-r1.log' scale.log || fail "which failed? $(cat scale.log)"
[ -e out/runs/strong-n2-r1.log ] || fail "no log of the run that failed"
expect runs strong 1 2
expect runs strong 2 0
grep -q 'Left out: strong, 2 workers, run 1: exit code 9' out/scale.md || fail "scale.md does not say it: $(cat out/scale.md)"
rm mood
scale 0 -n 1,2 --repeats 2 --strong cluster.threads=1
[ "$(made)" -eq 2 ] || fail "what failed is not tried again: $(cat scale.log)"
say "one fails, the others go on"

# stopped in the second run: the first is reported and stays
rm -rf out
echo held >mood
"$LOCKSTEP" scale "${short[@]}" "${small[@]}" --out out -n 1,2 --repeats 1 --strong cluster.threads=1 \
    >scale.txt 2>scale.log &
scaler=$!
wait_for 30 at_step out/run.scratch 100 || fail "it does not begin: $(cat scale.log)"
code=0
"$LOCKSTEP" scale "${short[@]}" "${small[@]}" --out out -n 1 >other.txt 2>other.log || code=$?
[ $code -eq 73 ] || fail "two at once in one place: $code, $(cat other.log)"
kill -INT $scaler
code=0
wait $scaler || code=$?
[ $code -eq 75 ] || fail "asked to stop it ends with $code: $(cat scale.log)"
[ ! -e out/run.scratch ] || fail "asked to stop it leaves its scratch folder"
expect runs strong 1 1
expect runs strong 2 0
grep -q 'stopped before all was measured' out/scale.md || fail "scale.md does not say it: $(cat out/scale.md)"
rm mood
scale 0 -n 1,2 --repeats 1 --strong cluster.threads=1
[ "$(made)" -eq 1 ] || fail "it does not go on from there: $(cat scale.log)"
! grep -q 'stopped before' out/scale.md || fail "it still says that it was stopped"
say "stopped, and on"

# a hostfile; every slot is a worker
echo "localhost slots=2" >hosts
out=one scale 0 --hostfile hosts --repeats 1 --weak
[ "$(made)" -eq 2 ] || fail "two slots are not one and two workers: $(cat scale.log)"
grep -q '^\* host 1: localhost' one/scale.md || fail "scale.md does not name the host: $(cat one/scale.md)"
say "a hostfile"

refused() { # CODE PATTERN ARGUMENTS...
    local code=0 expected=$1 pattern=$2
    shift 2
    "$LOCKSTEP" scale "$@" >out.log 2>&1 || code=$?
    [ $code -eq "$expected" ] || fail "scale $* ends with $code, expected $expected: $(cat out.log)"
    grep -qE -- "$pattern" out.log || fail "scale $*: no '$pattern' in $(cat out.log)"
}
for list in 0 -1 2,1 1,1 1,,2 1,2, a 5000; do
    refused 64 'rising counts from 1 to 4095' -n "$list"
done
refused 64 '--steps 0: expected' --steps 0
refused 64 '--steps 2.5: expected' --steps 2.5
refused 64 '--repeats x: expected' --repeats x
refused 64 'value is missing' --mca btl
refused 64 'two configuration files' one.yaml two.yaml
refused 78 'data.dir is not set'
refused 66 'no-data' data.dir=no-data
refused 66 'no-hosts' "${small[@]}" --hostfile no-hosts
refused 78 'train.batch' "${small[@]}" --weak -n 4095 train.batch=1048576
echo "{" >out/scale.json
refused 65 'out/scale.json.*--again' "${small[@]}" --out out
echo "far.invalid" >hosts
refused 69 'far.invalid does not answer' "${small[@]}" --hostfile hosts --agent false
say "mistakes are refused"
