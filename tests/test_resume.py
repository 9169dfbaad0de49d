"""A run that is interrupted and goes on gives the bytes of one that is not."""

import pytest

from replication import interruption
from replication.checkpoint import Checkpoints
from replication.interruption import RunInterruptedError
from replication.training import Training, train
from support import CPU, SCHEDULES, numbers_of, run_settings, schedule_of, tiny_dataset

IDENTITY = {"run_id": "study/arm/seed-1"}


class Signals:
    """Stands for the signals of a process: one arrives before the check with each of the given numbers."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.checks in self.numbers:
            raise RunInterruptedError("SIGTERM")


def train_through(signals: Signals, folder, settings, monkeypatch, dataset=None) -> Training:
    """Train, going on in a new trainer after each signal."""
    monkeypatch.setattr(interruption, "check", signals.check)
    for _ in range(len(signals.numbers) + 1):
        try:
            return train(settings, dataset or tiny_dataset(), 1, CPU, None, Checkpoints(folder, IDENTITY))
        except RunInterruptedError:
            continue
    raise AssertionError("interrupted more often than there are signals")


def settings_of(schedule: str, **changes):
    return run_settings(
        schedule=schedule_of(schedule),
        optimizer={"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
        data={"augmentation": "crop_and_flip"},
        **{"evaluate_test": "every_epoch", "record_every_step": True, **changes},
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_goes_on_bit_for_bit(tmp_path, monkeypatch, schedule):
    settings = settings_of(schedule)
    counted = Signals([])
    whole = train_through(counted, tmp_path / "whole", settings, monkeypatch)
    assert counted.checks > 15
    at = list(range(1, counted.checks * 2, 3))  # checks go on counting over the sessions
    pieces = train_through(Signals(at), tmp_path / "pieces", settings, monkeypatch)
    assert numbers_of(pieces) == numbers_of(whole)
    assert len(pieces.sessions.rows) > 5
