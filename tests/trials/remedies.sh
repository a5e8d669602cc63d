#!/usr/bin/env bash
# remedies.sh - remedies on trial: pairs of short trainings on real text, without and with one remedy, equal in all
# else (pairs.tsv).  Writes OUT/results.md, which shows all, and OUT/NAME.svg, the curves of a pair.
#
#     tests/trials/remedies.sh                          # all pairs, seed 1
#     tests/trials/remedies.sh --seeds 1,2,3 dropout    # some, by several seeds
#     tests/trials/remedies.sh --check warmup           # fails unless the remedy is better by its margin
#
# Options: --out DIR (default: remedies, in the current folder).  Environment: LOCKSTEP (the program), TEST_SHARED
# (test data that is not part of the project).  Results are functions of options and seed, whatever the machine's speed.
trials=$(cd "$(dirname "$0")" && pwd)
: "${LOCKSTEP:=$trials/../../build/release/lockstep}" "${TEST_SHARED:=$trials/../../../shared}"
source "$trials/../run/lib.sh"

out=remedies check=false seeds=(1) names=()
while [ $# -gt 0 ]; do
    case $1 in
    --check) check=true ;;
    --seeds | --out)
        [ $# -ge 2 ] || fail "$1: what?"
        case $1 in --out) out=$2 ;; *) IFS=, read -ra seeds <<<"$2" ;; esac
        shift
        ;;
    -*) fail "$1: no such option; the head of remedies.sh lists them" ;;
    *) names+=("$1") ;;
    esac
    shift
done

# --- data, made when first asked for

make_text() { prepare "$1" char; }

make_small() {
    [ -s "$shakespeare" ] || skip "no $shakespeare"
    head -n 800 "$shakespeare" >"$1.txt"
    "$LOCKSTEP" prepare --out "$1" --tokenizer char --held-out 0.5 "$1.txt" 2>"$1.log" || fail "$(cat "$1.log")"
}

# make_multi30k DATA TOKENIZER FILTER...: its training pairs as FILTER leaves them, 300 of the others held out
make_multi30k() {
    local data=$1 tokenizer=$2 from=$TEST_SHARED/data/multi30k-en-de-tok side
    shift 2
    [ -s "$from/train.lc.norm.tok.en.gz" ] || skip "no $from"
    for side in en de; do
        gzip -dc "$from/train.lc.norm.tok.$side.gz" | "$@" >"$data.$side"
        gzip -dc "$from/val.lc.norm.tok.$side.gz" | sed -n 1,300p >"$data.val.$side"
    done
    "$LOCKSTEP" prepare --out "$data" --tokenizer "$tokenizer" --source "$data.en" --target "$data.de" \
        --held-out-source "$data.val.en" --held-out-target "$data.val.de" 2>"$data.log" || fail "$(cat "$data.log")"
}

make_pairs() { make_multi30k "$1" subword:1000 sed -n 1,1000p; }

# What a crawler leaves among sentences: 160 lines, each an HTML entity or tag over and over, the same on both sides.  Longer than
# every sentence, so that a pool of lengths puts them into steps of their own.
make_spiky() { make_multi30k "$1" subword:2000 plant; }

plant() {
    awk 'BEGIN { split("&amp; <br> &quot; &nbsp;", word, " "); split("120 30 100 50", times, " ") }
        { print }
        NR % 181 == 90 { k = n++ % 4 + 1; for (i = 1; i <= times[k]; i++) printf "%s%s", word[k], i < times[k] ? " " : "\n" }'
}

# --- runs

# run_once CONFIGURATION SEED OPTIONS...: trains, unless this program did so; its directory in $dir
run_once() {
    local conf=$1 seed=$2 code=0
    shift 2
    dir=$out/runs/$conf-$( (printf '%s ' "$program" "$seed" "$@" && cat "$trials/$conf.yaml") | cksum | cut -d' ' -f1)
    [ ! -e "$dir.ended" ] || return 0
    rm -rf "$dir"
    "$LOCKSTEP" train "$trials/$conf.yaml" run.dir="$dir" data.dir="$out/data-$conf" train.seed="$seed" \
        cluster.threads=1 train.checkpoint_every=100k train.keep_last=1 run.log_level=error "$@" >"$dir.log" 2>&1 || code=$?
    # a loss that is not finite is a result
    [ $code -eq 0 ] || { [ $code -eq 70 ] && field "$dir" message | grep -q 'not finite'; } ||
        fail "$dir ends with $code: $(tail -3 "$dir.log")"
    echo $code >"$dir.ended"
}

# tuned CONFIGURATION SEED OPTIONS...: the rate that the range test proposes
tuned() {
    local conf=$1 seed=$2
    shift 2
    "$LOCKSTEP" tune lr "$trials/$conf.yaml" data.dir="$out/data-$conf" train.seed="$seed" cluster.threads=1 "$@" \
        --out "$out/tune-$conf-$seed" --json 2>"$out/tune.log" | sed -nE 's/.*"value": ([0-9.e-]+),.*/\1/p'
}

