"""Batch normalisation: what its statistics ask of a trainer.

Running statistics are those of the weights that training has had, and a mean of weights needs its own.

Schedule-free optimizers (Defazio et al., arXiv:2405.15682) take gradients at one point, the paper's y, and the model to
evaluate is another, the average x: running statistics follow the first, and have to be gathered again at the second.
So have those of an average over the path (see `averaging`), from one pass over the whole epoch's batches, and anew.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from replication.errors import ConfigurationError
from replication.settings.run import RunSettings, ScheduleFreeSgd


def normalises(model: nn.Module) -> bool:
    """Return whether a layer of `model` normalises over the batch."""
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())


def refuse_batch_of_one(model: nn.Module, images: int, batch_size: int) -> None:
    """Refuse an epoch whose last batch would be a single image.

    Raises
    ------
    ConfigurationError
        The model normalises over the batch, and a batch of one has no variance.
    """
    if normalises(model) and (images % batch_size == 1 or batch_size == 1):
        raise ConfigurationError(
            f"{images} training images in batches of {batch_size} leave a batch of one image, whose statistics "
            "batch normalisation cannot use: change train_images, validation_fraction or batch_size by one"
        )


def calibration_batches(settings: RunSettings, model: nn.Module, steps_per_epoch: int) -> int:
    """Return how many batches batch normalisation sees again before an evaluation: 0 where nothing asks for it."""
    if not normalises(model):
        return 0
    if settings.averaging is not None:
        return steps_per_epoch
    if not isinstance(settings.optimizer, ScheduleFreeSgd):
        return 0
    return min(settings.optimizer.batch_norm_batches, steps_per_epoch)


@torch.no_grad()
def recalibrate(
    model: nn.Module, forward: Callable[[Tensor], Tensor], batches: Iterable[Tensor], *, anew: bool = False
) -> None:
    """Gather the statistics of batch normalisation at the weights that the model has, from batches of images.

    `forward` is the model in the precision of the run.
    In training its running statistics follow the weights that gradients are taken at, and "additional modifications
    are required for test/val evaluations to work correctly" (README of schedulefree): this is the one that it shows.
    The random state is left as it was.

    Parameters
    ----------
    anew
        Forget the statistics that there are, and take the plain mean over the batches.
    """
    model.train()
    layers = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    momenta = [layer.momentum for layer in layers]
    if anew:
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None  # torch then takes the mean over all batches
    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for images in batches:
            forward(images)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
