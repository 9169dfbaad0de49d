"""What the demo takes beside the work of its runs: `python benchmarks/demo.py`.

One call of Snakemake in a fresh copy of the project whose data are prepared, on all cores: a few minutes of two.
The work is what the runs record of training, evaluation and probing. Importing, tables, notebooks, the page and waiting
are what comes on top.
"""

import os
import tempfile
import time
from pathlib import Path

from jobs import adopt_orphans, snakemake
from measuring import Result, write
from scaling import copy_project

from replication.runs.folder import TIMINGS, seconds_of_run


def main() -> None:
    """Measure one demo."""
    adopt_orphans()
    with tempfile.TemporaryDirectory(prefix="demo-") as scratch:
        project = Path(scratch, "project")
        copy_project(project)
        snakemake(project, "data", cores="all")
        start = time.monotonic()
        processor = snakemake(project, cores="all")
        wall = time.monotonic() - start
        runs = [path.parent for path in (project / "results/demo/runs").rglob(TIMINGS)]
        work = sum(map(seconds_of_run, runs))
    cores = len(os.sched_getaffinity(0))
    rows = [
        ("demo: wall seconds × cores, by those of its runs' work", "times", "wall", wall * cores / work),
        ("demo: core seconds beyond the work, for each run", "s", "wall", (wall * cores - work) / len(runs)),
        ("demo: all processes", "s", "processor", processor),
        ("demo: work of its runs", "s", "wall", work),
        ("demo: the whole call", "s", "wall", wall),
    ]
    write("demo", [Result.of("demo", what, unit, clock, [value]) for what, unit, clock, value in rows])


if __name__ == "__main__":
    main()