# result RUN METRIC: its last value, or none
result() {
    [ "$(field "$1" state)" = done ] || { echo none; return; }
    "$LOCKSTEP" compare "$1" --metric "$2" --json | sed -nE 's/^ *"last": ([0-9.e+-]+),$/\1/p'
}

# gain WITHOUT WITH: by how much lower the second is; a result is lower than none by 1e9
gain() {
    awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4f", b == "none" ? -1e9 : a == "none" ? 1e9 : a - b }'
}
below() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 < b + 0) }'; }
shown() { awk -v x="$1" 'BEGIN { if (x == "none") print "not finite"; else if (x >= 1e8) print "infinitely"; else if (x <= -1e8) print "it is worse"; else printf "%.4f", x }'; }

# --- the pairs

# side CONFIGURATION SEED OPTIONS...: run_once, with @tune replaced
side() {
    local conf=$1 seed=$2 rate
    shift 2
    [ -d "$out/data-$conf" ] || "make_$conf" "$out/data-$conf"
    case "$*" in *optim.lr=@tune*)
        rate=$(tuned "$conf" "$seed" "${@//optim.lr=@tune/optim.lr=1e-3}")
        [ -n "$rate" ] || fail "tune lr proposes nothing: $(tail -3 "$out/tune.log")"
        set -- "${@//@tune/$rate}"
        ;;
    esac
    run_once "$conf" "$seed" "$@"
}

# try NAME CONFIGURATION METRIC MARGIN COMMON WITHOUT WITH WHAT: a row of the table, and the picture
try() {
    local name=$1 conf=$2 metric=$3 margin=$4 common=$5 without=$6 with=$7 what=$8
    local seed a b before=() after=() least= one two g
    for seed in "${seeds[@]}"; do
        side "$conf" "$seed" $common $without # words of options
        one=$dir
        side "$conf" "$seed" $common $with
        two=$dir
        a=$(result "$one" "$metric") b=$(result "$two" "$metric") g=$(gain "$a" "$b")
        [ -n "$a" ] && [ -n "$b" ] || fail "$name: $one or $two has no $metric"
        [ -n "$least" ] && ! below "$g" "$least" || least=$g
        before+=("$(shown "$a")") after+=("$(shown "$b")")
        [ "$seed" != "${seeds[0]}" ] || "$LOCKSTEP" compare "$one" "$two" --metric "$metric" \
            --names "${without:-without},$with" --svg "$out/$name.svg" >/dev/null 2>>"$out/compare.log" || fail "$name: no picture"
        say "$name, seed $seed: without $(shown "$a"), with $(shown "$b"), better by $(shown "$g")"
    done
    printf '| [%s](%s.svg): %s | `%s` | `%s` | %s | %s | %s | %s |\n' "$name" "$name" "$what" "$without" "$with" \
        "$(join "${before[@]}")" "$(join "${after[@]}")" "$(shown "$least")" "$margin" >>"$out/results.md"
    ! $check || [ "$margin" = - ] || below "$margin" "$least" || failed+=("$name: better by $(shown "$least"), asked for more than $margin")
}

join() { local IFS=,; echo "$*" | sed 's/,/, /g'; }

wanted() {
    local name
    [ ${#names[@]} -gt 0 ] || return 0
    for name in "${names[@]}"; do [ "$name" != "$1" ] || return 0; done
    return 1
}

known=$(sed -nE 's/^([a-z][^\t]*)\t.*/\1/p' "$trials/pairs.tsv")
for name in ${names[@]+"${names[@]}"}; do
    grep -qxF -- "$name" <<<"$known" || fail "$name: no such pair; there are $(tr '\n' ' ' <<<"$known")"
done
program=$(cksum <"$LOCKSTEP")
mkdir -p "$out/runs"
failed=() done=()
cat >"$out/results.md" <<EOF
# Remedies on trial

Short trainings without and with one remedy, equal in all else; last held-out loss (nats a token) for seed $(join "${seeds[@]}").
"Better by" is the least of the seeds; the margin is what a test asks for, none (-) of a remedy that does not hold.

| remedy | without | with | held-out loss without | with | better by | margin |
|---|---|---|---|---|---|---|
EOF
while IFS=$'\x1f' read -ru 3 name conf metric margin common without with what; do
    wanted "$name" || continue
    try "$name" "$conf" "$metric" "$margin" "$common" "$without" "$with" "$what"
    done+=("$name")
done 3< <(grep -v '^#' "$trials/pairs.tsv" | tr '\t' '\037') # a tab would swallow empty fields
{
    printf '\n'
    for name in "${done[@]}"; do printf '![%s](%s.svg)\n' "$name" "$name"; done
} >>"$out/results.md"
if [ ${#failed[@]} -gt 0 ]; then
    printf '%s\n' "${failed[@]}" >&2
    fail "${#failed[@]} of ${#done[@]} remedies do not hold what they promise"
fi
say "$out/results.md"
