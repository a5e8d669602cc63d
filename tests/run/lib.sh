# lib.sh - for tests of the whole program: real processes, real files, a scratch folder.
# Environment: LOCKSTEP (the program), TEST_SHARED (test data that is not part of the project).
set -euo pipefail

scratch=$PWD
shakespeare=$TEST_SHARED/data/tinyshakespeare/input.txt
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export ASAN_OPTIONS=detect_leaks=0 # Open MPI leaks by design

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
skip() { printf 'skipped: %s\n' "$*"; exit 77; }

# prepare DIR KIND: tiny Shakespeare as a data set
prepare() {
    [ -s "$shakespeare" ] || skip "no $shakespeare"
    [ -s "$1/tokenizer.json" ] || "$LOCKSTEP" prepare --out "$1" --tokenizer "$2" "$shakespeare" 2>"$1.log" ||
        fail "prepare: $(cat "$1.log")"
}

# prepare_pairs DIR KIND: Multi30k, English and German, lower-cased and in tokens
prepare_pairs() {
    local from=$TEST_SHARED/data/multi30k-en-de-tok
    [ -s "$from/train.lc.norm.tok.en.gz" ] || skip "no $from"
    [ -s "$1/tokenizer.json" ] || "$LOCKSTEP" prepare --out "$1" --tokenizer "$2" \
        --source "$from/train.lc.norm.tok.en.gz" --target "$from/train.lc.norm.tok.de.gz" \
        --held-out-source "$from/val.lc.norm.tok.en.gz" --held-out-target "$from/val.lc.norm.tok.de.gz" 2>"$1.log" ||
        fail "prepare: $(cat "$1.log")"
}

# sums RUN STEP: SHA-256 of parameters, moments and, if the run keeps it, average
sums() {
    local dir
    dir=$1/checkpoints/step-$(printf %08d "$2")
    [ -d "$dir" ] || fail "$dir is missing; $(tail -3 "$1.log" 2>/dev/null)"
    (cd "$dir" && shopt -s nullglob && sha256sum model.safetensors optimizer.safetensors ema*.safetensors | cut -c1-64 | tr '\n' ' ')
}

# field RUN NAME: of status.json
field() {
    sed -nE "s/^ *\"$2\": \"?([^\",]*)\"?,?\$/\1/p" "$1/status.json"
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local tries=$(($1 * 20))
    shift
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        read -rt 0.05 <> <(:) || true
    done
}

# at_step RUN STEP: by the log, which has each step at once; status.json is up to a second behind
at_step() {
    local last
    last=$(tail -n 20 "$1/log.jsonl" 2>/dev/null | sed -nE 's/.*"event":"step","step":([0-9]+),.*/\1/p' | tail -n 1)
    [ "${last:-0}" -ge "$2" ]
}
