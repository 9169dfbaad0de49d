"""What schedule-free optimizers ask of a trainer (Defazio et al., arXiv:2405.15682).

They take gradients at one point, the paper's y, and the model to evaluate is another, the average x. The package
`schedulefree` keeps one of them in the model, and its optimizers' `train()` and `eval()` turn one into the other. That
rounds: so a run switches once before the steps of an epoch and once after them, and not for a checkpoint, which holds
the weights as they are and the optimizer's own note of which they are.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from replication.models.normalisation import normalises
from replication.settings.run import RunSettings, ScheduleFreeSgd


def use_training_weights(optimizer: torch.optim.Optimizer) -> None:
    """Have the model the weights that gradients are taken at; other optimizers know no others."""
    if hasattr(optimizer, "train"):
        optimizer.train()


def use_averaged_weights(optimizer: torch.optim.Optimizer) -> None:
    """Have the model the weights that are evaluated; other optimizers know no others."""
    if hasattr(optimizer, "eval"):
        optimizer.eval()


def calibration_batches(settings: RunSettings, model: nn.Module, steps_per_epoch: int) -> int:
    """Return how many batches batch normalisation sees again before an evaluation: 0 where nothing asks for it."""
    if not isinstance(settings.optimizer, ScheduleFreeSgd) or not normalises(model):
        return 0
    return min(settings.optimizer.batch_norm_batches, steps_per_epoch)


@torch.no_grad()
def recalibrate(model: nn.Module, forward: Callable[[Tensor], Tensor], batches: Iterable[Tensor]) -> None:
    """Gather the statistics of batch normalisation at the weights that the model has, from batches of images.

    `forward` is the model in the precision of the run.
    In training its running statistics follow the weights that gradients are taken at, and "additional modifications
    are required for test/val evaluations to work correctly" (README of schedulefree): this is the one that it shows.
    The random state is left as it was.
    """
    model.train()
    device = next(model.parameters()).device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        for images in batches:
            forward(images)
