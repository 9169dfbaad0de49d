"""What a run costs beyond its own work: processor seconds of a local Snakemake call, few runs against many.

A copy of the project with the tests' tiny study, whose runs take two steps. Everything that a call starts counts, the
fork server and its children too: this process adopts them.
"""

import ctypes
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import Result, write
from scaling import make_project

FEW, MANY = 20, 60
REPETITIONS = 2
PR_SET_CHILD_SUBREAPER = 36  # from linux/prctl.h


def main() -> None:
    """Measure, in turn, calls of few and of many runs."""
    adopt_orphans()
    costs = []
    for _ in range(REPETITIONS):
        few, many = (seconds_of(count) for count in (FEW, MANY))
        costs.append((many - few) / (MANY - FEW))
    write("jobs", [Result.of("jobs", "a run of two steps, all included", "s", "processor", costs)])


def adopt_orphans() -> None:
    """Become the parent of what outlives its own, so that `processor_seconds` sees it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def seconds_of(runs: int) -> float:
    """Return the processor seconds of a call that trains `runs` runs, and of all processes that it starts."""
    with tempfile.TemporaryDirectory(prefix="jobs-") as folder:
        project = Path(folder, "project")
        make_project(project, runs // 20)
        study = project / "config/studies/tiny.yaml"
        short = study.read_text(encoding="utf-8").replace("train_images: 200", "train_images: 40")
        study.write_text(short.replace("epochs: 2", "epochs: 1"), encoding="utf-8")
        snakemake(project, "data")
        return snakemake(project, "--until", "train")


def snakemake(project: Path, *arguments: str, cores: str = "1") -> float:
    """Call Snakemake; return the processor seconds of all that it has started, once all of it has ended."""
    before = processor_seconds()
    command = [sys.executable, "-m", "snakemake", *arguments, "--cores", cores, "--quiet", "all"]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(command, cwd=project, env=environment, check=True, stderr=subprocess.DEVNULL)
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return processor_seconds() - before


def processor_seconds() -> float:
    """Return those of all descendants that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
