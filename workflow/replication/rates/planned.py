"""Schedules that depend on the step alone."""

from typing import Any

import torch

from replication import schedules
from replication.rates.controller import OnePass, RunContext
from replication.settings.schedule import PureSchedule


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


def set_momentum(optimizer: torch.optim.Optimizer, momentum: float) -> None:
    """Set the momentum of SGD, or what stands for it in Adam, beta1."""
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum


def get_momentum(optimizer: torch.optim.Optimizer) -> float:
    """Return the momentum of SGD, or beta1 of Adam."""
    group = optimizer.param_groups[0]
    return float(group["betas"][0] if "betas" in group else group["momentum"])
