#!/usr/bin/env bash
# bench.sh - the machine's ceilings and our share: the report has every section, as text and as JSON, in one process and
# between two ranks; every rate is positive and finite; asked to stop it reports nothing.  No speed is asserted.
source "$(dirname "$0")/lib.sh"
small=(model.layers=1 model.heads=2 model.width=32 model.context=32 train.batch=4 train.slices=2)

titles=("The machine's ceilings" 'Links, as' 'Matrix products' 'One slice' 'Whole vectors' 'A step, as predicted')
check_text() { # FILE: every section and a sentence about what limits; numbers in every row
    local title
    for title in "${titles[@]}"; do
        grep -q "^$title" "$1" || fail "no '$title' in $(cat "$1")"
    done
    grep -qE '^(Computing|Moving parameters and gradients|The coordinator) limits: [0-9]+ % of a step' "$1" || fail "no verdict in $(cat "$1")"
    ! grep -qiE '(^|[^a-z])(nan|inf)([^a-z]|$)' "$1" || fail "what is not a number: $(cat "$1")"
    # name, threads, three numbers, unit
    ! sed -n '/^  [a-z]/p' "$1" | grep -vE '^  [a-z][^0-9]*.* +[0-9]+ +[0-9.]+ +[0-9.]+ +[0-9.]+  [A-Za-z/]+( +[0-9]+ %)?$' ||
        fail "a row of another form in $(cat "$1")"
    ! grep -n '.\{101\}' "$1" | grep -vE '^[0-9]+:(Computing|Moving|The coordinator|a model)' || fail "wide rows"
}

check_json() { # FILE: one object whose rows all have low <= median <= high, positive
    local rows
    rows=$(grep -c '"section":' "$1") || fail "no rows in $(cat "$1")"
    [ "$rows" -ge 40 ] || fail "$rows rows in $(cat "$1")"
    sed -nE 's/.*"median": ([^,]+), "low": ([^,]+), "high": ([^,]+), .*/\1 \2 \3/p' "$1" |
        awk -v rows="$rows" '$1 + 0 > 0 && $2 + 0 > 0 && $2 + 0 <= $1 + 0 && $1 + 0 <= $3 + 0 { good++ } END { exit good != rows }' ||
        fail "numbers that are not: $(cat "$1")"
    local section
    for section in ceilings links products slice vector step; do
        grep -q "\"section\": \"$section\"" "$1" || fail "no section $section in $(cat "$1")"
    done
    grep -qE '"step": \{"link": "[a-z, ]+", "seconds": [0-9.e-]+, "tokens_per_second": [0-9.e+-]+, "compute": [0-9.e-]+, "pull": [0-9.e-]+, "push": [0-9.e-]+, "coordinator": [0-9.e-]+\}' "$1" ||
        fail "no step in $(cat "$1")"
    python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$1" 2>err.txt || ! command -v python3 >/dev/null || fail "no JSON: $(cat err.txt)"
}

rm -f both.json
"$LOCKSTEP" bench "${small[@]}" --quick --vocabulary 300 --out both.json >one.txt 2>one.log || fail "bench: $? $(tail -3 one.log)"
check_text one.txt
check_json both.json
for name in 'multiply-adds, float32' 'multiply-adds, bfloat16' 'memory, read' 'memory, copy' 'memory, triad' 'first touch, huge pages' \
    'tcp, loopback, one way' 'tcp, loopback, round trip' 'attention.qkv, forward, float32' 'mlp.down, dgrad, bfloat16' \
    'head, wgrad, float32' 'forward and backward' 'attention, causal' 'norms' 'add two partials' 'update with its norm' 'checksums' \
    'pack as bfloat16' 'unpack from int8' 'compute' 'pull' 'push' 'coordinator'; do
    grep -q "\"name\": \"$name\"" both.json || fail "no '$name' in $(cat both.json)"
