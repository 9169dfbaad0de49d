"""What a workflow's call shows of itself: how far the runs are, instead of every job that starts and ends.

It is told what Snakemake logs, and knows of Snakemake only the names of these events.
"""

import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from replication.progress.run_state import last_message
from replication.progress.text import duration
from replication.runs.results import run_identity

TRAIN = "train"
QUIET_SECONDS = 60.0  # between two lines on the state of things, where there is no terminal
LEAST_DONE = 3  # runs, before it is said when all will be done
CLEAR_LINE = "\r\x1b[K"
NAMED = 3  # runs or studies in one line
# Of Snakemake's own text, what is only in its log.
LEFT_OUT = (
    *("workflow_started", "run_info", "resources_info", "job_started", "shellcmd", "progress"),
    *("group_info", "rulegraph"),
)
LEFT_OUT_TEXT = ("Select jobs to execute",)


@dataclass(frozen=True)
class Job:
    """A job that the call will do; study and arm are those of a run."""

    rule: str
    study: str = ""
    arm: str = ""


@dataclass
class Console:
    """What has been done so far.

    Attributes
    ----------
    jobs
        Returns all jobs of the call, once they are known.
    seconds
        Of a run of each study and arm, as forecast; may be empty.
    """

    jobs: Callable[[], Iterable[Job]]
    seconds: Mapping[tuple[str, str], float]
    clock: Callable[[], float] = time.time
    known: bool = False  # whether the jobs are
    began: float | None = None  # when the first run did
    total: Counter[str] = field(default_factory=Counter)  # by study, and by rule for other jobs
    done: Counter[str] = field(default_factory=Counter)
    work: float = 0.0
    work_done: float = 0.0
    under_way: dict[int, tuple[Job, str]] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)

    def told(self, event: str | None, record: Mapping[str, Any]) -> list[str] | None:
        """Return the lines to show for what Snakemake logs; None: show it as Snakemake does."""
        if event in LEFT_OUT:
            return []
        match event:
            case "job_info":
                return self._begins(record)
            case "job_finished":
                return self._ends(record["job_id"])
            case "job_error":
                return self._fails(record)
            case "group_error":
                return self._group_fails(record)
            case None if str(record["msg"]).startswith(LEFT_OUT_TEXT):
                return []
        return None

    def _begins(self, record: Mapping[str, Any]) -> list[str]:
        lines = [] if self.known else self._plan()
        wildcards = {key: str(value) for key, value in (record["wildcards"] or {}).items()}
        job = Job(record["rule_name"], wildcards.get("study", ""), wildcards.get("arm", ""))
        name = _run(wildcards) if job.rule == TRAIN else " ".join([job.rule, *wildcards.values()])
        if job.rule == TRAIN and self.began is None:
            self.began = self.clock()
        self.failed.discard(record["jobid"])
        self.under_way[record["jobid"]] = job, name
        return lines

    def _plan(self) -> list[str]:
        self.known = True
        jobs = list(self.jobs())
        self.total.update(_group(job) for job in jobs)
        self.work = sum(self._work(job) for job in jobs)
        runs, others = self._number(self.total, runs=True), self._number(self.total, runs=False)
        if not runs:
            return [f"{others} jobs to do"]
        studies = sum(1 for group in self.total if group.startswith(f"{TRAIN} "))
        return [
            f"{runs:,} runs of {studies} {'study' if studies == 1 else 'studies'} to train, {others} other jobs"
        ]

    def _work(self, job: Job) -> float:
        if job.rule != TRAIN:
            return 0.0
        return self.seconds.get((job.study, job.arm), 0.0) if self.seconds else 1.0

    @staticmethod
    def _number(groups: Mapping[str, int], *, runs: bool) -> int:
        return sum(count for group, count in groups.items() if group.startswith(f"{TRAIN} ") == runs)

    def _ends(self, number: int) -> list[str]:
        job, _ = self.under_way.pop(number, (Job(""), ""))
        self.failed.discard(number)
        group = _group(job)
        self.done[group] += 1
        self.work_done += self._work(job)
        if self.done[group] < self.total[group] or not job.rule:
            return []
        if job.rule == TRAIN:
            return [f"{job.study}: all {self.total[group]} runs done"]
        return [] if job.rule == "all" else [f"{job.rule}: done"]

    def _fails(self, record: Mapping[str, Any]) -> list[str] | None:
        number = record["jobid"]
        job, name = self.under_way.pop(number, (Job(record["rule_name"]), record["rule_name"]))
        self.failed.add(number)
        return [_failure(name, record["log"])] if job.rule == TRAIN else None

    def _group_fails(self, record: Mapping[str, Any]) -> list[str] | None:
        """Say which runs of a group of jobs have failed; None if any is no run."""
        lines = []
        for info in record["job_error_info"]:
            line = self._fails(info)
            if line is None:
                return None
            lines += line
        return lines

    def status(self) -> str:
        """Return how far all is, in one line; empty before it has begun."""
        if not self.known:
            return ""
        runs = self._number(self.total, runs=True)
        parts = (
            [f"{self._number(self.done, runs=True):,} of {runs:,} runs done{self._studies()}"] if runs else []
        )
        parts += [f"{len(self.failed)} failed"] if self.failed else []
        parts += [f"now {_some([name for _, name in self.under_way.values()])}"] if self.under_way else []
        return "; ".join(parts + self._end())

    def _studies(self) -> str:
        now = dict.fromkeys(_group(job) for job, _ in self.under_way.values() if job.rule == TRAIN)
        parts = [
            f"{group.removeprefix(f'{TRAIN} ')} {self.done[group]} of {self.total[group]}" for group in now
        ]
        return f" ({_some(parts)})" if parts else ""

    def _end(self) -> list[str]:
        left = self.work - self.work_done
        if (
            self.began is None
            or self._number(self.done, runs=True) < LEAST_DONE
            or left <= 0
            or not self.work_done
        ):
            return []
        now = self.clock()
        seconds = (now - self.began) * left / self.work_done
        end = datetime.fromtimestamp(now + seconds).astimezone()
        return [f"about {duration(seconds)} left, until {end:%a %H:%M}"]


