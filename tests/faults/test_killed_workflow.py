"""A workflow that is killed at any time, and started again by the same command, ends with the same results."""
# ruff: noqa: T201 - the counts are what one wants to see of these tests (pytest -s)

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest

from project import Project, copy_of_project
from traps import trap
from waiting import is_stopped, lives, wait_for

pytestmark = pytest.mark.fault

STUDY_FILE = "config/studies/tiny.yaml"
SCRIPT = re.compile(r"/scripts/(?:\w+\.)?(\w+)\.py\b")
LINES = 30  # that Snakemake prints at least
# What the clock and the machine decide.
OF_ONE_PROCESS = "seconds|memory"  # columns and measures
OF_ONE_RUN = {"started", "ended", "sessions", "sha256", "record_sha256"}


# When a signal comes: after a number of lines of Snakemake's, or when a process has fallen into a trap (see traps.py).
Moment = int | tuple[str, str, int]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project with two runs of some checkpoints."""
    project = copy_of_project(tmp_path_factory.mktemp("killed-workflow") / "project")
    project.edit(STUDY_FILE, "epochs: 2", "epochs: 30")
    project.edit(STUDY_FILE, "seeds: 2", "seeds: 1")
    project.edit("config/config.yaml", "scale: demo", "scale: demo\ncheckpoint_seconds: 0")
    return project


@dataclass
class Killer:
    """Starts one command again and again, and ends what it has started."""

    project: Project
    hits: Counter[str] = field(default_factory=Counter)
    process: subprocess.Popen[str] | None = None

    def start(self, **more: str) -> subprocess.Popen[str]:
        """Start the command, in a process group of its own; its output goes to a file."""
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | more
        with (self.project.folder.parent / "output.txt").open("w") as output:
            self.process = subprocess.Popen(
                # With each command it prints all that it does: many lines, and so many moments to choose from.
                [sys.executable, "-m", "snakemake", "--cores", "2", "--printshellcmds"],
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

    def end_at(self, moment: Moment, number: int, *, alone: bool) -> bool:
        """Start the command and send it a signal at a moment; return whether that came before its end.

        Parameters
        ----------
        alone
            Whether the signal goes to the main process only, and not to its jobs.
        """
        path = self.project.folder.parent / "trap"
        process = self.start(**(trap(path, *moment) if isinstance(moment, tuple) else {}))
        if isinstance(moment, tuple):
            wait_for(lambda: self.stopped() or process.poll() is not None, "a process that has stopped")
        else:
            wait_for(lambda: len(self.output.splitlines()) >= moment or process.poll() is not None, "a line")
        at_work = "+".join(sorted(self.scripts())) or "no job"
        (os.kill if alone else os.killpg)(process.pid, number)
        path.unlink(missing_ok=True)
        wait_for(self.has_ended, "the end of the command and of all that it has started")
        if process.wait() == 0:
            return False
        self.hits[f"{signal.Signals(number).name}{' alone' if alone else ''} in {at_work}"] += 1
        return True

    def processes(self) -> list[int]:
        """Return the processes of the command that live, also those whose parents have ended."""
        assert self.process
        found = []
        for number in filter(lives, psutil.pids()):
            with suppress(ProcessLookupError):
                found += [number] if os.getpgid(number) == self.process.pid else []
        return found

    def stopped(self) -> list[int]:
        """Return those that have fallen into a trap."""
        return [number for number in self.processes() if is_stopped(number)]

    def has_ended(self) -> bool:
        """Return whether no process of the command is left; those that have stopped go on."""
        assert self.process
        for number in self.stopped():
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGCONT)
        return self.process.poll() is not None and not self.processes()

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
        assert process.wait() == 0, self.output


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
    shutil.rmtree(project.folder / "results")


def events(chance: random.Random) -> list[tuple[Moment, int, bool]]:
    """Return at what moments which signals come, and whether to the main process only."""

    def after_a_checkpoint() -> Moment:
        return ("os.rename", r"/\.checkpoint-\d$", chance.randint(2, 4))

    executed = "os.rename", r"/notebook\.ipynb$", 1
    return [
        *[(chance.randint(0, LINES), signal.SIGKILL, False) for _ in range(3)],
        *[(after_a_checkpoint(), signal.SIGKILL, False) for _ in range(6)],
        (after_a_checkpoint(), signal.SIGKILL, True),
        (after_a_checkpoint(), signal.SIGTERM, False),
        (after_a_checkpoint(), signal.SIGINT, False),
        (executed, signal.SIGKILL, False),
    ]


def test_killed_at_any_time(fresh: Project, expected: dict[str, Any]) -> None:
    killer = Killer(fresh)
    for moment, number, alone in events(random.Random("workflow")):
        while not killer.end_at(moment, number, alone=alone):
            assert results_of(fresh) == expected
            forget(fresh)
    killer.finish()
    assert results_of(fresh) == expected
    print(f"{killer.hits.total()} kills: {dict(killer.hits)}")
    assert sum(count for name, count in killer.hits.items() if "train" in name) >= 6
