"""The Newton-based rate: Retsinas, Sfikas, Filntisis & Maragos, "Newton-based trainable learning rate", ICASSP 2023.

Report 004 says that they "incorporated newton-based method to find appropriate learning rate scheduler during training
procedure". The paper itself we could not read; the rule is that of its authors' public code (georgeretsi/NTLR on
GitHub), whose README calls it a damped Newton approach. Every K steps the rate takes a Newton step on the loss as a
function of the rate, whose derivatives are told by how far the weights have moved::

    d_t = (w_(t-K) - w_t) / alpha,     alpha <- alpha (1 + gamma d_(t-K) . d_t / (|d_(t-K)|^2 - d_(t-K) . d_t))

d is thus the sum of the directions of K steps, of whatever optimizer. Where two of them in a row agree, the rate grows.
K is a third of an epoch's steps, and gamma 0.2, as in the code (its README has 0.25). No pass is taken beyond training;
the weights and the directions of the last change are kept.

Theirs has no bounds: the rate may become negative, where training climbs, or grow without limit where the estimated
curvature is not positive. Ours, a reading: a change that is not a positive number leaves the rate as it is, and none
multiplies it by more than `largest_change`, the bound of 100 that a comment in their code has.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from replication.settings.schedule import Newton
from replication.training.controllers.base import RateController, RunContext

NO_CURVATURE = 1e-10  # added to the denominator by the authors


class NewtonRate(RateController):
    """Changes the rate every so many steps by how the weights have moved since the last two changes."""

    def __init__(self, settings: Newton, context: RunContext) -> None:
        self._settings = settings
        self._optimizer = context.optimizer
        self._interval = max(1, int(settings.interval_epochs * context.steps_per_epoch))
        self._weights: list[Tensor] = []  # at the last change
        self._directions: list[Tensor] = []  # between the last two

    @property
    def _group(self) -> dict[str, Any]:
        return self._optimizer.param_groups[0]  # another one once the optimizer has loaded a state

    @torch.no_grad()
    def before_step(self, step: int) -> None:
        """Change the rate after the first step and every `_interval` steps from then on, as the authors count."""
        if step <= self._interval or (step - 1) % self._interval:
            return
        weights = [weight.detach().clone() for weight in self._group["params"]]
        if self._weights:
            rate = self._group["lr"]
            directions = [(old - new) / rate for old, new in zip(self._weights, weights, strict=True)]
            if self._directions:
                self._change(
                    _product(self._directions, directions), _product(self._directions, self._directions)
                )
            self._directions = directions
        self._weights = weights

    def _change(self, agreement: float, length: float) -> None:
        factor = 1 + self._settings.damping * agreement / (length - agreement + NO_CURVATURE)
        if math.isfinite(factor) and factor > 0:
            self._group["lr"] *= min(factor, self._settings.largest_change)

    def costs(self) -> dict[str, float]:
        """Return the copies that are kept, each of the size of the weights."""
        return {"parameter_copies": 2}

    def state_dict(self) -> dict[str, Any]:
        """Return the weights at the last change, and the directions before it."""
        return {"weights": self._weights, "directions": self._directions}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        own = self._group["params"]
        for name in ("weights", "directions"):
            tensors = [saved.to(w.device) for saved, w in zip(state[name], own, strict=False)]
            setattr(self, f"_{name}", tensors)


def _product(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Return the inner product of two lists of tensors, summed in double precision."""
    sums = [(a * b).sum(dtype=torch.float64) for a, b in zip(one, other, strict=True)]
    return float(torch.stack(sums).sum())
