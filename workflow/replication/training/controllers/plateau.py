"""Reduce on plateau: a drop of the rate whenever what is monitored stops improving.

The rule is that of torch's ReduceLROnPlateau (cooldown included), but for three things: its patience is counted as
Keras does; a change that equals the threshold but for rounding errors is no improvement, as everywhere here (see
`exceeds`); and torch leaves the rate alone where it would change by no more than `eps`, 1e-8, so that a lowest rate
below that is never reached.
"""

import math
from typing import Any

from replication.settings.schedule import ReduceOnPlateau
from replication.system.decimals import exceeds
from replication.training.controllers.base import RateController, RunContext


class Plateau:
    """Says when what is monitored has not improved for `patience` epochs in a row, and begins to count anew."""

    def __init__(self, settings: ReduceOnPlateau) -> None:
        self._settings = settings
        self._best = math.inf
        self._waited = 0
        self._cooling = 0

    def is_reached(self, value: float) -> bool:
        """Take the value of one more epoch, and say whether the rate should drop after it."""
        if self._improves(value):
            self._best, self._waited = value, 0
        else:
            self._waited += 1
            if self._settings.best == "lowest" and value < self._best:
                self._best = value
        if self._cooling > 0:
            self._cooling -= 1
            self._waited = 0
        if self._waited < self._settings.patience:
            return False
        self._cooling, self._waited = self._settings.cooldown, 0
        return True

    def _improves(self, value: float) -> bool:
        """Say whether a value is below the best by more than the threshold; one that is not a number never is."""
        relative = self._settings.threshold_mode == "rel"
        return exceeds(self._best, value, self._settings.threshold * (self._best if relative else 1.0))

    def state_dict(self) -> dict[str, Any]:
        """Return the best value and the counts as plain values."""
        return {"best": self._best, "waited": self._waited, "cooling": self._cooling}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._best, self._waited, self._cooling = state["best"], state["waited"], state["cooling"]


class PlateauRate(RateController):
    """Multiplies the rate by `factor` where a plateau is reached."""

    def __init__(self, settings: ReduceOnPlateau, context: RunContext) -> None:
        self._settings = settings
        self._optimizer = context.optimizer
        self._plateau = Plateau(settings)

    def end_epoch(self, history: dict[str, float]) -> None:
        """Reduce the rate if it is time."""
        if not self._plateau.is_reached(history[self._settings.monitor]):
            return
        for group in self._optimizer.param_groups:
            # One that is below the lowest rate already stays there.
            lowest = min(self._settings.minimum_rate, group["lr"])
            group["lr"] = max(group["lr"] * self._settings.factor, lowest)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the plateau; the rate is in the optimizer's own."""
        return self._plateau.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._plateau.load_state_dict(state)
