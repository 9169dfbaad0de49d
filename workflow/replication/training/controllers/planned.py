"""Schedules that depend on the step alone."""

from typing import Any

from replication import schedules
from replication.settings.schedule import PureSchedule
from replication.training.controllers.base import OnePass, RunContext
from replication.training.optimizers import set_momentum


class PlannedRate(OnePass):
    """Applies a pure schedule: base rate times its multiplier, and its momentum where it has one."""

    def __init__(self, settings: PureSchedule, context: RunContext) -> None:
        self._plan = schedules.build(settings, context.steps_per_epoch, context.settings.budget_epochs)
        self._base = context.settings.optimizer.learning_rate
        self._optimizer = context.optimizer

    def begin_epoch(self, epoch: int) -> None:
        """Do nothing: the plan does not look at the run."""

    def before_step(self, step: int) -> None:
        """Set rate and momentum of the plan for this step."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._base * self._plan.learning_rate(step)
        if self._plan.momentum is not None:
            set_momentum(self._optimizer, self._plan.momentum(step))

    def end_epoch(self, history: dict[str, float]) -> None:
        """Do nothing: the plan does not look at the run."""

    def costs(self) -> dict[str, float]:
        """Return nothing: a plan is free."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: a plan remembers nothing."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Do nothing."""
