"""The optimizers: torch's own, and schedule-free SGD.

The package `schedulefree` keeps in the model either the weights that gradients are taken at or their average, and its
optimizers' `train()` and `eval()` turn one into the other. That rounds: so a run switches once before the steps of an
epoch and once after them, and not for a checkpoint, which holds the weights as they are and the optimizer's own note of
which they are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from replication.settings.run import Adam, OptimizerSettings, ScheduleFreeSgd, Sgd

CHANNELS_LAST = (0, 2, 3, 1)  # the axes of a convolution's weights, as they stand in memory
Weights = Sequence[nn.Parameter]


def _adam(settings: Adam, weights: Weights) -> torch.optim.Optimizer:
    return torch.optim.Adam(
        weights,
        lr=settings.learning_rate,
        betas=(settings.beta1, settings.beta2),
        eps=settings.epsilon,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _sgd(settings: Sgd, weights: Weights) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        weights,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _schedule_free_sgd(settings: ScheduleFreeSgd, weights: Weights) -> torch.optim.Optimizer:
    from schedulefree import SGDScheduleFree  # here: only runs that use it need the package

    optimizer: torch.optim.Optimizer = SGDScheduleFree(
        weights,
        lr=settings.learning_rate,
        momentum=settings.momentum,
        weight_decay=settings.weight_decay,
        warmup_steps=settings.warmup_steps,
    )
    return optimizer


# The keys are the names in `OptimizerSettings`, which has refused any other before this is read.
OPTIMIZERS: dict[str, Callable[[Any, Weights], torch.optim.Optimizer]] = {
    "adam": _adam,
    "sgd": _sgd,
    "schedule_free_sgd": _schedule_free_sgd,
}


def build_optimizer(settings: OptimizerSettings, model: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer for all parameters of `model`; torch's in their fused form: one kernel instead of many.

    From now on the gradients of a backward pass are those of the optimizer's parameters, which share the memory of the
    model's. They take the place of those before, to which a convolution's are not added.
    """
    return OPTIMIZERS[settings.name](
        settings, [_in_order_of_memory(weights) for weights in model.parameters()]
    )


def _in_order_of_memory(weights: nn.Parameter) -> nn.Parameter:
    """Return the same weights, with their axes in the order in which they stand in memory.

    The weights of a convolution stand there channels last. Of such a tensor, of its gradient and of its momentum the
    fused kernels make a copy in the order of its axes at each step, which takes twice as long as the step itself.
    """
    if weights.is_contiguous() or not weights.is_contiguous(memory_format=torch.channels_last):
        return weights
    same = nn.Parameter(weights.detach().permute(CHANNELS_LAST))

    def hand_over(weights: torch.Tensor) -> None:
        assert weights.grad is not None
        same.grad, weights.grad = weights.grad.permute(CHANNELS_LAST), None

    weights.register_post_accumulate_grad_hook(hand_over)
    return same


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
