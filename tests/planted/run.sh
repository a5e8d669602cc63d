#!/bin/bash
# run.sh [NAME...] - is the suite worth anything?  Plants one bug after the other into a copy of the tree and
# expects each test that a patch names to find it.
#
# A patch's first line is     WHAT IT BREAKS | TEST [ARGUMENTS] [| TEST ...]
# Unpatched, every one of these tests must pass; what no test finds, a patch that does not apply or
# build, and a test that does not end are errors.  The copy is in ./planted and stays, to be looked at.
set -euo pipefail

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
command -v patch >/dev/null || { echo "skipped: no patch"; exit 77; }

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
tree=$PWD/planted
bin=$tree/build/tests
longest=600 # seconds, of one test, which takes ten: a busy machine is no bug
log=$PWD/planted.log

declare -a patches=()
for name in "$@"; do patches+=("$here/$name.patch"); done
[ $# -gt 0 ] || patches=("$here"/*.patch)

what() { head -1 "$1" | sed 's/ *|.*//'; }
tests() { head -1 "$1" | cut -s -d'|' -f2- | tr '|' '\n' | sed 's/^ *//; s/ *$//'; }

copy() {
    rm -rf "$tree"
    mkdir -p "$tree/build"
    (cd "$root" && cp -rp CMakeLists.txt CMakePresets.json common coordinator worker proto tests "$tree")
    (cd "$tree" && cmake -G Ninja -B build -DCMAKE_BUILD_TYPE=RelWithDebInfo >"$log" 2>&1) ||
        fail "cmake: $(tail -3 "$log")"
}

build() { nice ninja -C "$tree/build" "$@" >"$log" 2>&1; }

# run TEST [ARGUMENTS]: in a folder of its own
run() {
    rm -rf "$tree/build/scratch.planted"
    mkdir "$tree/build/scratch.planted"
    (cd "$tree/build/scratch.planted" && nice timeout -k 5 $longest "$bin/$1" "${@:2}") >"$log" 2>&1
}

# What a test said was wrong: the simulator's seed, paths never taken, a unit test's name, an assertion.
said() {
    sed -nE 's/^FAILED: (seed.*)/\1/p; s/^ +0  (.*)/never: \1/p; s/^\[  FAILED  \] ([a-z_]+).*/\1/p; s/.*(Assertion .* failed).*/\1/p' \
        "$log" | awk '!seen[$0]++' | head -1 | cut -c1-110
}

start=$(date +%s)
copy
mapfile -t all < <(for p in "${patches[@]}"; do tests "$p"; done | sort -u)
mapfile -t targets < <(printf '%s\n' "${all[@]}" | awk '{print $1}' | sort -u)
build "${targets[@]}" || fail "the unpatched tree does not build: $(grep -m3 -E 'error|unknown target' "$log")"
for t in "${all[@]}"; do
    read -ra words <<<"$t"
    run "${words[@]}" || fail "unpatched, $t: $(said)"
    say "unpatched, passes: $t"
done

missed=0 found=0
# is_found TEST: it fails, by itself
is_found() {
    local words began took why status=0
    read -ra words <<<"$1"
    began=$(date +%s%N)
    run "${words[@]}" || status=$?
    took=$(awk "BEGIN {printf \"%.1f\", ($(date +%s%N) - $began) / 1e9}")
    case $status in
    0) echo "    NOT FOUND by $1" && return 1 ;;
    77) echo "    $1 was skipped" && return 1 ;;
    124 | 137) echo "    $1 does not end" && return 1 ;;
    esac
    why=$(said || true)
    printf '    found by %-36s %5s s  %s\n' "$1" "$took" "${why:-exit code $status}"
}

for p in "${patches[@]}"; do
    name=$(basename "$p" .patch)
    say "$name: $(what "$p")"
    mapfile -t wanted < <(tests "$p")
    [ ${#wanted[@]} -gt 0 ] || fail "$p names no test in its first line"
    patch -d "$tree" -p1 -F1 --no-backup-if-mismatch <"$p" >"$log" 2>&1 || fail "$p does not apply: $(tail -2 "$log")"
    ok=true
    if build "${targets[@]}"; then
        for t in "${wanted[@]}"; do is_found "$t" || ok=false; done
    else
        echo "    does not build: $(grep -m1 error "$log" || tail -1 "$log")" && ok=false
    fi
    $ok && found=$((found + 1)) || missed=$((missed + 1))
    patch -d "$tree" -p1 -F1 -R --no-backup-if-mismatch <"$p" >"$log" 2>&1 || fail "$p cannot be taken back"
done
say "$found of $((found + missed)) planted bugs were found, in $(($(date +%s) - start)) s"
[ $missed -eq 0 ]
