"""Averaging over the path: the mean of the weights that training has passed through, in place of the last ones.

Source: Izmailov et al., "Averaging weights leads to wider optima and better generalization" (SWA), arXiv:1803.05407, to
which report 003 points for "how to obtain better solutions by averaging over an entire path of parameters". Under a
cycling rate the weights at the ends of cycles are averaged, under a constant one those after each epoch; in both cases
with equal weights, from some epoch on. Training goes on from the weights themselves. The average is what is evaluated,
after "one additional pass over the data" for the statistics of batch normalisation, which are those of other weights.
"""

from typing import Any

import torch
from torch import Tensor, nn

from replication.settings.run import RunSettings
from replication.training.averaged_epochs import averaged_epochs
from replication.training.weights import copy_of_weights

COPIES = 2  # the average, and the weights that training goes on from


class PathAverage:
    """The mean of a model's weights after chosen epochs.

    Between `use_average` and `use_training_weights` the model holds the average.

    Parameters
    ----------
    epochs
        Those after which the weights are added, counted from 1.
    """

    def __init__(self, epochs: frozenset[int]) -> None:
        self._epochs = epochs
        self._count = 0
        self._mean: dict[str, Tensor] = {}
        self._training: dict[str, Tensor] = {}  # while the model holds the average

    @torch.no_grad()
    def use_average(self, model: nn.Module, epoch: int) -> bool:
        """Add the weights to the mean if it is time, and load the mean; return whether there is one yet."""
        if epoch in self._epochs:
            self._add(dict(model.named_parameters()))
        if not self._count:
            return False
        self._training = copy_of_weights(model)
        for name, weight in model.named_parameters():
            weight.copy_(self._mean[name])
        return True

    def _add(self, weights: dict[str, nn.Parameter]) -> None:
        self._count += 1
        if self._count == 1:
            self._mean = {name: weight.detach().clone() for name, weight in weights.items()}
        for name, mean in self._mean.items():
            mean += (weights[name] - mean) / self._count

    def use_training_weights(self, model: nn.Module) -> None:
        """Load the weights and statistics that training goes on from, if the model holds the average."""
        if self._training:
            model.load_state_dict(self._training)
            self._training = {}

    @property
    def is_used(self) -> bool:
        """Whether any weights are averaged yet."""
        return self._count > 0

    def state_dict(self) -> dict[str, Any]:
        """Return the mean, of how many it is, and what training goes on from."""
        return {"count": self._count, "mean": self._mean, "training": self._training}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Go on from what `state_dict` has returned."""
        self._count = state["count"]
        self._mean = {name: value.to(device) for name, value in state["mean"].items()}
        self._training = {name: value.to(device) for name, value in state["training"].items()}


def build_average(settings: RunSettings, steps_per_epoch: int) -> PathAverage | None:
    """Return what averages the weights of a run with `settings`; None if nothing does.

    Raises
    ------
    ConfigurationError
        As `averaged_epochs`.
    """
    epochs = averaged_epochs(settings, steps_per_epoch)
    return None if epochs is None else PathAverage(epochs)
