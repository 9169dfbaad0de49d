"""A trainer that is killed at any time, and started again, comes to the results of one that is not."""
# ruff: noqa: T201 - the counts are what one wants to see of these tests (pytest -s)

import random
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from fault_runs import FaultRun, results_of
from trainer_forks import CRASHED, DONE, REFUSED, TrainerForks, at_moment

pytestmark = pytest.mark.fault

KILLS = 30
# Kills come at any moment, and where a file was written but is not yet in its place, or just is: few moments are such.
MOMENTS = ("", "_synchronise")
SCHEDULES = ("loss_probing", "reduce_on_plateau", "sgdr")
MOST_STARTS = 60  # of one run: far more than any needs


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("killed")


@pytest.fixture(scope="module")
def runs(forks: TrainerForks, place: Path) -> list[FaultRun]:
    """Return a run for each schedule."""
    return [FaultRun.of(forks, place, schedule) for schedule in SCHEDULES]


@dataclass
class Tally:
    """What kills have done."""

    sent: int = 0
    hit: int = 0
    within_save: int = 0
    runs: int = 0
    different: int = 0
    broken: int = 0

    def __str__(self) -> str:
        facts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in vars(self).items())
        return f"kills: {facts}"


def partials(folder: Path) -> set[str]:
    return {path.name for path in folder.glob(".*.partial")}


def killed_until_done(
    run: FaultRun,
    folder: Path,
    moments: dict[str, int],
    number: int,
    chance: random.Random,
    tally: Tally,
    **more,
) -> int:
    """Start a run, kill it at one of its moments, and so on until it ends; return the last exit status."""
    for _ in range(MOST_STARTS):
        before = partials(folder)
        of = chance.choice(MOMENTS)
        at = chance.randint(1, moments[of])
        status = run.forks.run(**run.job(folder, **more, **at_moment(number, at, of)))
        tally.sent += 1
        interrupted = status == -number or (number != signal.SIGKILL and status == REFUSED)
        tally.hit += interrupted
        tally.within_save += bool(partials(folder) - before)
        if not interrupted:
            return status
    raise AssertionError(f"{folder}: does not end in {MOST_STARTS} starts")


def tally_of_kills(runs: list[FaultRun], place: Path, name: str, number: int, **more) -> Tally:
    """Kill runs `KILLS` times or more, and compare each in the end."""
    chance, tally = random.Random(name), Tally()
    while tally.hit < KILLS and not tally.different + tally.broken:
        run = runs[tally.runs % len(runs)]
        # Every other run saves after each step: kills then hit many saves.
        every_step = {"checkpoint_steps": 1} if tally.runs % 2 else {}
        expected, _ = run.undisturbed(**every_step)
        moments = {of: run.undisturbed(of, **every_step)[1] for of in MOMENTS}
        folder = place / f"{name}-{tally.runs}"
        status = killed_until_done(run, folder, moments, number, chance, tally, **every_step, **more)
        tally.runs += 1
        tally.broken += status == CRASHED
        tally.different += status == DONE and results_of(folder) != expected
    print(name, tally)
    return tally


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_at_any_time(runs, place: Path, number: int) -> None:
    tally = tally_of_kills(runs, place, signal.Signals(number).name, number)
    assert (tally.different, tally.broken) == (0, 0)
    assert tally.hit >= KILLS
    # The control: these kills do hit what they should.
    assert tally.hit >= 25 / 30 * (tally.sent - tally.runs)
    if number == signal.SIGKILL:
        assert tally.within_save > 0


@pytest.mark.parametrize("save", ["in place", "without generators"])
def test_the_same_kills_show_a_naive_checkpoint(runs, place: Path, save: str) -> None:
    tally = tally_of_kills(runs, place, signal.SIGKILL.name + save, signal.SIGKILL, save=save)
    assert tally.different + tally.broken > 0
