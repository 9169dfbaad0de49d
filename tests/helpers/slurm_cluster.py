"""A SLURM cluster of one node, and a project whose runs are sent to it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from places import TESTS
from project import Project
from waiting import is_stopped, wait_for

SCRIPTS = TESTS / "cluster"
PROGRAMS = ("slurmctld", "slurmd", "munged", "sbatch")

Job = dict[str, str]


def missing_programs() -> list[str]:
    """Return which of the programs of a cluster are not installed here."""
    places = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [program for program in PROGRAMS if shutil.which(program, path=places) is None]


@dataclass(frozen=True)
class Cluster:
    """A running cluster, all of whose files lie in `folder`."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment in which its clients are found, and the package is not."""
        own = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        return own | {
            "SLURM_CONF": str(self.folder / "etc/slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
        }

    def call(self, *command: str) -> str:
        """Call one of the clients, and return what it prints."""
        return subprocess.run(
            command, env=self.environment, check=True, text=True, capture_output=True
        ).stdout

    def jobs(self) -> list[Job]:
        """Return all jobs that there have been, oldest first, as `scontrol` describes them."""
        lines = self.call("scontrol", "--oneliner", "show", "jobs").splitlines()
        jobs = [dict(item.split("=", 1) for item in line.split() if "=" in item) for line in lines]
        return sorted((job for job in jobs if "JobId" in job), key=lambda job: int(job["JobId"]))

    def jobs_after(self, number: int) -> list[Job]:
        """Return the jobs with a number above `number`."""
        return [job for job in self.jobs() if int(job["JobId"]) > number]

    def last_job(self) -> int:
        """Return the number of the youngest job; 0 if there is none."""
        return max((int(job["JobId"]) for job in self.jobs()), default=0)

    def wait_until_idle(self) -> None:
        """Wait until no job runs or queues."""
        wait_for(lambda: not self.call("squeue", "--noheader").strip(), "an idle cluster")


def end_processes_that_name(folder: Path) -> None:
    """Kill the processes with `folder` in their command: those of jobs that SLURM has lost sight of.

    A Snakemake that a signal meets in the middle of a fork may hang for ever, and without cgroups nothing ends it.
    """
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(folder).encode() in (entry / "cmdline").read_bytes():
                os.kill(int(entry.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


@contextmanager
def started(folder: Path, ports: tuple[int, int]) -> Iterator[Cluster]:
    """Start a cluster for the block; its scripts may refuse with CalledProcessError, and say why."""
    settings = {"CLUSTER_CONTROLLER_PORT": str(ports[0]), "CLUSTER_NODE_PORT": str(ports[1])}
    try:
        subprocess.run(
            [SCRIPTS / "start_slurm.sh", folder],
            env=os.environ | settings,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        yield Cluster(folder)
    finally:
        subprocess.run([SCRIPTS / "stop_slurm.sh", folder], check=False)


@dataclass(frozen=True)
class ClusterProject:
    """A copy of the project, whose runs go to a cluster."""

    project: Project
    cluster: Cluster

    @contextmanager
    def snakemake(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """Start Snakemake with the profile for SLURM; at the end of the block it is killed if it still runs.

        It and its jobs have `environment` besides. Its output goes to `snakemake.out` in the project's folder.
        """
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm"]
        command += ["--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "1"]
        with (self.project.folder / "snakemake.out").open("a") as output:
            process = subprocess.Popen(
                [*command, *arguments],
                cwd=self.project.folder,
                env=self.cluster.environment | environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def succeed(self, process: subprocess.Popen[str]) -> None:
        """Wait until Snakemake has ended well."""
        wait_for(lambda: process.poll() is not None, "Snakemake")
        assert process.returncode == 0, self.output

    @property
    def output(self) -> str:
        """What Snakemake has printed."""
        return (self.project.folder / "snakemake.out").read_text()

    def stopped(self, folder: Path) -> int | None:
        """Return the process that trains in a run folder, if it has fallen into a trap."""
        try:
            number = int((folder / ".lock").read_text().split()[1])
        except (FileNotFoundError, IndexError):
            return None
        return number if is_stopped(number) else None
