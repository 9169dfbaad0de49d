"""The optimizers: torch's own, and schedule-free SGD.

The package `schedulefree` keeps in the model either the weights that gradients are taken at or their average, and its
optimizers' `train()` and `eval()` turn one into the other. That rounds: so a run switches once before the steps of an
epoch and once after them, and not for a checkpoint, which holds the weights as they are and the optimizer's own note of
which they are.
"""

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
    """Return the learning rate of the last step; schedule-free SGD warms up by itself and reports its rate."""
    group = optimizer.param_groups[0]
    return float(group["scheduled_lr"] if "scheduled_lr" in group else group["lr"])


def set_momentum(optimizer: torch.optim.Optimizer, momentum: float) -> None:
    """Set the momentum of SGD, or its counterpart in Adam, beta1."""
    for group in optimizer.param_groups:
        if "betas" in group:
            group["betas"] = (momentum, group["betas"][1])
        else:
            group["momentum"] = momentum


def get_momentum(optimizer: torch.optim.Optimizer) -> float:
    """Return the momentum of SGD, or beta1 of Adam."""
    group = optimizer.param_groups[0]
    return float(group["betas"][0] if "betas" in group else group["momentum"])


def use_training_weights(optimizer: torch.optim.Optimizer) -> None:
    """Load the weights at which gradients are taken; does nothing for ordinary optimizers."""
    if hasattr(optimizer, "train"):
        optimizer.train()


def use_averaged_weights(optimizer: torch.optim.Optimizer) -> None:
    """Load the averaged weights, which are evaluated; does nothing for ordinary optimizers."""
    if hasattr(optimizer, "eval"):
        optimizer.eval()
