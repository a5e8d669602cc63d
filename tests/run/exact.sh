#!/usr/bin/env bash
# exact.sh WIRE STEPS text|pairs [key=value...] - the same weights, moments and average, to the bit, and the same
# statistics, losses and BLEU of what is held out, whoever computes them: one process and any number of MPI workers, 1 and 2 threads, stopped and resumed with
# another number of workers, killed and resumed.  A GPT, or an encoder-decoder with all kinds
# of dropout, label smoothing and all kinds of augmentation, and a batch that grows.
source "$(dirname "$0")/lib.sh"
wire=$1
steps=$2
kind=$3
shift 3
confs=$(dirname "$0")/../../deploy/conf
rm -rf run-*
common=(data.dir=data train.steps="$steps" train.slices=8 cluster.wire="$wire" optim.ema=0.99
        train.checkpoint_every=$((steps / 8)) train.eval_every=1000
        train.stats_every=5 "$@")
case $kind in
    text)
        prepare data char
        common=("$confs/shakespeare-char.yaml" "${common[@]}" model.dropout=0.1 augment.target_switch=1)
        ;;
    pairs)
        prepare_pairs data bpe:2000
        common=("$confs/multi30k-tiny.yaml" "${common[@]}" model.encoder_layers=2 model.layers=2 model.width=64
                model.dropout_attention=0.1 model.dropout_hidden=0.1 model.dropout_word=0.1
                augment.source_bpe=0.1 augment.target_bpe=0.1 augment.source_swap=3 augment.source_switch=1
                augment.target_switch=1 augment.source_mask=0.1 augment.source_drop=0.1 augment.join=0.2
                train.batch_tokens=1024 optim.warmup=10 train.ramp=$((steps / 2)) train.ramp_from=3
                translate.bleu=true translate.bleu_tokens=none translate.beam=2 translate.max_length=10)
        ;;
esac

train() { # NAME RANKS [key=value...]; RANKS 1: without mpirun
    local name=run-$1 ranks=$2
    shift 2
    if [ "$ranks" -eq 1 ]; then
        "$LOCKSTEP" train "${common[@]}" run.dir="$name" "$@" >>"$name.log" 2>&1
    else
        mpirun -n "$ranks" "$LOCKSTEP" train "${common[@]}" run.dir="$name" "$@" >>"$name.log" 2>&1
    fi
}

whole() { # NAME RANKS [key=value...]
    rm -rf "run-$1"* && train "$@" || fail "run-$1 ended with $?: $(tail -5 "run-$1.log")"
    compare "$1"
}

# What log.jsonl says that steps were examined for, those computed again once; without the time.
statistics() { # RUN
    sed -nE 's/^\{"time":[0-9.]+,("event":"statistics",.*)/\1/p' "$1/log.jsonl" | sort -u
}

# Held-out loss and BLEU, likewise.
evaluations() { # RUN
    sed -nE 's/^\{"time":[0-9.]+,("event":"evaluation",.*)/\1/p' "$1/log.jsonl" | sort -u
}

reference=
compare() {
    local got lines
    got=$(sums "run-$1" "$steps")
    lines=$(statistics "run-$1" | wc -l)
    [ "$lines" -eq $((steps / 5 + 1)) ] || fail "run-$1 has $lines different statistics, expected $((steps / 5 + 1))"
    statistics "run-$1" | grep -q '"blocks":\[\]' && fail "run-$1 has statistics without blocks"
    got+=$(statistics "run-$1" | sha256sum | cut -c1-16)
    [ "$kind" = text ] || evaluations "run-$1" | grep -q '"bleu":[0-9]' || fail "run-$1 has no BLEU"
    got+=$(evaluations "run-$1" | sha256sum | cut -c1-16)
    [ -n "$reference" ] || reference=$got
    say "$1: ${got:0:16} ${got:65:16} ${got:130:16}"
    [ "$got" = "$reference" ] || fail "run-$1 ends in other bits, or its statistics or evaluations differ"
}

whole one-process 1 cluster.threads=1
whole one-process-2-threads 1 cluster.threads=2
for ranks in 2 3 4 6; do # 1, 2, 3, 5 workers
    whole "mpirun-$ranks" "$ranks" cluster.threads=1
done
whole mpirun-3-threads-2 3 cluster.threads=2

# processors of two kinds: a worker without AVX-512 among others
rm -rf run-mixed*
mpirun -n 2 "$LOCKSTEP" train "${common[@]}" run.dir=run-mixed cluster.threads=1 : \
    -n 1 "$LOCKSTEP" train "${common[@]}" run.dir=run-mixed cluster.threads=1 cluster.kernels=v3 >run-mixed.log 2>&1 ||
    fail "run-mixed ended with $?: $(tail -5 run-mixed.log)"
compare mixed

# stopped by SIGTERM at an arbitrary moment, resumed by others
rm -rf run-stopped*
"$LOCKSTEP" launch -n 2 "${common[@]}" run.dir=run-stopped >>run-stopped.log 2>&1 &
pid=$!
wait_for 60 at_step run-stopped $((steps / 3)) || fail "run-stopped does not get on: $(tail -3 run-stopped.log)"
kill -TERM $pid
code=0
wait $pid || code=$?
[ $code -eq 75 ] || fail "stopped run ended with $code, expected 75: $(tail -5 run-stopped.log)"
[ "$(field run-stopped state)" = stopped ] || fail "status says $(field run-stopped state)"
at=$(field run-stopped step)
[ "$at" -lt "$steps" ] || fail "it was done before it was stopped"
say "stopped at step $at by SIGTERM to launch"
train stopped 4 || fail "resumed run: $(tail -5 run-stopped.log)"
compare stopped

# the whole job killed at an arbitrary moment, resumed by others; the only checkpoint is at one half, so that something is
# computed again
rm -rf run-killed*
common+=(train.checkpoint_every="$steps")
mpirun -n 3 "$LOCKSTEP" train "${common[@]}" run.dir=run-killed >>run-killed.log 2>&1 &
pid=$!
wait_for 60 at_step run-killed $((steps / 2 + 1)) || fail "run-killed does not get on: $(tail -3 run-killed.log)"
kill -KILL $pid $(pgrep -P $pid) # each rank has a process group of its own
wait $pid || true
coordinator=$(field run-killed pid)
wait_for 20 bash -c "! kill -0 $coordinator 2>/dev/null" || fail "the coordinator outlives its job"
at=$(field run-killed step)
[ "$at" -lt "$steps" ] || fail "it was done before it was killed"
say "killed at step $at by SIGKILL to the whole job"
train killed 1 cluster.threads=2 || fail "resumed run: $(tail -5 run-killed.log)"
compare killed
grep -q "computed again are the same as before" run-killed.log || fail "the journal was not compared"
say "wire $wire: all the same"
