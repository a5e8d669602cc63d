#!/usr/bin/env bash
# hosts.sh [STEPS] - three hosts under one mpirun, as network namespaces: undisturbed, one off the network for a second, one
# for good, one that never answers, the coordinator's off the network, the coordinator's without power, and nobody who answers.
# Always: the weights and moments of one process that nobody disturbed, an honest exit code, and no process left on any host.
source "$(dirname "$0")/../run/lib.sh"
source "$(dirname "$0")/net.sh"
steps=${1:-2000}
hosts=(node1 node2 node3)
prepare data char
rm -rf run-* hostfile
printf '%s\n' "${hosts[@]}" >hostfile

common=(data.dir=data model.layers=2 model.heads=2 model.width=64 model.context=64 model.dropout=0.1 train.batch=16
        train.slices=8 train.steps="$steps" train.checkpoint_every=$((steps / 4)) train.eval_every=10000
        train.label_smoothing=0.1
        cluster.lease=2s cluster.threads=1)

# launch WHERE NAME [OPTION...]: in the background, its pid in $launched
launch() {
    local where=$1 name=run-$2
    shift 2
    on "$where" "$LOCKSTEP" launch --hostfile hostfile --agent "$chaos/nsrsh" --mca btl_tcp_if_include eth0 \
        --mca oob_tcp_if_include eth0 "$@" "${common[@]}" run.dir="$name" >"$name.log" 2>&1 &
    launched=$!
}

# ended NAME: waits for the launched; exit code 0, the reference's sums, nobody left
ended() {
    local code=0 name=run-$1 host
    wait "$launched" || code=$?
    [ $code -eq 0 ] || fail "$name ended with $code: $(tail -5 "$name.log")"
    [ "$(sums "$name" "$steps")" = "$reference" ] || fail "$name ends in other bits"
    for host in "${net_hosts[@]}"; do
        wait_for 60 nobody_on "$host" || fail "$name leaves on $host: $(processes "$host")"
    done
    say "$1: equal, exit code 0, nobody left; ${SECONDS} s"
}
nobody_on() { [ -z "$(processes "$1")" ]; }
begins() { wait_for 60 at_step "run-$1" $((steps / 3)) || fail "run-$1 does not get on: $(tail -3 "run-$1.log")"; }
lost() { grep -c 'is lost\|was lost' "run-$1.log" || true; }

net_up "${hosts[@]}" head
"$LOCKSTEP" train "${common[@]}" run.dir=run-reference >run-reference.log 2>&1 || fail "$(tail -3 run-reference.log)"
reference=$(sums run-reference "$steps")
say "one process: ${reference:0:16} ${reference:65:16}"

SECONDS=0
launch node1 undisturbed
ended undisturbed
[ "$(grep -c joined run-undisturbed.log)" -eq 3 ] || fail "not three workers: $(cat run-undisturbed.log)"

SECONDS=0
launch node1 second
begins second
cut_off node3
sleep 1 # the fault itself
mend node3
ended second
[ "$(lost second)" -eq 0 ] || fail "a cut of one second kills somebody: $(grep lost run-second.log)"

SECONDS=0
launch node1 cut
begins cut
[ "$(field run-cut state)" = running ] || fail "it was done before the fault"
cut_off node3
ended cut
[ "$(lost cut)" -gt 0 ] || fail "nobody was lost: the fault came too late"
say "    $(grep -m1 'lost' run-cut.log)"

# node3 is still away: a start that must do without it
SECONDS=0
launch node1 silent
ended silent
grep -q 'host node3 does not answer' run-silent.log || fail "node3 is not named: $(head -5 run-silent.log)"
mend node3

# the hosts share the disk: a coordinator that is cut off may end the run with the workers of its own host, or the others
# begin again when it has ended; which of them does not matter
SECONDS=0
launch head coordinator
begins coordinator
cut_off node1
ended coordinator
mend node1

# no power: no process, and no word of their end
SECONDS=0
launch head power
begins power
cut_off node1
ip netns pids "$NET-node1" | xargs kill -KILL
ended power
grep -q 'host node1 does not answer' run-power.log || fail "node1 is not named: $(cat run-power.log)"
say "    $(grep -m1 'lost at step' run-power.log)"

# nobody answers
cut_off node2
cut_off node3
code=0
on head "$LOCKSTEP" launch --hostfile hostfile --agent "$chaos/nsrsh" --restarts 1 "${common[@]}" run.dir=run-none \
    >run-none.log 2>&1 || code=$?
[ $code -eq 70 ] || fail "without any host it ends with $code: $(cat run-none.log)"
grep -q 'none of the 3 hosts' run-none.log || fail "it does not say that nobody answers: $(cat run-none.log)"
say "nobody answers: exit code $code"
