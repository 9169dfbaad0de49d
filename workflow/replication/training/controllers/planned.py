"""Schedules that depend on the step alone."""

from replication import schedules
from replication.settings.schedule import PureSchedule
from replication.training.controllers.base import RateController, RunContext
from replication.training.optimizers import set_momentum


class PlannedRate(RateController):
    """Applies a pure schedule: base rate times its multiplier, and its momentum where it has one."""

    def __init__(self, settings: PureSchedule, context: RunContext) -> None:
        self._plan = schedules.build(settings, context.steps_per_epoch, context.settings.budget_epochs)
        self._base = context.settings.optimizer.learning_rate
        self._optimizer = context.optimizer

    def before_step(self, step: int) -> None:
        """Set rate and momentum of the plan for this step."""
        for group in self._optimizer.param_groups:
            group["lr"] = self._base * self._plan.learning_rate(step)
        if self._plan.momentum is not None:
            set_momentum(self._optimizer, self._plan.momentum(step))