done
grep -q 'vocabulary 300;' one.txt || fail "the vocabulary: $(sed -n 2p one.txt)"
say "one process: $(grep -c section both.json) rows; $(tail -1 one.txt)"

# with an encoder, everything in bfloat16, an average, by a file
cat >pairs.yaml <<'YAML'
model: {encoder_layers: 1, layers: 1, heads: 2, width: 32, context: 32, norm_place: post, activation: swiglu, dropout: 0.1, dropout_hidden: 0.1}
train: {batch_tokens: 256, slices: 2, compute: bfloat16, label_smoothing: 0.1}
optim: {ema: 0.9}
cluster: {wire: bfloat16, threads: 1}
YAML
"$LOCKSTEP" bench pairs.yaml --quick --json >pairs.json 2>pairs.log || fail "pairs: $? $(tail -3 pairs.log)"
check_json pairs.json
for name in 'cross.query, forward, bfloat16' 'attention, of and to sources' 'dropout of residuals' 'dropout of hidden rows' 'biases'; do
    grep -q "\"name\": \"$name\"" pairs.json || fail "no '$name' in $(cat pairs.json)"
done
grep -q '^ "threads": 1, "kernels"' pairs.json || fail "cluster.threads=1: $(head -2 pairs.json)"
say "with an encoder: $(tail -1 pairs.json)"

# between two ranks
mpirun --bind-to none -n 2 "$LOCKSTEP" bench "${small[@]}" --quick --out ranks.json >two.txt 2>two.log || fail "two ranks: $? $(cat two.log)"
check_text two.txt
check_json ranks.json
for name in 'mpi, one way' 'mpi, round trip' 'tcp, loopback, one way' 'tcp, loopback, round trip'; do
    [ "$(grep -c "\"name\": \"$name\"" ranks.json)" -eq 1 ] || fail "not one '$name' in $(cat ranks.json)"
done
grep -q '"ranks": 2' ranks.json || fail "ranks: $(head -1 ranks.json)"
grep -q 'by mpi: about' two.txt || fail "the link of the step: $(tail -2 two.txt)"
say "two ranks: $(tail -1 two.txt)"

# asked to stop: at once, nothing reported
"$LOCKSTEP" bench >stopped.txt 2>stopped.log &
bench=$!
wait_for 20 grep -q 'measuring memory' stopped.log || fail "it does not begin: $(cat stopped.log)"
kill -INT $bench
code=0
wait $bench || code=$?
[ $code -eq 75 ] || fail "asked to stop it ends with $code: $(cat stopped.log)"
[ ! -s stopped.txt ] || fail "asked to stop it reports $(cat stopped.txt)"
say "asked to stop: $(tail -1 stopped.log)"

refused() { # CODE PATTERN ARGUMENTS...
    local code=0 expected=$1 pattern=$2
    shift 2
    "$LOCKSTEP" bench "$@" >out.log 2>&1 || code=$?
    [ $code -eq "$expected" ] || fail "bench $* ends with $code, expected $expected: $(cat out.log)"
    grep -qE -- "$pattern" out.log || fail "bench $*: no '$pattern' in $(cat out.log)"
}
refused 64 '--vocabulary 1: expected a number from 2' --vocabulary 1
refused 64 'two configuration files' one.yaml two.yaml
refused 66 'no.yaml' no.yaml
refused 78 'model.width' model.width=33 model.heads=2
refused 78 'model.widht.*model.width' model.widht=32
refused 66 'no-data' data.dir=no-data
refused 66 '--out no/such/x.json: its folder' --out no/such/x.json
code=0
mpirun --bind-to none -n 3 "$LOCKSTEP" bench --quick >out.log 2>&1 || code=$?
[ $code -eq 64 ] || fail "three ranks end with $code: $(cat out.log)"
[ "$(grep -c 'bench measures between two ranks, not 3' out.log)" -eq 1 ] || fail "three ranks: $(cat out.log)"
say "mistakes are refused"
