#!/usr/bin/env bash
# slurm.sh - deploy/slurm/train.sbatch in a Slurm of one node that this test starts on loopback, with a key of its own: the job
# is told that its time is up, puts itself back into the queue, goes on and ends in the bits of an undisturbed run.
source "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
[ "$(id -u)" -eq 0 ] || skip "Slurm's daemons are started as root here"
for program in slurmctld slurmd munged sbatch; do
    command -v $program >/dev/null || skip "no $program: apt-get install slurm-wlm munge"
done
prepare data char
rm -rf run-* slurm lockstep-*.log
mkdir -p slurm/state slurm/spool
chmod 755 "$scratch" slurm
started=()
trap 'kill "${started[@]}" 2>/dev/null || true' EXIT

# a munged of our own, whose socket and key nobody else knows
mungedir=$(mktemp -d)
chmod 711 "$mungedir"
trap 'scancel --quiet --state=RUNNING,PENDING --user=root 2>/dev/null || true; kill "${started[@]}" 2>/dev/null || true
    wait "${started[@]}" 2>/dev/null || true; rm -rf "$mungedir"' EXIT
head -c 128 /dev/urandom >"$mungedir/key"
chmod 600 "$mungedir/key"
munged --foreground --force --socket="$mungedir/socket" --key-file="$mungedir/key" --pid-file="$mungedir/pid" \
    --seed-file="$mungedir/seed" --log-file="$mungedir/log" >munged.log 2>&1 &
started+=($!)
wait_for 10 test -S "$mungedir/socket" || fail "munged: $(cat munged.log)"

host=$(hostname -s)
cat >slurm/slurm.conf <<CONF
ClusterName=lockstep
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$((20000 + RANDOM % 10000))
SlurmdPort=$((30000 + RANDOM % 2000))
AuthType=auth/munge
AuthInfo=socket=$mungedir/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$scratch/slurm/state
SlurmdSpoolDir=$scratch/slurm/spool
SlurmctldPidFile=$scratch/slurm/slurmctld.pid
SlurmdPidFile=$scratch/slurm/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerType=sched/backfill
JobRequeue=1
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(getconf _NPROCESSORS_ONLN) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$scratch/slurm/slurm.conf
slurmctld -D >slurmctld.log 2>&1 &
started+=($!)
slurmd -D -N "$host" >slurmd.log 2>&1 &
started+=($!)
wait_for 30 sinfo -h >/dev/null 2>&1 || fail "slurmctld: $(grep -h error slurmctld.log | tail -n 2)"
wait_for 30 bash -c 'sinfo -h -o %t 2>/dev/null | grep -q idle' ||
    skip "slurmd does not run here: $(grep -h error slurmd.log | tail -n 2)"

steps=400
common=(data.dir="$scratch/data" model.layers=2 model.heads=2 model.width=64 model.context=64 model.dropout=0.1 train.batch=16
        train.slices=8 train.steps=$steps train.checkpoint_every=100 train.eval_every=1000000)
"$LOCKSTEP" train "${common[@]}" run.dir=run-reference >run-reference.log 2>&1 || fail "$(tail -3 run-reference.log)"
job=$(LOCKSTEP=$LOCKSTEP sbatch --parsable --nodes=1 --cpus-per-task=1 --time=10 "$top/deploy/slurm/train.sbatch" \
    "${common[@]}" run.dir="$scratch/run-slurm")
of_job() { scontrol show job "$job" | tr ' ' '\n' | sed -n "s/^$1=//p"; }
ended() { case $(of_job JobState) in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL) ;; *) false ;; esac; }
wait_for 60 at_step run-slurm $((steps / 4)) || fail "the job does not get on: $(cat lockstep-*.log slurmd.log | tail -5)"
scancel --signal=TERM --batch "$job"
scancel --signal=TERM --batch "$job" # somebody is impatient
wait_for 60 bash -c "grep -q 'ended with 75' lockstep-$job.log" || fail "it does not stop: $(tail -3 "lockstep-$job.log")"
say "stopped at step $(field run-slurm step), $(tail -n 1 "lockstep-$job.log")"
# a requeued job waits for two minutes otherwise; at once, slurmd still takes it for the one that was ended
scontrol update JobId="$job" StartTime=now+5 || fail "the requeued job cannot be told to start"
wait_for 240 ended || fail "it does not end: $(of_job JobState) $(tail -3 "lockstep-$job.log")"
[ "$(of_job JobState)" = COMPLETED ] || fail "the job is $(of_job JobState): $(tail -3 "lockstep-$job.log")"
[ "$(of_job Restarts)" -eq 1 ] || fail "it was started again $(of_job Restarts) times"
[ "$(sums run-slurm $steps)" = "$(sums run-reference $steps)" ] || fail "other bits"
say "completed after one requeue, the same bits"

# what cannot succeed is a failure, and is not put back
bad=$(LOCKSTEP=$LOCKSTEP sbatch --parsable --nodes=1 --cpus-per-task=1 --time=10 "$top/deploy/slurm/train.sbatch" \
    "${common[@]}" run.dir="$scratch/run-slurm" model.heads=3)
job=$bad
wait_for 60 ended || fail "a job that cannot succeed does not end: $(of_job JobState)"
[ "$(of_job JobState) $(of_job Restarts) $(of_job ExitCode)" = "FAILED 0 78:0" ] ||
    fail "a job that cannot succeed: $(of_job JobState), restarts $(of_job Restarts), exit code $(of_job ExitCode)"
say "model.heads=3: FAILED with 78, not put back"
