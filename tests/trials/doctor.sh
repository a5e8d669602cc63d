#!/usr/bin/env bash
# doctor.sh - the doctor on trial: short trainings with one trouble planted in each, and healthy ones (doctor.tsv).
# Right is a planted run whose trouble is the first finding, and a healthy one without a severe finding.
#
#     tests/trials/doctor.sh judge                  # all of the set: OUT/results.md; fails unless 90 % of the planted
#                                                   # and all of the healthy runs are right
#     tests/trials/doctor.sh judge frozen pre-norm  # some; fails unless each is right
#     tests/trials/doctor.sh tune                   # the set by which thresholds were chosen
#
# Option: --out DIR (default: doctor, in the current folder); what is trained there already is not trained again.
# Environment: LOCKSTEP (the program), SCALED (scaled.c), TEST_SHARED (test data that is not part of the project).
# Results are functions of the table, whatever the machine's speed.
trials=$(cd "$(dirname "$0")" && pwd)
: "${LOCKSTEP:=$trials/../../build/release/lockstep}" "${TEST_SHARED:=$trials/../../../shared}"
: "${SCALED:=$trials/../../build/release/tests/scaled}"
source "$trials/../run/lib.sh"

out=doctor set='' names=()
while [ $# -gt 0 ]; do
    case $1 in
    --out)
        [ $# -ge 2 ] || fail "--out: where?"
        out=$2
        shift
        ;;
    tune | judge) set=$1 ;;
    -*) fail "$1: no such option; the head of doctor.sh lists them" ;;
    *) names+=("$1") ;;
    esac
    shift
done
[ -n "$set" ] || fail "which set: tune or judge?"

common=(cluster.threads=1 train.stats_every=10 train.checkpoint_every=100k train.keep_last=1 run.log_level=error
        model.layers=4 model.heads=4 model.width=64 model.context=64 train.batch=8 train.slices=4 train.steps=400
        train.eval_every=200 optim.lr=3e-3 optim.warmup=40)
translator=(model.encoder_layers=2 model.layers=2 model.context=128 train.batch_tokens=1024)

# --- data: other text for either set

prepared() { "$LOCKSTEP" prepare --out "$1" "${@:2}" 2>"$1.log" || fail "prepare: $(cat "$1.log")"; }

# text DIR: 500,000 characters
text() {
    [ -s "$shakespeare" ] || skip "no $shakespeare"
    [ -s "$1.txt" ] || case $set in
        tune) head -c 500000 "$shakespeare" ;;
        judge) tail -c 500000 "$shakespeare" ;;
    esac >"$1.txt"
}

make_text() { text "$1" && prepared "$1" --tokenizer char --held-out 0.02 "$1.txt"; }
make_small() {
    text "$1.all" && head -c 16000 "$1.all.txt" >"$1.txt"
    prepared "$1" --tokenizer char --held-out 0.2 "$1.txt"
}
make_repeated() {
    text "$1.all"
    for _ in {1..8}; do head -c 60000 "$1.all.txt"; done >"$1.txt"
    prepared "$1" --tokenizer char --held-out 0.02 "$1.txt"
}
# in_other_order SEED SIZE SHARE: of the pieces of SIZE characters a share, each with its characters in another order; by
# the generator of Park and Miller 1988, whose numbers are the same in any awk.
in_other_order() {
    LC_ALL=C awk -v RS='\001' -v state="$1" -v size="$2" -v share="$3" '
    function random() { state = state * 16807 % 2147483647; return state / 2147483647 }
    {
        for (at = 1; at <= length($0); at += size) {
            piece = substr($0, at, size)
            if (random() >= share) { printf "%s", piece; continue }
            n = split(piece, c, "")
            for (i = n; i > 0; i--) { k = 1 + int(i * random()); printf "%s", c[k]; c[k] = c[i] }
        }
    }'
}
make_garbage() {
    text "$1.all" && in_other_order 3 500 0.01 <"$1.all.txt" >"$1.txt"
    prepared "$1" --tokenizer char --held-out 0.02 "$1.txt"
}
make_scrambled() {
    text "$1.all" && in_other_order 5 500000 1 <"$1.all.txt" >"$1.txt"
    prepared "$1" --tokenizer char --held-out 0.02 "$1.txt"
}

# sides DIR: 6,000 pairs and 300 held out, as DIR.en, DIR.de, DIR.val.en, DIR.val.de
sides() {
    local from=$TEST_SHARED/data/multi30k-en-de-tok side first=1 val=1
    [ -s "$from/train.lc.norm.tok.en.gz" ] || skip "no $from"
    [ "$set" = tune ] || first=10001 val=501
    for side in en de; do
        gzip -dc "$from/train.lc.norm.tok.$side.gz" | sed -n "$first,$((first + 5999))p" >"$1.$side"
        gzip -dc "$from/val.lc.norm.tok.$side.gz" | sed -n "$val,$((val + 299))p" >"$1.val.$side"
    done
}
prepared_pairs() {
    prepared "$1" --tokenizer bpe:1000 --source "$1.en" --target "$1.de" --held-out-source "$1.val.en" \
        --held-out-target "$1.val.de"
}
make_pairs() { sides "$1" && prepared_pairs "$1"; }
make_shuffled() {
    local file
    sides "$1"
    for file in "$1.de" "$1.val.de"; do
        shuf --random-source="$1.en" "$file" >"$file.new" && mv "$file.new" "$file"
    done
    prepared_pairs "$1"
}
# The source has the target at its end.
make_leaking() {
    local part
    sides "$1"
    for part in "$1" "$1.val"; do
        paste -d ' ' "$part.en" "$part.de" >"$part.new" && mv "$part.new" "$part.en"
    done
    prepared_pairs "$1"
}

