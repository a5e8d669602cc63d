#!/usr/bin/env bash
# commands.sh - the face of the program: every command helps within 80 columns and refuses what it does not know, the
# configurations in deploy/conf load, the page of options is current, completion offers what exists.
source "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

for command in train prepare eval generate translate average score inspect compare launch tune scale bench doctor options; do
    "$LOCKSTEP" $command --help >help.txt || fail "$command --help ends with $?"
    grep -q '^Examples:' help.txt || fail "$command --help has no examples"
    ! grep -nE '^.{81}' help.txt || fail "$command --help: lines over 80 columns"
    # an example broken by the formatter would be pasted wrongly
    sed '1,/^Examples:/d' help.txt | grep -vE '^  (lockstep|mpirun|echo|LOCKSTEP_)' && fail "$command --help: a broken example"
    code=0
    "$LOCKSTEP" $command --no-such-flag >out.txt 2>&1 || code=$?
    [ $code -eq 64 ] || fail "$command --no-such-flag ends with $code, expected 64: $(cat out.txt)"
    grep -q -- '--no-such-flag' out.txt || fail "$command does not name the unknown flag: $(cat out.txt)"
done
say "help: all commands"

for file in "$top"/deploy/conf/*.yaml; do
    "$LOCKSTEP" train "$file" run.dir=run data.dir=data --print-config >out.txt 2>&1 || fail "$file: $(cat out.txt)"
    grep -q "$(basename "$file"):" out.txt || fail "--print-config does not name $file: $(head -3 out.txt)"
done
say "deploy/conf: all load"

"$LOCKSTEP" options --markdown | diff - "$top/deploy/conf/options.md" ||
    fail "deploy/conf/options.md is old: lockstep options --markdown >deploy/conf/options.md"

PATH=$(dirname "$LOCKSTEP"):$PATH
source "$top/deploy/completion.bash"
offers() { # EXPECTED WORDS...: among what is offered for the last of the words
    local expected=$1
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _lockstep 2>/dev/null || true
    printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$expected" || fail "completion of '$*': no '$expected' in: ${COMPREPLY[*]}"
}
offers train lockstep tr
offers --dry-run lockstep train --d
offers model.norm= lockstep train model.no
offers rmsnorm lockstep train model.norm = rms
offers float32 lockstep launch cluster.wire =
offers --hostfile= lockstep launch --h
offers lr lockstep tune l
offers --metric= lockstep compare --me
offers optim.name= lockstep tune lr optim.na
offers --hostfile= lockstep scale --ho
offers train.batch= lockstep scale train.bat
offers --quick lockstep bench --q
offers model.norm= lockstep bench model.no
say "completion"
