"""The optimizers: torch's own, and schedule-free SGD."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from replication.settings.run import Adam, OptimizerSettings, ScheduleFreeSgd, Sgd


def _adam(settings: Adam, model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        model.parameters(),
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _sgd(settings: Sgd, model: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        model.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _schedule_free_sgd(settings: ScheduleFreeSgd, model: nn.Module) -> torch.optim.Optimizer:
    from schedulefree import SGDScheduleFree  # here: only runs that use it need the package

    optimizer: torch.optim.Optimizer = SGDScheduleFree(
        model.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_steps,
    )
    return optimizer


# The keys are the names in `OptimizerSettings`, which has refused any other before this is read.
OPTIMIZERS: dict[str, Callable[[Any, nn.Module], torch.optim.Optimizer]] = {
    "adam": _adam,
    "sgd": _sgd,
    "schedule_free_sgd": _schedule_free_sgd,
}


def build_optimizer(settings: OptimizerSettings, model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer for all parameters of `model`; torch's in their fused form: one kernel instead of many."""
    return OPTIMIZERS[settings.name](settings, model)


def get_learning_rate(optimizer: torch.optim.Optimizer) -> float:
    """Return the learning rate of the last step; schedule-free SGD warms up by itself, and says to which rate."""
    group = optimizer.param_groups[0]
    return float(group["scheduled_lr"] if "scheduled_lr" in group else group["lr"])