def _group(job: Job) -> str:
    return f"{TRAIN} {job.study}" if job.rule == TRAIN else job.rule


def _run(wildcards: Mapping[str, str]) -> str:
    return run_identity(wildcards["study"], wildcards["arm"], int(wildcards["seed"]))


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _failure(name: str, logs: Iterable[str]) -> str:
    log = next(iter(logs), None)
    message = last_message(Path(log)) if log else None
    return f"failed: {name}: {log or 'no log'}: {message or 'it says nothing'}"


class ConsoleHandler(logging.Handler):
    """Shows what `console` makes of what is logged, on a terminal with its state in the last line.

    Parameters
    ----------
    usual
        The handler in whose place this one stands, for all that is shown as ever.
    """

    def __init__(self, usual: "logging.StreamHandler[TextIO]", console: Console) -> None:
        super().__init__()
        self._usual = usual
        self._console = console
        self._live = usual.stream.isatty()
        self._shown = 0.0
        self._last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record, or what stands for it."""
        try:
            self._show(record)
        except Exception:  # as any handler does: what is shown never stops the work
            self.handleError(record)

    def _show(self, record: logging.LogRecord) -> None:
        event = getattr(record, "event", None)
        lines = self._console.told(None if event is None else str(event), record.__dict__)
        self._clear()
        if lines is None:
            self._usual.handle(record)
        else:
            self._write("".join(f"{line}\n" for line in lines))
        self._state(began=event is not None and str(event) == "job_info")

    def _state(self, *, began: bool) -> None:
        status = self._console.status()
        if self._live:
            width = shutil.get_terminal_size().columns - 1
            self._last = status if len(status) <= width else f"{status[: width - 1]}…"
            self._write(self._last)
        # Between the end of one job and the start of the next it would look as if nothing ran.
        elif began and status != self._last and self._console.clock() - self._shown >= QUIET_SECONDS:
            self._shown, self._last = self._console.clock(), status
            self._write(f"{status}\n")

    def _clear(self) -> None:
        if self._live and self._last:
            self._write(CLEAR_LINE)
            self._last = ""

    def _write(self, text: str) -> None:
        self._usual.stream.write(text)
        self._usual.stream.flush()

    def close(self) -> None:
        """Leave the terminal's last line empty."""
        self._clear()
        super().close()


def take_over(logger: logging.Logger, name: str, console: Console) -> None:
    """Put a `ConsoleHandler` in the place of the handler `name` of `logger`; without such a handler do nothing."""
    for usual in [handler for handler in logger.handlers if handler.name == name]:
        if isinstance(usual, logging.StreamHandler):
            logger.removeHandler(usual)
            logger.addHandler(ConsoleHandler(usual, console))
