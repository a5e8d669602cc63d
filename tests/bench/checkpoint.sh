#!/usr/bin/env bash
# checkpoint.sh [CHECKPOINTS] - what checkpoints cost: a model of 19 million parameters (moments included, a checkpoint has
# 228 MB), coordinator and one worker on a core each, one about every ten seconds.  The steps beside which one is written are
# compared with the four before and after them, in the same run: from one run to the next this kind of machine is 4 % faster or
# slower.  And how long training stood still for one.  Decides nothing.
#     LOCKSTEP=build/release/lockstep TEST_SHARED=../shared tests/bench/checkpoint.sh
source "$(dirname "$0")/../run/lib.sh"
checkpoints=${1:-20}
[ -s "$shakespeare" ] || skip "no $shakespeare"
head -c 200000 "$shakespeare" >text.txt # a short held-out text: evaluation is not what is measured
shakespeare=$scratch/text.txt
prepare data char
common=(data.dir=data model.layers=6 model.heads=8 model.width=512 model.context=64 train.batch=8 train.slices=4
        train.eval_every=1000000 train.keep_best=false cluster.threads=1 run.log_every=1000)

run() { # NAME STEPS EVERY
    rm -rf "run-$1"
    "$LOCKSTEP" launch -n 1 "${common[@]}" train.steps="$2" train.checkpoint_every="$3" run.dir="run-$1" >"run-$1.log" 2>&1 ||
        fail "$(tail -3 "run-$1.log")"
    # STEP SECONDS, those of the update of which STEP is the number
    sed -nE 's/^\{"time":([0-9.]+),"event":"step","step":([0-9]+),.*/\2 \1/p' "run-$1/log.jsonl" |
        awk 'NR > 1 {print $1, $2 - t} {t = $2}' >"$1.steps"
}

run without 12 1000000
# train.checkpoint_every is twice that: one is written half-way
every=$(awk '$1 > 3 {s += $2; n++} END {e = int(10 * n / s); print e < 10 ? 10 : e}' without.steps)
run with $((every * checkpoints + 7)) $((2 * every))
awk -v every="$every" -v n="$checkpoints" '
    {t[$1] = $2; all += $2}
    END {
        for (c = 1; c <= n; c++) {
            v = c * every # the version that is saved; steps v + 1 and v + 2 are made beside the writing
            near = 0
            for (i = 0; i < 4; i++) near += t[v - i] + t[v + 3 + i]
            extra = t[v + 1] + t[v + 2] - near / 4
            sum += extra; squares += extra * extra
        }
        mean = sum / n; error = sqrt((squares / n - mean * mean) / (n - 1)); second = all / NR * every
        printf "%d checkpoints, one every %.1f s: %.0f ms each, standard error %.0f ms: %.2f %% of the time, error %.2f %%\n",
               n, second, 1000 * mean, 1000 * error, 100 * mean / second, 100 * error / second
    }' with.steps
sed -nE 's/.*"event":"checkpoint".*"text":"written in (.*); training waited (.*) for it"\}/  written in \1, training waited \2/p' \
    run-with/log.jsonl
