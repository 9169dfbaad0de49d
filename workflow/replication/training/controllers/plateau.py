"""ReduceLROnPlateau."""

from typing import Any

from torch.optim.lr_scheduler import ReduceLROnPlateau

from replication.settings.schedule import ReduceOnPlateau
from replication.training.controllers.base import RateController, RunContext


class PlateauRate(RateController):
    """Applies torch's ReduceLROnPlateau after each epoch."""

    def __init__(self, settings: ReduceOnPlateau, context: RunContext) -> None:
        self._monitor = settings.monitor
        self._scheduler = ReduceLROnPlateau(
            context.optimizer,
            factor=settings.factor,
            # torch counts the bad epochs that it lets pass; ours, like Keras', is the one that is acted upon.
            patience=settings.patience - 1,
            threshold=settings.threshold,
            threshold_mode=settings.threshold_mode,
            cooldown=settings.cooldown,
            min_lr=settings.minimum_rate,
        )

    def end_epoch(self, history: dict[str, float]) -> None:
        """Give the monitored value to torch's scheduler, which may reduce the rate."""
        self._scheduler.step(history[self._monitor])

    def state_dict(self) -> dict[str, Any]:
        """Return the state of torch's scheduler."""
        return self._scheduler.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._scheduler.load_state_dict(state)
