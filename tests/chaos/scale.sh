#!/usr/bin/env bash
# scale.sh - a scaling experiment over three hosts that are network namespaces: they are asked what they are, workers of a
# point lie on different ones, and one that does not answer ends it before anything is measured. Its numbers mean nothing:
# the hosts share processors.
source "$(dirname "$0")/../run/lib.sh"
source "$(dirname "$0")/net.sh"
hosts=(node1 node2 node3)
prepare data char
rm -rf out hostfile
printf '%s slots=1\n' "${hosts[@]}" >hostfile

scale() { # CODE ARGUMENTS...
    local expected=$1 got=0
    shift
    on node1 "$LOCKSTEP" scale --hostfile hostfile --agent "$chaos/nsrsh" --mca btl_tcp_if_include eth0 \
        --mca oob_tcp_if_include eth0 --strong --repeats 1 --steps 4 --warm-up 2 --out out data.dir=data model.layers=1 \
        model.heads=2 model.width=32 model.context=32 train.batch=8 train.slices=4 cluster.threads=1 "$@" >scale.txt 2>scale.log || got=$?
    [ $got -eq "$expected" ] || fail "scale $* ends with $got, expected $expected: $(tail -5 scale.log)"
}

net_up "${hosts[@]}"
scale 0
for n in 1 2 3; do
    [ -s "out/runs/strong-n$n-r1.jsonl" ] || fail "three slots are not 1, 2 and 3 workers: $(cat scale.log)"
done
[ "$(sed -nE 's/.*worker [0-9]+ \((node[0-9]) pid [0-9]+\) joined.*/\1/p' out/runs/strong-n3-r1.jsonl | sort | tr '\n' ' ')" = \
    "node1 node2 node3 " ] || fail "three workers are not on three hosts: $(grep joined out/runs/strong-n3-r1.jsonl)"
cores=$(getconf _NPROCESSORS_ONLN)
for i in 1 2 3; do
    grep -qE "^\* host $i: node$i, $cores cores?, " out/scale.md || fail "host $i: $(grep host out/scale.md)"
done
! grep -q 'more threads than cores' out/scale.csv || fail "one thread on each host is called too many: $(cat out/scale.csv)"
say "three hosts: $(grep -c 'tokens/s, in' scale.log) points"

cut_off node3
scale 69 --again
grep -q 'host node3 does not answer' scale.log || fail "who does not answer? $(cat scale.log)"
! grep -q 'tokens/s, in' scale.log || fail "it measures without a host: $(cat scale.log)"
mend node3
say "a host that does not answer"
