"""Hypergradient descent: Baydin et al., "Online learning rate adaptation with hypergradient descent", arXiv:1703.04782.

An optimizer takes the step u_t = -alpha_t d_t. The derivative of the loss with respect to the rate of the step before
is h_t = -g_t . d_(t-1), g_t being the gradient of this step, and the rate descends along it before the step is taken::

    additive:        alpha_t = alpha_(t-1) - beta h_t
    multiplicative:  alpha_t = alpha_(t-1) (1 - beta h_t / (|g_t| |d_(t-1)|))

d is, as in the paper's algorithms 4 to 6 and in its authors' code,

- for SGD the gradient; with momentum the buffer v_t = mu v_(t-1) + g_t; with Nesterov's g_t + mu v_t;
- for Adam the corrected mean gradient over the root of the corrected mean square plus epsilon.

A weight decay is part of the gradient. The first step is taken with the base rate. The paper has no lower bound,
though its additive rule may take the rate below zero, where training climbs: ours is 0 unless a higher one is set. A
hypergradient that is not finite leaves the rate as it is: our reading too.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from replication.settings.run import Adam
from replication.settings.schedule import Hypergradient
from replication.training.controllers.base import RateController, RunContext


class HypergradientRate(RateController):
    """Changes the rate before each step by the product of its gradient and the direction of the step before."""

    def __init__(self, settings: Hypergradient, context: RunContext) -> None:
        self._settings = settings
        self._optimizer = context.optimizer
        self._adam = isinstance(context.settings.optimizer, Adam)
        self._gradients: list[
            Tensor
        ] = []  # of the step before, where the optimizer does not keep its direction

    @torch.no_grad()
    def after_backward(self, step: int) -> None:
        """Change the rate of this step, from the second step of the run on."""
        gradients = self._decayed_gradients()
        if step > 0:
            self._change(gradients, self._directions())
        group = self._optimizer.param_groups[0]
        if not self._adam and (group["momentum"] == 0 or group["nesterov"]):
            # No copies: each backward pass gives new tensors.
            self._gradients = gradients

    def _decayed_gradients(self) -> list[Tensor]:
        group = self._optimizer.param_groups[0]
        decay = group["weight_decay"]
        return [w.grad if decay == 0 else w.grad.add(w, alpha=decay) for w in group["params"]]

    def _directions(self) -> list[Tensor]:
        """Return d of the step before, from the state in which it has left the optimizer."""
        group = self._optimizer.param_groups[0]
        states = [self._optimizer.state[weights] for weights in group["params"]]
        if self._adam:
            return [_adam_direction(state, group["betas"], group["eps"]) for state in states]
        if group["momentum"] == 0:
            return self._gradients
        buffers = [state["momentum_buffer"] for state in states]
        if not group["nesterov"]:
            return buffers
        return list(torch._foreach_add(self._gradients, buffers, alpha=group["momentum"]))

    def _change(self, gradients: Sequence[Tensor], directions: Sequence[Tensor]) -> None:
        slope = _product(gradients, directions)
        group = self._optimizer.param_groups[0]
        if self._settings.multiplicative:
            lengths = math.sqrt(_product(gradients, gradients) * _product(directions, directions))
            slope *= group["lr"] / lengths if lengths else 0.0
        if math.isfinite(slope):
            rate = group["lr"] + self._settings.hypergradient_rate * slope
            group["lr"] = max(rate, self._settings.minimum_rate)

    def state_dict(self) -> dict[str, Any]:
        """Return the gradients of the step before."""
        return {"gradients": self._gradients}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        weights = self._optimizer.param_groups[0]["params"]
        self._gradients = [saved.to(w.device) for saved, w in zip(state["gradients"], weights, strict=False)]


def _adam_direction(state: dict[str, Any], betas: tuple[float, float], epsilon: float) -> Tensor:
    step, (beta1, beta2) = float(state["step"]), betas
    mean = state["exp_avg"] / (1 - beta1**step)
    square = state["exp_avg_sq"] / (1 - beta2**step)
    direction: Tensor = mean / (square.sqrt() + epsilon)
    return direction


def _product(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Return the inner product of two lists of tensors, in double precision, as far as their products are exact."""
    sums = [(a * b).sum(dtype=torch.float64) for a, b in zip(one, other, strict=True)]
    return float(torch.stack(sums).sum())
