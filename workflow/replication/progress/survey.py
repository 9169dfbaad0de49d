"""All runs of a scale as they are on disk, and how long those to come will take."""

import csv
import json
import math
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from replication.progress.run_state import RunState, State, UnderWay, run_state, under_way
from replication.runs.folder import HISTORY, RECORD
from replication.runs.plan import PlannedStudy
from replication.runs.results import RUNS, parts_of_run, run_identity

RECORDS_READ = 3  # of an arm, for how long its runs take: thousands of records would take seconds

Arm = tuple[str, str]  # study and arm


@dataclass(frozen=True)
class SurveyedRun:
    """A planned run as it was found.

    Attributes
    ----------
    budget
        Its epochs, unless it stops early.
    folder, log
        Where its files are, or will be.
    """

    study: str
    arm: str
    seed: int
    budget: int
    folder: Path
    log: Path
    found: RunState

    @cached_property
    def under_way(self) -> UnderWay | None:
        """What its checkpoint says, if it is under way and has one."""
        return under_way(self.folder) if self.found.state in (State.RUNNING, State.STOPPED) else None

    @property
    def name(self) -> str:
        """Arm and seed."""
        return f"{self.arm}/seed-{self.seed}"


@dataclass(frozen=True)
class TimeLeft:
    """How long runs will still take.

    Attributes
    ----------
    seconds
        Of all runs about which something is known, one after the other.
    longest
        Of the longest of them.
    unknown
        How many runs nothing is known of.
    """

    seconds: float = 0.0
    longest: float = 0.0
    unknown: int = 0

    def wall(self, places: int) -> float:
        """Return the seconds until the end where `places` runs go side by side."""
        return max(self.seconds / places, self.longest)


@dataclass(frozen=True)
class Survey:
    """The runs of a plan, as they are on disk at one moment.

    Attributes
    ----------
    unplanned
        How many runs there are beside those of the plan.
    forecast
        Seconds of a run of each arm, as forecast; empty without a forecast.
    """

    scale: str
    runs: Sequence[SurveyedRun]
    unplanned: int
    forecast: Mapping[Arm, float]

    @cached_property
    def by_study(self) -> dict[str, list[SurveyedRun]]:
        """The runs of each study, in the order of the plan."""
        studies: dict[str, list[SurveyedRun]] = {}
        for run in self.runs:
            studies.setdefault(run.study, []).append(run)
        return studies

    @property
    def all_finished(self) -> bool:
        """Whether nothing is left to train."""
        return all(run.found.state == State.FINISHED for run in self.runs)

    @cached_property
    def seconds_of_finished(self) -> dict[Arm, float]:
        """Seconds of a run of each arm, as the first ones that are finished have taken."""
        taken: dict[Arm, list[float]] = {}
        for run in self.runs:
            known = taken.setdefault((run.study, run.arm), [])
            if run.found.state == State.FINISHED and len(known) < RECORDS_READ:
                known += [seconds] if (seconds := _seconds_of(run.folder / RECORD)) else []
        return {arm: sum(seconds) / len(seconds) for arm, seconds in taken.items() if seconds}

    @cached_property
    def correction(self) -> float | None:
        """What the finished runs have taken, as a share of their forecast; None where there is nothing to compare."""
        both = self.seconds_of_finished.keys() & self.forecast.keys()
        forecast = sum(self.forecast[arm] for arm in both)
        return sum(self.seconds_of_finished[arm] for arm in both) / forecast if forecast else None

    def seconds_of(self, arm: Arm) -> float | None:
        """Return what a run of an arm will take: as those that are finished, else as forecast; None if not known."""
        if arm in self.seconds_of_finished:
            return self.seconds_of_finished[arm]
        if arm in self.forecast:
            return self.forecast[arm] * (self.correction or 1.0)
        return self._pace.get(arm)

    @cached_property
    def _pace(self) -> dict[Arm, float]:
        """Seconds of a run of each arm, as those under way would take at their own pace."""
        own = [(run, run.under_way) for run in self.runs if run.under_way and run.under_way.epochs]
        return {(run.study, run.arm): told.seconds / told.epochs * run.budget for run, told in own if told}

    def left_of(self, run: SurveyedRun) -> float | None:
        """Return the seconds that a run will still take; None if not known."""
        if run.found.state == State.FINISHED:
            return 0.0
        told = run.under_way
        if told and told.epochs:
            return told.seconds / told.epochs * max(run.budget - told.epochs, 0)
        return self.seconds_of((run.study, run.arm))

    def time_left(self, runs: Sequence[SurveyedRun]) -> TimeLeft:
        """Return how long some of the runs will still take."""
        left = [self.left_of(run) for run in runs]
        known = [seconds for seconds in left if seconds is not None]
        return TimeLeft(math.fsum(known), max(known, default=0.0), len(left) - len(known))


def counts(runs: Sequence[SurveyedRun]) -> Counter[State]:
    """Return how many of some runs are in which state."""
    return Counter(run.found.state for run in runs)


def survey(plan: Mapping[str, PlannedStudy], scale: str, folder: Path = Path()) -> Survey:
    """Look at every run of a plan.

    Parameters
    ----------
    folder
        Of the project.
    """
    runs, logs = folder / "results" / scale / RUNS, folder / "logs" / scale / "train"
    found = [
        SurveyedRun(
            study.name,
            arm,
            seed,
            study.arms[arm].budget_epochs,
            runs / run_id,
            logs / f"{run_id}.log",
            run_state(runs / run_id, logs / f"{run_id}.log"),
        )
        for study in plan.values()
        for run_id in study.run_ids
        for _, arm, seed in [parts_of_run(run_id)]
    ]
    planned = {run_identity(run.study, run.arm, run.seed) for run in found}
    unplanned = len(_runs_below(runs) - planned)
    return Survey(scale, found, unplanned, read_seconds(folder / "results" / f"{scale}.forecast.csv"))


def _runs_below(runs: Path) -> set[str]:
    level = [""]
    for _ in range(3):
        level = [f"{path}/{name}" for path in level for name in _folders(runs / path.strip("/"))]
    return {path.strip("/") for path in level}


def _folders(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_seconds(forecast: Path) -> dict[Arm, float]:
    """Return the seconds of a run of each arm, as forecast; empty if there is no table, or it is damaged."""
    try:
        with forecast.open(newline="", encoding="utf-8") as stream:
            return {(row["study"], row["arm"]): float(row["seconds"]) for row in csv.DictReader(stream)}
    except (OSError, KeyError, TypeError, ValueError):
        return {}


def _seconds_of(record: Path) -> float | None:
    """Return what the sessions of a finished run have taken; None where its record cannot be read."""
    try:
        sessions = json.loads(record.read_text(encoding="utf-8"))["sessions"]
        spans = [_time(session["ended"]) - _time(session["started"]) for session in sessions]
    except (OSError, KeyError, TypeError, ValueError):
        return None
    return math.fsum(spans)


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def last_accuracy(run: SurveyedRun) -> float | None:
    """Return the last accuracy of a run on validation images, as a share; None where there is none to read."""
    if run.found.state != State.FINISHED:
        return run.under_way.accuracy if run.under_way else None
    try:
        with (run.folder / HISTORY).open(newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        return float(rows[-1]["validation_accuracy"])
    except (OSError, IndexError, KeyError, TypeError, ValueError):
        return None
