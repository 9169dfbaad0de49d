"""Stopping when validation no longer improves."""

import math
from collections.abc import Callable, Container
from typing import Any, Protocol

from replication.schedules.cycles import cycle_ends
from replication.settings.run import EarlyStopping, RunSettings
from replication.system.decimals import exceeds
from replication.training.prechelt import (
    GeneralisationLossStopper,
    ProgressQuotientStopper,
    RisingStripsStopper,
)


class StoppingRule(Protocol):
    """What says after each epoch whether a run ends with it."""

    def should_stop(self, history: dict[str, float]) -> bool:
        """Take the values of one more epoch, and say whether to stop after it."""

    def state_dict(self) -> dict[str, Any]:
        """Return what it remembers as plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""


class Stopper:
    """Early stopping (Prechelt 1998) with a patience, as Keras counts it.

    Training stops after the epoch that is the `patience`-th in a row without an improvement by more than
    `minimum_delta` over the best value so far (see `exceeds`: an equal one, but for rounding errors, is none). A value
    that is not a number is no improvement. Nothing stops after its first epoch.

    Parameters
    ----------
    judged
        The epochs, counted from 1, that are looked at, as if there were no others; None: every epoch.
    """

    def __init__(self, settings: EarlyStopping, judged: Container[int] | None = None) -> None:
        self._settings = settings
        self._judged = judged
        self._sign = -1.0 if settings.monitor == "validation_loss" else 1.0
        self._best = -math.inf
        self._waited = 0
        self._epochs = 0

    def should_stop(self, history: dict[str, float]) -> bool:
        """Take the values of one more epoch, and say whether to stop after it."""
        self._epochs += 1
        if self._judged is not None and self._epochs not in self._judged:
            return False
        value = self._sign * history[self._settings.monitor]
        if exceeds(value, self._best, self._settings.minimum_delta):
            self._best = value
            self._waited = 0
        else:
            self._waited += 1
        return self._waited >= self._settings.patience and self._epochs > 1

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and the counts as plain values."""
        return {"best": self._best, "waited": self._waited, "epochs": self._epochs}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._best, self._waited, self._epochs = state["best"], state["waited"], state["epochs"]


def build_stopper(settings: RunSettings, steps_per_epoch: int) -> StoppingRule | None:
    """Return what stops a run with `settings` early; None if nothing does.

    Parameters
    ----------
    steps_per_epoch
        Optimizer steps in an epoch: where a cycle ends depends on it, as a warm-up is rounded to whole steps.

    Raises
    ------
    ConfigurationError
        It should look at the ends of cycles, and the schedule has none within the budget.
    """
    stopping = settings.early_stopping
    if stopping is None:
        return None
    judged = JUDGED_EPOCHS[stopping.judged](settings, steps_per_epoch)
    rule: StoppingRule = STOPPING_RULES[stopping.name](stopping, judged)
    return rule


def _all_epochs(_settings: RunSettings, _steps_per_epoch: int) -> None:
    return None


def _epochs_of_cycle_ends(settings: RunSettings, steps_per_epoch: int) -> frozenset[int]:
    return frozenset(cycle_ends(settings.schedule, steps_per_epoch, settings.budget_epochs))


JUDGED_EPOCHS: dict[str, Callable[[RunSettings, int], Container[int] | None]] = {
    "every_epoch": _all_epochs,
    "cycle_ends": _epochs_of_cycle_ends,
}

# Each entry takes the settings of its name, and the epochs that are looked at (None: all). The keys are the names in
# `StoppingSettings`, which has refused any other before this is read.
STOPPING_RULES: dict[str, Callable[[Any, Container[int] | None], StoppingRule]] = {
    "patience": Stopper,
    "generalisation_loss": lambda settings, _: GeneralisationLossStopper(settings),
    "progress_quotient": lambda settings, _: ProgressQuotientStopper(settings),
    "rising_strips": lambda settings, _: RisingStripsStopper(settings),
}
