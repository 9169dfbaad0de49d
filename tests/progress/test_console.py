"""What a call of the workflow shows of itself."""

import io
import logging
from pathlib import Path
from typing import Any

import pytest

from replication.progress.console import CLEAR_LINE, QUIET_SECONDS, Console, ConsoleHandler, Job, take_over

TIME = 1_800_000_000.0


class Clock:
    now = TIME

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Call:
    """A call of the workflow, whose logger has taken over the handler of a stream."""

    def __init__(self, jobs: list[Job], stream: io.StringIO, seconds: dict[tuple[str, str], float]) -> None:
        self.clock = Clock()
        self.stream = stream
        self.logger = logging.Logger("snakemake")
        usual = logging.StreamHandler(stream)
        usual.name = "usual"
        self.logger.addHandler(usual)
        take_over(self.logger, "usual", Console(lambda: jobs, seconds, self.clock))

    def log(self, message: str, event: str | None = None, **more: Any) -> None:
        self.logger.info(message, extra={**({"event": event} if event else {}), **more})

    def begin(self, number: int, rule: str, **wildcards: str) -> None:
        self.log("rule", "job_info", jobid=number, rule_name=rule, wildcards=wildcards, log=[])

    def run(self, number: int, study: str, arm: str, seed: str = "1") -> None:
        self.begin(number, "train", study=study, arm=arm, seed=seed)

    def end(self, number: int) -> None:
        self.log("Finished", "job_finished", job_id=number)

    @property
    def shown(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def call(*jobs: Job, stream: io.StringIO | None = None, **seconds: float) -> Call:
    by_arm = {("s", arm): value for arm, value in seconds.items()}
    return Call(list(jobs), stream or io.StringIO(), by_arm)


RUNS = [Job("train", "s", "a"), Job("train", "s", "a"), Job("train", "s", "b"), Job("train", "s", "b")]


def test_jobs_are_not_listed_but_counted() -> None:
    made = call(*RUNS, Job("train", "t", "a"), Job("report"))
    made.log("Select jobs to execute...")
    made.run(1, "s", "a")
    made.log("Execute 1 jobs...", "job_started")
    made.log("python train.py", "shellcmd")
    made.log("1 of 6", "progress")
    assert made.shown == [
        "5 runs of 2 studies to train, 1 other jobs",
        "0 of 5 runs done (s 0 of 4); now s/a/seed-1",
    ]


def test_all_else_is_said_as_ever() -> None:
    made = call()
    made.log("Nothing to be done")
    made.log("a rule is wrong", "error")
    assert made.shown == ["Nothing to be done", "a rule is wrong"]


def test_what_is_done_of_a_study_or_a_rule_is_said_once() -> None:
    made = call(Job("train", "s", "a"), Job("train", "s", "a"), Job("report"), Job("all"))
    for number, seed in ((1, "1"), (2, "2")):
        made.run(number, "s", "a", seed)
        made.end(number)
    for number, rule in ((3, "report"), (4, "all")):
        made.begin(number, rule)
        made.end(number)
    assert made.shown[2:] == ["s: all 2 runs done", "report: done"]


def test_a_failed_run_has_one_line_with_its_log(tmp_path: Path) -> None:
    log = tmp_path / "seed-1.log"
    log.write_text(" 5%| 1/2 [00:01]\rTraceback\nRunError: no memory\n")
    made = call(*RUNS)
    made.run(1, "s", "a")
    made.log("Error", "job_error", jobid=1, rule_name="train", log=[str(log)])
    assert f"failed: s/a/seed-1: {log}: RunError: no memory" in made.shown
    made.clock.now += QUIET_SECONDS
    made.run(2, "s", "b")
    assert made.shown[-1] == "0 of 4 runs done (s 0 of 4); 1 failed; now s/b/seed-1"


def test_a_run_that_is_tried_again_has_not_failed(tmp_path: Path) -> None:
    made = call(*RUNS)
    made.run(1, "s", "a")
    made.log("Error", "job_error", jobid=1, rule_name="train", log=[str(tmp_path / "none")])
    made.clock.now += QUIET_SECONDS
    made.run(2, "s", "b")
    made.clock.now += QUIET_SECONDS
    made.run(1, "s", "a")
    assert "failed: s/a/seed-1: " in made.stream.getvalue()
    assert "1 failed" in made.shown[-2]
    assert made.shown[-1] == "0 of 4 runs done (s 0 of 4); now s/b/seed-1, s/a/seed-1"


def test_the_runs_of_a_failed_group_have_a_line_each() -> None:
    made = call(*RUNS)
    made.run(1, "s", "a")
    made.run(2, "s", "b")
    infos = [{"jobid": number, "rule_name": "train", "log": []} for number in (1, 2)]
    made.log("Error", "group_error", job_error_info=infos)
    assert [line.partition(": no log")[0] for line in made.shown[-2:]] == [
        "failed: s/a/seed-1",
        "failed: s/b/seed-1",
    ]


def test_another_job_that_fails_is_shown_as_ever() -> None:
    made = call(Job("audit"))
    made.begin(1, "audit")
    made.log("Error in rule audit", "job_error", jobid=1, rule_name="audit", log=[])
    assert "Error in rule audit" in made.shown


@pytest.mark.parametrize(("seconds", "left"), [({}, "20 s"), ({"a": 1.0, "b": 9.0}, "3 min")])
def test_the_time_left_is_weighed_by_the_forecast(seconds: dict[str, float], left: str) -> None:
    made = call(*[Job("train", "s", "a")] * 3, Job("train", "s", "b"), **seconds)
    for number in (1, 2, 3):
        made.run(number, "s", "a")
        made.clock.now += QUIET_SECONDS / 3
        made.end(number)
    made.run(4, "s", "b")
    assert f"3 of 4 runs done (s 3 of 4); now s/b/seed-1; about {left} left, until" in made.shown[-1]


def test_without_a_terminal_the_state_is_said_once_a_minute() -> None:
    made = call(*[Job("train", "s", "a")] * 100)
    for number in range(50):
        made.run(number, "s", "a")
        made.end(number)
        made.clock.now += QUIET_SECONDS / 10
    assert len(made.shown) == 1 + 5


def test_on_a_terminal_the_state_is_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    made = call(*RUNS, stream=Terminal())
    made.run(1, "s", "an-arm-with-a-name-that-is-long")
    last = made.stream.getvalue().rpartition("\n")[2]
    assert last.startswith("0 of 4 runs done")
    assert len(last) < 40
    made.log("Nothing to be done")
    assert f"{CLEAR_LINE}Nothing to be done\n" in made.stream.getvalue()
    for handler in made.logger.handlers:
        handler.close()
    assert made.stream.getvalue().endswith(CLEAR_LINE)


def test_without_the_usual_handler_nothing_is_taken_over() -> None:
    logger = logging.Logger("snakemake")
    other = logging.StreamHandler(io.StringIO())
    logger.addHandler(other)
    take_over(logger, "usual", Console(list, {}))
    assert logger.handlers == [other]


def test_an_error_in_what_is_shown_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    made = call(*RUNS)
    made.log("rule", "job_info")
    assert isinstance(made.logger.handlers[0], ConsoleHandler)
