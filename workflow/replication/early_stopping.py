"""Stopping when validation no longer improves."""

import math
from typing import Any

from replication.settings.run import EarlyStopping


class Stopper:
    """Early stopping (Prechelt 1998) with a patience, as Keras counts it.

    Training stops after the epoch that is the `patience`-th in a row without an improvement by more than
    `minimum_delta` over the best value so far. A value that is not a number is no improvement. Nothing
    stops after its first epoch.
    """

    def __init__(self, settings: EarlyStopping) -> None:
        self._settings = settings
        self._sign = -1.0 if settings.monitor == "validation_loss" else 1.0
        self._best = -math.inf
        self._waited = 0
        self._epochs = 0

    def should_stop(self, history: dict[str, float]) -> bool:
        """Take the values of one more epoch, and say whether to stop after it."""
        self._epochs += 1
        value = self._sign * history[self._settings.monitor]
        if value - self._best > self._settings.minimum_delta:
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
