"""A workflow that is killed at any time, and started again by the same command, ends with the same results."""
# ruff: noqa: T201 - the counts are what one wants to see of these tests (pytest -s)

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from project import Project, copy_of_project

pytestmark = pytest.mark.fault

STUDY_FILE = "config/studies/tiny.yaml"
RUNS = "results/demo/runs/tiny"
SCRIPT = re.compile(r"/\.snakemake/scripts/\w+\.(\w+)\.py")
PATIENCE_SECONDS = 120.0
# What the clock and the machine decide.
OF_ONE_PROCESS = "seconds|memory"  # columns and measures
OF_ONE_RUN = {"started", "ended", "sessions", "sha256", "record_sha256"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with runs of some seconds, its data prepared."""
    project = copy_of_project(tmp_path_factory.mktemp("killed-workflow") / "project")
    project.edit(STUDY_FILE, "epochs: 2", "epochs: 100")
    project.edit(STUDY_FILE, "seeds: 2", "seeds: 1")
    return project


@dataclass
class Killer:
    """Starts one command again and again, and ends what it has started."""

    project: Project
    chance: random.Random = field(default_factory=lambda: random.Random("workflow"))
    hits: Counter[str] = field(default_factory=Counter)
    process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """Start the command, in a process group of its own; its output goes to a file."""
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        output = (self.project.folder.parent / "output.txt").open("w")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "2"],
            cwd=self.project.folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return self.process

    @property
    def output(self) -> str:
        """Return what the last command has printed."""
        return (self.project.folder.parent / "output.txt").read_text()

    def end_at_a_random_time(self, number: int, moment: str, longest_seconds: float, *, alone: bool) -> bool:
        """Start the command and send it a signal; return whether that came before its end.

        Parameters
        ----------
        moment
            From when the time counts: the `start`, or when the script of this name is at work.
        alone
            Whether the signal goes to the main process only, and not to its jobs.
        """
        process = self.start()
        self.wait_for(moment, process)
        try:
            process.wait(self.chance.uniform(0, longest_seconds))
        except subprocess.TimeoutExpired:
            name = signal.Signals(number).name + (" alone" if alone else "")
            self.hits[f"{name} in {'+'.join(sorted(self.scripts())) or 'no job'}"] += 1
            (os.kill if alone else os.killpg)(process.pid, number)
            assert process.wait(PATIENCE_SECONDS) != 0
            return True
        assert process.returncode == 0, self.output
        return False

    def wait_for(self, moment: str, process: subprocess.Popen[str]) -> None:
        """Wait until a script is at work, or until there is nothing more to wait for."""
        begun = time.time()
        runs = self.project.folder / RUNS
        while process.poll() is None and moment != "start":
            # A trainer imports for seconds before it begins.
            saved = any(path.stat().st_mtime > begun for path in runs.glob("*/*/.checkpoint-?"))
            if moment in self.scripts() and (saved or moment != "train"):
                return
            time.sleep(0.05)

    def scripts(self) -> set[str]:
        """Return which scripts are at work."""
        assert self.process
        found = set()
        with suppress(psutil.NoSuchProcess):
            for job in psutil.Process(self.process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    found |= {match.group(1) for match in [SCRIPT.search(" ".join(job.cmdline()))] if match}
        return found

    def finish(self) -> None:
        """Start the command and let it end."""
        process = self.start()
        assert process.wait(2 * PATIENCE_SECONDS) == 0, self.output


def results_of(project: Project) -> dict[str, Any]:
    """Return all of a project's results that the clock does not decide, by path."""
    folder = project.folder / "results/demo"
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {Path(name).name for name in names if Path(name).name.startswith(".")} <= {".snakemake_timestamp"}
    assert not [*(project.folder / ".snakemake/incomplete").iterdir()]
    return {name: content_of(folder / name) for name in sorted(names)}


def content_of(path: Path) -> Any:
    if path.name == "timings.csv" or path.suffix in {".html", ".ipynb"}:
        return None
    if path.name == "record.json":
        record = {key: value for key, value in json.loads(path.read_text()).items() if key not in OF_ONE_RUN}
        del record["files"]["timings.csv"]
        return record
    if path.suffix == ".csv" and path.name != "claims.csv":
        table = pd.read_csv(path)
        kept = [name for name in table if not re.search(OF_ONE_PROCESS, name) and name not in OF_ONE_RUN]
        if "measure" in table:
            table = table[~table["measure"].str.contains(OF_ONE_PROCESS)]
        return table[kept].to_csv(index=False)
    return path.read_bytes()


@pytest.fixture(scope="module")
def expected(fresh: Project) -> dict[str, Any]:
    """Return the results without any fault; the project is left without them."""
    killer = Killer(fresh)
    killer.finish()
    results = results_of(fresh)
    forget(fresh)
    return results


def forget(project: Project) -> None:
    """Remove all results; the data stay."""
    (project.folder / "results").rename(project.folder.parent / f"results-{time.monotonic_ns()}")


# (signal, from when on, longest seconds, to the main process only)
EVENTS = [
    *[(signal.SIGKILL, "start", 6.0, False)] * 3,
    *[(signal.SIGKILL, "train", 1.0, False)] * 6,
    (signal.SIGKILL, "train", 1.0, True),
    (signal.SIGTERM, "train", 0.5, False),
    (signal.SIGINT, "train", 0.5, False),
    (signal.SIGKILL, "notebook", 4.0, False),
]


def test_killed_at_any_time(fresh: Project, expected: dict[str, Any]) -> None:
    killer = Killer(fresh)
    for number, moment, longest_seconds, alone in EVENTS:
        while not killer.end_at_a_random_time(number, moment, longest_seconds, alone=alone):
            assert results_of(fresh) == expected
            forget(fresh)
    killer.finish()
    assert results_of(fresh) == expected
    print(f"{killer.hits.total()} kills: {dict(killer.hits)}")
    assert sum(count for name, count in killer.hits.items() if "train" in name) >= 6