# --- runs

# scaled DIR DATA TENSORS*FACTOR OPTIONS...: parameters after 10 steps, those tensors so much larger: in DIR.scaled
scaled() {
    local dir=$1 data=$2 tensors=${3%\**} factor=${3#*\*}
    shift 3
    train "$dir.first" "$data" "$@" train.steps=10
    rm -rf "$dir.scaled"
    "$SCALED" "$dir.first" "$dir.scaled" "$tensors" "$factor" 2>"$dir.log" || fail "scaled: $(cat "$dir.log")"
}

# train DIR DATA OPTIONS...: unless this program did so; @TENSORS*FACTOR first makes these tensors larger
train() {
    local dir=$1 data=$2 more=() code=0
    shift 2
    [ ! "$dir.ended" -nt "$LOCKSTEP" ] || return 0
    if [[ ${1-} == @* ]]; then
        scaled "$dir" "$data" "${1#@}" "${@:2}"
        set -- "${@:2}" run.from="$dir.scaled"
    fi
    case $data in pairs | shuffled | leaking) more=("${translator[@]}") ;; esac
    rm -rf "$dir"
    "$LOCKSTEP" train run.dir="$dir" data.dir="$out/$set-$data" "${common[@]}" "${more[@]}" "$@" >"$dir.log" 2>&1 || code=$?
    [ $code -eq 0 ] || [ $code -eq 70 ] || fail "$dir ends with $code: $(tail -3 "$dir.log")" # 70: not finite
    echo $code >"$dir.ended"
}

# first DIR: severity and name of the first finding
first() {
    "$LOCKSTEP" doctor "$1" 2>/dev/null >"$1.doctor" || fail "doctor $1 ends with $?"
    sed -nE 's/^(severe|warning|note) +([a-z_]+): .*/\1 \2/p' "$1.doctor" | sed 1q
}

# is_right EXPECTED FINDING
is_right() {
    [ "$1" != healthy ] || { [[ $2 != severe* ]]; return; }
    [[ "|$1|" == *"|${2#* }|"* ]]
}

# judge NAME EXPECTED DATA OPTIONS: a row of the table
judge() {
    local name=$1 expected=$2 data=$3 options=$4 dir=$out/$set.$1 found verdict=right
    [ -s "$out/$set-$data/tokenizer.json" ] || "make_$data" "$out/$set-$data"
    train "$dir" "$data" $options # words of options
    found=$(first "$dir")
    is_right "$expected" "$found" || verdict=wrong
    case $expected in healthy) healthy+=($verdict) ;; *) planted+=($verdict) ;; esac
    printf '| %s | %s | %s | %s | `%s` |\n' "$name" "${expected//|/ or }" "${found:--}" $verdict "$data $options" >>"$out/results.md"
    say "$name: planted ${expected//|/ or }, found ${found:-nothing}: $verdict"
}

rights() { printf '%s\n' "$@" | grep -cx right || true; }

mkdir -p "$out"
healthy=() planted=()
printf '| run | planted | first finding | | data, options |\n|---|---|---|---|---|\n' >"$out/results.md"
known=$(sed -nE "s/^$set\t([^\t]*)\t.*/\1/p" "$trials/doctor.tsv")
for name in ${names[@]+"${names[@]}"}; do
    grep -qxF -- "$name" <<<"$known" || fail "$name: no such run; there are $(tr '\n' ' ' <<<"$known")"
done
while IFS=$'\t' read -r of name expected data options; do
    [ "$of" = "$set" ] || continue
    [ ${#names[@]} -eq 0 ] || [[ " ${names[*]} " == *" $name "* ]] || continue
    judge "$name" "$expected" "$data" "$options"
done < <(grep -v '^#' "$trials/doctor.tsv")

good=$(rights "${planted[@]}") fine=$(rights "${healthy[@]}")
printf '\nPlanted: %s of %s found first. Healthy: %s of %s without a severe finding.\n' "$good" ${#planted[@]} "$fine" \
    ${#healthy[@]} | tee -a "$out/results.md"
[ "$fine" -eq ${#healthy[@]} ] || fail "a healthy run has a severe finding"
if [ ${#names[@]} -gt 0 ]; then
    [ "$good" -eq ${#planted[@]} ] || fail "not each trouble was found first"
else
    [ $((10 * good)) -ge $((9 * ${#planted[@]})) ] || fail "fewer than 90 % of the troubles were found first"
fi
