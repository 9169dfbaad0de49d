"""The stopping criteria of Prechelt, "Early stopping - but when?" (1998), which weigh time against generalisation.

With E the validation loss after each epoch and E_opt the lowest so far, the generalisation loss is, in percent,

    GL(t) = 100 (E(t) / E_opt(t) - 1)

and, from the training losses of the last strip of k epochs, the training progress, in per mille,

    P(t) = 1000 (mean / lowest - 1)

- GL, of a threshold a: stop after the first epoch with GL(t) > a.
- PQ: stop after the first end of a strip with GL(t) / P(t) > a. While training still makes progress, validation may
  rise: it often falls again.
- UP, of s strips: stop after the s-th strip in a row at the end of which E is above that at the end of the strip
  before.

The model to judge is in each case that of the lowest validation loss so far. We have read the definitions as they are
cited everywhere, with the paper's k = 5 as the default. Two readings are ours: the training loss of an epoch is the
mean over its steps, as it is measured while the weights change; and UP cannot count the first strip, before which
nothing is measured. A loss that is not a number ends the run anyway.
"""

import math
from typing import Any

from replication.settings.run import GeneralisationLoss, ProgressQuotient, RisingStrips
from replication.system.decimals import exceeds


class GeneralisationLossStopper:
    """Stops after the first epoch whose validation loss is above the lowest by more than a share."""

    def __init__(self, settings: GeneralisationLoss | ProgressQuotient) -> None:
        self._threshold = settings.threshold
        self._lowest = math.inf

    def should_stop(self, history: dict[str, float]) -> bool:
        """Take the values of one more epoch, and say whether to stop after it."""
        validation = history["validation_loss"]
        self._lowest = min(self._lowest, validation)
        return exceeds(validation, self._lowest, self._threshold / 100 * self._lowest)

    def _loss(self, validation: float) -> float:
        """Return GL, in percent, after one more epoch."""
        self._lowest = min(self._lowest, validation)
        return 100 * (validation - self._lowest) / self._lowest if validation > self._lowest else 0.0

    def state_dict(self) -> dict[str, Any]:
        """Return the lowest loss as a plain value."""
        return {"lowest": self._lowest}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._lowest = state["lowest"]


class ProgressQuotientStopper(GeneralisationLossStopper):
    """Stops at the end of the first strip with a generalisation loss that is large against the training progress."""

    def __init__(self, settings: ProgressQuotient) -> None:
        super().__init__(settings)
        self._length = settings.strip_epochs
        self._strip: list[float] = []

    def should_stop(self, history: dict[str, float]) -> bool:
        """Take the values of one more epoch, and say whether to stop after it."""
        loss = self._loss(history["validation_loss"])
        self._strip.append(history["train_loss"])
        if len(self._strip) < self._length:
            return False
        strip, self._strip = self._strip, []
        # Multiplied out: without any progress, any loss is too much.
        return exceeds(
            loss * min(strip), 0.0, self._threshold * 1000 * (sum(strip) / len(strip) - min(strip))
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the lowest loss and the training losses of the strip as plain values."""
        return {**super().state_dict(), "strip": self._strip}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        super().load_state_dict(state)
        self._strip = list(state["strip"])


class RisingStripsStopper:
    """Stops at the end of so many strips in a row that have each ended with a higher validation loss."""

    def __init__(self, settings: RisingStrips) -> None:
        self._settings = settings
        self._epochs = 0
        self._before = math.inf  # at the end of the last strip
        self._risen = 0

    def should_stop(self, history: dict[str, float]) -> bool:
        """Take the values of one more epoch, and say whether to stop after it."""
        self._epochs += 1
        if self._epochs % self._settings.strip_epochs:
            return False
        value = history["validation_loss"]
        self._risen = self._risen + 1 if value > self._before else 0
        self._before = value
        return self._risen >= self._settings.strips

    def state_dict(self) -> dict[str, Any]:
        """Return the counts, and the loss at the end of the last strip, as plain values."""
        return {"epochs": self._epochs, "before": self._before, "risen": self._risen}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._epochs, self._before, self._risen = state["epochs"], state["before"], state["risen"]
