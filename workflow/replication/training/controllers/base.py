"""What a controller of the learning rate is given, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from replication.settings.run import RunSettings
from replication.training.batches import Split

# What a pass over the batches of an epoch has measured: plain values and tensors, which a controller may only keep.
Measured = dict[str, Any]
LossFunction = Callable[[Callable[[Tensor], Tensor], Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class RunContext:
    """The parts of a run that a controller may use.

    Attributes
    ----------
    loss
        Mean loss of a batch, from a function of images to logits, the images and the labels; in the precision
        of the run.
    streams
        The generators that training batches draw from, beyond torch's own.
    validation
        The images held out, which a controller may measure; None where none is needed, as in tests.
    """

    settings: RunSettings
    seed: int
    model: nn.Module
    optimizer: torch.optim.Optimizer
    training: Split
    loss: LossFunction
    streams: tuple[torch.Generator, ...] = ()
    validation: Split | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in an epoch; the last batch may be smaller."""
        return -(-len(self.training) // self.settings.batch_size)


class RateController:
    """Sets the learning rate (and momentum) of the optimizer; each method is a moment at which it may do so.

    By default it leaves the rate as it is, costs nothing and remembers nothing.
    """

    def begin_epoch(self, epoch: int) -> None:
        """Prepare for an epoch, counted from 1; here a controller may probe."""

    def before_step(self, step: int) -> None:
        """Set the rate for a step, counted from 0 over the whole run."""

    def after_backward(self, step: int) -> None:
        """Look at the gradients of a step, before it is taken, and change its rate."""

    def end_pass(self, measured: Measured) -> Measured | None:
        """Take the end of a pass over the batches of an epoch; by default, one pass is the epoch.

        Returns what counts as the epoch's: that of this pass, or of an earlier one whose state the controller has
        brought back. None asks for another pass, from a state that the controller has set.
        """
        return measured

    def end_epoch(self, history: dict[str, float]) -> None:
        """Take the values of an epoch that has ended."""

    def costs(self) -> dict[str, float]:
        """Return what the controller has spent beyond training, by name; empty if nothing."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Return what the controller remembers beyond the optimizer's own state: tensors and plain values."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
