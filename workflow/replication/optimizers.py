"""The optimizers, torch's own."""

import torch
from torch import nn

from replication.settings.run import Adam, OptimizerSettings


def build_optimizer(settings: OptimizerSettings, model: nn.Module) -> torch.optim.Optimizer:
    """Return torch's optimizer for all parameters of `model`, in its fused form: one kernel instead of many."""
    if isinstance(settings, Adam):
        return torch.optim.Adam(
            model.parameters(),
            lr=settings.learning_rate,
            betas=(settings.beta1, settings.beta2),
            eps=settings.epsilon,
            weight_decay=settings.weight_decay,
            fused=True,
        )
    return torch.optim.SGD(
        model.parameters(),
        lr=settings.learning_rate,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        fused=True,
    )
