"""Two starts of one run: one trains, the other says who does."""

import re
import socket
import time

import pytest

from fault_runs import FaultRun, results_of
from trainer_forks import DONE, REFUSED, TrainerForks

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
def run(forks: TrainerForks, tmp_path_factory: pytest.TempPathFactory) -> FaultRun:
    return FaultRun.of(forks, tmp_path_factory.mktemp("two"), epochs=8)


def test_the_second_says_who_trains(forks: TrainerForks, run: FaultRun) -> None:
    expected, _ = run.undisturbed()
    folder = run.place / "shared"
    first = forks.start(**run.job(folder))
    while not (folder / ".lock").exists() or not (folder / ".lock").read_text():
        time.sleep(0.005)
    job = run.job(folder, patience_seconds=0.1) | {"log": str(run.place / "second.log")}
    assert forks.run(**job) == REFUSED
    said = (run.place / "second.log").read_text()
    assert re.fullmatch(
        rf"FolderInUseError: {re.escape(str(folder))}: process {first} on {socket.gethostname()} "
        r"\(since \S+\) writes this run: wait for it, or end it, and run again\n",
        said,
    )
    assert forks.wait(first) == DONE
    assert results_of(folder) == expected


def test_of_many_at_once_one_trains(forks: TrainerForks, run: FaultRun) -> None:
    expected, _ = run.undisturbed()
    folder = run.place / "contested"
    jobs = [run.job(folder, patience_seconds=0.0) | {"log": str(run.place / f"{n}.log")} for n in range(6)]
    ends = [forks.wait(number) for number in [forks.start(**job) for job in jobs]]
    assert sorted(ends) == [DONE, *[REFUSED] * 5]
    assert results_of(folder) == expected


def test_with_patience_the_second_follows_the_first(forks: TrainerForks, run: FaultRun) -> None:
    expected, _ = run.undisturbed()
    folder = run.place / "in turn"
    jobs = [run.job(folder) | {"log": str(run.place / f"turn-{n}.log")} for n in range(2)]
    assert [forks.wait(number) for number in [forks.start(**job) for job in jobs]] == [DONE, DONE]
    assert results_of(folder) == expected
