"""Two starts of one run: one trains, the other says who does."""

import os
import re
import signal
import socket

import pytest

from fault_runs import FaultRun, results_of
from trainer_forks import DONE, REFUSED, TrainerForks, at_moment
from waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.fault

# Who trains stops half-way, until a test has him go on.
STOPS = at_moment(signal.SIGSTOP, at=6, of="_Session.before_step")
STOPPED = -signal.SIGSTOP
# Who waits for another looks between whether it is asked to end.
STOPS_WAITING = at_moment(signal.SIGSTOP, at=1, of="check")


@pytest.fixture(scope="module")
def run(forks: TrainerForks, tmp_path_factory: pytest.TempPathFactory) -> FaultRun:
    return FaultRun.of(forks, tmp_path_factory.mktemp("two"))


def test_the_second_says_who_trains(forks: TrainerForks, run: FaultRun) -> None:
    expected, _ = run.undisturbed()
    folder = run.place / "shared"
    first = forks.start(**run.job(folder, **STOPS))
    assert forks.wait(first, stopped=True) == STOPPED
    job = run.job(folder, patience_seconds=0.0) | {"log": str(run.place / "second.log")}
    assert forks.run(**job) == REFUSED
    said = (run.place / "second.log").read_text()
    assert re.fullmatch(
        rf"FolderInUseError: {re.escape(str(folder))}: process {first} on {socket.gethostname()} "
        r"\(since \S+\) writes this run: wait for it, or end it, and run again\n",
        said,
    )
    os.kill(first, signal.SIGCONT)
    assert forks.wait(first) == DONE
    assert results_of(folder) == expected


def test_of_many_at_once_one_trains(forks: TrainerForks, run: FaultRun) -> None:
    expected, _ = run.undisturbed()
    folder = run.place / "contested"
    jobs = [
        run.job(folder, patience_seconds=0.0, **STOPS) | {"log": str(run.place / f"{n}.log")}
        for n in range(6)
    ]
    children = [forks.start(**job) for job in jobs]
    ends = {child: forks.wait(child, stopped=True) for child in children}
    assert sorted(ends.values()) == [STOPPED, *[REFUSED] * 5]
    [trains] = [child for child, end in ends.items() if end == STOPPED]
    os.kill(trains, signal.SIGCONT)
    assert forks.wait(trains) == DONE
    assert results_of(folder) == expected


def test_with_patience_the_second_follows_the_first(forks: TrainerForks, run: FaultRun) -> None:
    expected, _ = run.undisturbed()
    folder = run.place / "in turn"
    children = []
    for number, stops in enumerate((STOPS, STOPS_WAITING)):
        job = run.job(folder, patience_seconds=PATIENCE_SECONDS, **stops)
        children.append(forks.start(**job | {"log": str(run.place / f"turn-{number}.log")}))
        assert forks.wait(children[-1], stopped=True) == STOPPED
    for child in reversed(children):
        os.kill(child, signal.SIGCONT)
    assert [forks.wait(child) for child in children] == [DONE, DONE]
    assert results_of(folder) == expected
