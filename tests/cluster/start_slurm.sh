#!/usr/bin/env bash
# start_slurm.sh FOLDER: start a SLURM cluster of one node on loopback, all of whose files lie in FOLDER.
#
# It needs slurm-wlm and munge, and neither systemd nor cgroups. Afterwards `. FOLDER/env.sh` puts its clients on the
# PATH; stop_slurm.sh FOLDER ends it. From the environment: CLUSTER_CPUS (2), CLUSTER_MEMORY_MB (16000),
# CLUSTER_GPUS (2, made up), CLUSTER_CONTROLLER_PORT (16817), CLUSTER_NODE_PORT (16818).
set -euo pipefail
folder=${1:?usage: start_slurm.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd -P)
PATH=$PATH:/usr/sbin:/sbin
cpus=${CLUSTER_CPUS:-2} memory=${CLUSTER_MEMORY_MB:-16000} gpus=${CLUSTER_GPUS:-2}
user=$(id -un) host=$(hostname -s)

for program in munged slurmctld slurmd sinfo; do
  command -v "$program" >/dev/null || { echo "$program is not installed (slurm-wlm, munge)" >&2; exit 2; }
done
for program in munged slurmctld slurmd; do
  if [ -s "$folder/run/$program.pid" ] && kill -0 "$(cat "$folder/run/$program.pid")" 2>/dev/null; then
    echo "$program already runs in $folder: stop it first" >&2
    exit 3
  fi
done
umask 022
chmod 755 "$folder"
mkdir -p "$folder"/{etc,run,log,bin,devices,spool/controller,spool/node,munge}
chmod 700 "$folder/munge"
rm -f "$folder"/run/*

# What the daemons and the clients know each other by
(umask 077 && head -c 1024 /dev/urandom >"$folder/munge/key")
munged --socket="$folder/run/munge.sock" --key-file="$folder/munge/key" --seed-file="$folder/munge/seed" \
  --pid-file="$folder/run/munged.pid" --log-file="$folder/log/munged.log" --num-threads=2

# The GPUs: device nodes like that of /dev/null, where this user may make any; CUDA_VISIBLE_DEVICES is set for these.
: >"$folder/etc/gres.conf"
gres_types="" node_gres=""
if [ "$gpus" -gt 0 ]; then
  gres_types="GresTypes=gpu" node_gres="Gres=gpu:$gpus"
  for number in $(seq 0 $((gpus - 1))); do
    device=$folder/devices/gpu$number
    [ -e "$device" ] || mknod "$device" c 1 3 2>/dev/null || : >"$device"
    echo "Name=gpu File=$device" >>"$folder/etc/gres.conf"
  done
fi

# JobAcctGather* end a job that takes more memory than it has asked for, and KillWait one that does not heed SIGTERM.
# A finished job is shown for MinJobAge seconds, since there is no accounting.
export SLURM_CONF=$folder/etc/slurm.conf
cat >"$SLURM_CONF" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
SlurmctldPort=${CLUSTER_CONTROLLER_PORT:-16817}
SlurmdPort=${CLUSTER_NODE_PORT:-16818}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.sock,cred_expire=10
StateSaveLocation=$folder/spool/controller
SlurmdSpoolDir=$folder/spool/node
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/affinity
MpiDefault=none
ReturnToService=1
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=1,bf_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
MinJobAge=3600
KillWait=15
JobRequeue=1
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
$gres_types
NodeName=localhost NodeHostname=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory $node_gres State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
CONF

# A job step of the executor plugin has no SLURM_CONF any more when it calls srun: therefore these wrappers.
for client in sbatch srun squeue scancel scontrol sinfo; do
  printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v "$client")" >"$folder/bin/$client"
  chmod 755 "$folder/bin/$client"
done
printf 'export SLURM_CONF=%s\nexport PATH=%s:$PATH\n' "$SLURM_CONF" "$folder/bin" >"$folder/env.sh"

slurmctld -c -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF"
for _ in $(seq 1500); do # far longer than any machine needs
  if [ "$(sinfo -h -N -o %t 2>/dev/null)" = idle ]; then exit 0; fi
  sleep 0.2
done
echo "SLURM has not come up:" >&2
tail -n 20 "$folder"/log/*.log >&2
exit 1
