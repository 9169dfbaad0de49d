#!/usr/bin/env bash
# stop_slurm.sh FOLDER: cancel the jobs of the cluster that start_slurm.sh has started in FOLDER, and end its daemons.
set -u
folder=$(cd "${1:?usage: stop_slurm.sh FOLDER}" && pwd -P) || exit 2

runs() { # whether the process of a pid file lives, and is that daemon: a number may have gone to another process
  [ -s "$folder/run/$1.pid" ] || return 1
  case $(cat "/proc/$(cat "$folder/run/$1.pid")/comm" 2>/dev/null) in "$1"*) ;; *) return 1 ;; esac
}

if runs slurmctld; then # jobs would outlive the daemons
  . "$folder/env.sh"
  jobs=$(squeue -h -o %A | sort -u | xargs)
  [ -z "$jobs" ] || scancel $jobs
  for _ in $(seq 200); do
    [ -n "$(squeue -h)" ] || break
    sleep 0.1
  done
fi
for daemon in slurmd slurmctld munged; do
  runs "$daemon" || continue
  kill -TERM "$(cat "$folder/run/$daemon.pid")"
  for _ in $(seq 100); do
    runs "$daemon" || break
    sleep 0.1
  done
  ! runs "$daemon" || kill -KILL "$(cat "$folder/run/$daemon.pid")"
done
