#!/usr/bin/env bash
# strangers.sh [PAIRS [SECONDS]] - what a thousand connections that say nothing, and two hundred that say a byte now and then,
# take of the speed of a run: windows with and without them in turn, in one run; each is compared with the mean of the quiet
# ones before and after it.  The coordinator, one worker and the strangers share this machine.  Decides nothing.
#     LOCKSTEP=build/release/lockstep STRANGER=build/release/tests/stranger TEST_SHARED=../shared tests/bench/strangers.sh
source "$(dirname "$0")/../run/lib.sh"
pairs=${1:-15}
seconds=${2:-4}
prepare data char
rm -rf run-open
"$LOCKSTEP" launch -n 1 data.dir=data model.layers=2 model.heads=2 model.width=64 model.context=64 train.batch=16 \
    train.slices=8 train.eval_every=1000000 train.checkpoint_every=1000000 cluster.threads=1 optim.schedule=constant \
    run.log_every=10000 train.steps=10M run.dir=run-open >run-open.log 2>&1 &
launched=$!
trap 'kill -TERM $launched 2>/dev/null || true' EXIT
wait_for 60 at_step run-open 50 || fail "it does not begin: $(tail -n 3 run-open.log)"
address=$(cat run-open/address)

window() { # FILE COMMAND...: from and to of a window
    local file=$1 from
    shift
    from=$(date +%s.%N)
    "$@" >stranger.log 2>&1 || fail "$(cat stranger.log)"
    echo "$from $(date +%s.%N)" >>"$file"
}
pause() { read -rt "$seconds" <> <(:) || true; }

for what in 'idle 1000' 'trickle 200'; do
    rm -f windows
    for ((i = 0; i < pairs; i++)); do
        window windows pause
        # shellcheck disable=SC2086
        window windows "$STRANGER" "$address" $what "$seconds"
    done
    window windows pause
    sed -nE 's/^\{"time":([0-9.]+),"event":"step",.*/\1/p' run-open/log.jsonl |
        awk -v what="$what" '
        FNR == NR {from[NR] = $1; to[NR] = $2; n = NR; next}
        {for (i = 1; i <= n; i++) if ($1 >= from[i] && $1 < to[i]) steps[i]++}
        END {
            for (i = 1; i <= n; i++) {speed[i] = steps[i] / (to[i] - from[i]); if (i % 2) quiet += speed[i]}
            for (i = 2; i < n; i += 2) {
                ratio = 2 * speed[i] / (speed[i - 1] + speed[i + 1])
                sum += ratio; squares += ratio * ratio; k++
            }
            mean = sum / k
            printf "%s: %.3f of the undisturbed speed (%.0f steps/s), standard error %.3f, %d windows\n",
                   what, mean, 2 * quiet / (n + 1), sqrt((squares / k - mean * mean) / (k - 1)), k
        }' windows -
done
