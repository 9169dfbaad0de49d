"""Batch normalisation, whose statistics need care."""

from torch import nn


def normalises(model: nn.Module) -> bool:
    """Return whether a layer of `model` normalises over the batch."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())
