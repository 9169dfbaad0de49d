"""Loss probing: Algorithm 1 of Kim & Yu, report 004_be3a51cf1d0278c7.txt.

The algorithm tries each factor on a copy of the model, and the report names that as its limit. Here the trial
weights are computed into one set of tensors, which every factor uses in turn, and the gradient, which does
not depend on the factor, is computed once.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from replication.settings.schedule import LossProbing
from replication.training.controllers.base import LossFunction, RateController, RunContext
from replication.training.randomness import stream

Batch = tuple[Tensor, Tensor]  # images and labels


class LossProbingRate(RateController):
    """Scales the learning rate at the start of an epoch by what a probe of the training loss suggests.

    "This weighted geometric mean is then used as the scale factor for the current epoch" (section 2): the
    probe comes before the epoch's first step, in the first epoch too.
    """

    def __init__(self, settings: LossProbing, context: RunContext) -> None:
        self._settings = settings
        self._context = context
        self._generator = stream(context.seed, "probing")
        self._probe = LossProbe(context.model, context.loss, settings.scored_in)
        self._probes = 0

    def begin_epoch(self, epoch: int) -> None:
        """Probe, every `interval_epochs` epochs from the first on, and scale the rate."""
        if (epoch - 1) % self._settings.interval_epochs:
            return
        group = self._context.optimizer.param_groups[0]
        steps = [factor * group["lr"] for factor in self._settings.factors]
        losses = self._probe.losses(*self._draw(), steps=steps)
        group["lr"] = self._bounded(group["lr"] * rate_factor(losses, self._settings))
        self._probes += 1

    def _draw(self) -> tuple[Batch, Batch | None]:
        """Draw the batch of the gradient, and that of the trial losses if it is another one."""
        training = self._context.training
        wanted = self._settings.images or self._settings.batches * self._context.settings.batch_size
        drawn = torch.randperm(len(training), generator=self._generator)
        if self._settings.scored_on == "same":
            return training.batch(drawn[:wanted]), None
        count = min(wanted, len(training) // 2)
        return training.batch(drawn[:count]), training.batch(drawn[count : 2 * count])

    def _bounded(self, rate: float) -> float:
        lowest = self._settings.minimum_rate or 0.0
        highest = self._settings.maximum_rate or math.inf
        return min(max(rate, lowest), highest)

    def costs(self) -> dict[str, float]:
        """Return what a probe costs; counts are means over the probes so far."""
        probes = max(self._probes, 1)
        return {
            "probes": self._probes,
            "trial_losses_per_probe": self._probe.trial_losses / probes,
            "backward_passes_per_probe": self._probe.backward_passes / probes,
            "parameter_copies": self._probe.parameter_copies,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the generator that draws the probe's images, and the counts."""
        return {
            "generator": self._generator.get_state(),
            "probes": self._probes,
            "trial_losses": self._probe.trial_losses,
            "backward_passes": self._probe.backward_passes,
            "parameter_copies": self._probe.parameter_copies,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._generator.set_state(state["generator"])
        self._probes = state["probes"]
        self._probe.trial_losses = state["trial_losses"]
        self._probe.backward_passes = state["backward_passes"]
        self._probe.parameter_copies = state["parameter_copies"]


class LossProbe:
    """Measures the loss after trial steps of gradient descent, and leaves the model as it was.

    The model is evaluated as a function of given weights and buffers, so that its own weights, gradients and
    batch-norm statistics are never written. The random state is restored.
    """

    def __init__(
        self, model: nn.Module, loss: LossFunction, scored_in: Literal["training", "evaluation"] = "training"
    ) -> None:
        self._model = model
        self._loss = loss
        self._scored_in = scored_in
        self.trial_losses = 0
        self.backward_passes = 0
        self.parameter_copies = 0.0

    def losses(self, batch: Batch, scored: Batch | None = None, *, steps: Sequence[float]) -> list[float]:
        """Return the loss on a batch after each trial step `weights - step * gradient`.

        Parameters
        ----------
        batch
            Images and labels that give the gradient, with the model in training mode.
        scored
            Those that give the losses; None: the same.
        steps
            Lengths of the trial steps: factor times learning rate.
        """
        weights: dict[str, Tensor] = dict(self._model.named_parameters())
        buffers = {name: buffer.clone() for name, buffer in self._model.named_buffers()}
        modes = [(module, module.training) for module in self._model.modules()]
        self._model.train()

        def loss_at(trial: dict[str, Tensor], where: Batch) -> Tensor:
            return self._loss(
                lambda images: functional_call(self._model, (trial, buffers), (images,)), *where
            )

        try:
            images, _ = batch
            with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
                gradient = torch.autograd.grad(loss_at(weights, batch), list(weights.values()))
                self.backward_passes += 1
                self._model.train(self._scored_in == "training")
                return self._trials(partial(loss_at, where=scored or batch), weights, gradient, steps)
        finally:
            for module, mode in modes:
                module.training = mode

    @torch.no_grad()
    def _trials(
        self,
        loss_at: Callable[[dict[str, Tensor]], Tensor],
        weights: dict[str, Tensor],
        gradient: Sequence[Tensor],
        steps: Sequence[float],
    ) -> list[float]:
        own = list(weights.values())
        trial = [torch.empty_like(weight) for weight in own]
        self.parameter_copies = sum(t.nbytes for t in trial) / sum(w.nbytes for w in own)
        losses = []
        for step in steps:
            torch._foreach_copy_(trial, own)
            torch._foreach_add_(trial, list(gradient), alpha=-step)
            losses.append(loss_at(dict(zip(weights, trial, strict=True))).item())
            self.trial_losses += 1
        return losses


def rate_factor(losses: Sequence[float], settings: LossProbing) -> float:
    """Return the score-weighted geometric mean of the factors: lines 7 to 11 of Algorithm 1.

    With n_i the normalised losses, T the temperature and f_i the factors::

        s_i = exp(-n_i / T)
        factor = exp(sum_i s_i log(f_i) / sum_i s_i)

    A factor whose trial loss is not finite scores 0 (our reading). If no loss is finite, the rate stays.
    """
    finite = [math.isfinite(loss) for loss in losses]
    if not any(finite):
        return 1.0
    normalise = NORMALISATIONS[settings.normalisation]
    kept = [factor for factor, good in zip(settings.factors, finite, strict=True) if good]
    normalised = normalise([loss for loss, good in zip(losses, finite, strict=True) if good])
    # Subtracting the smallest changes no ratio of scores, and keeps the largest from underflowing.
    scores = [math.exp((min(normalised) - value) / settings.temperature) for value in normalised]
    logarithm = sum(score * math.log(factor) for score, factor in zip(scores, kept, strict=True))
    return math.exp(logarithm / sum(scores))


def _min_max(losses: Sequence[float]) -> list[float]:
    """Return (loss - lowest) / (highest - lowest), all 0 if the losses are equal."""
    lowest, width = min(losses), max(losses) - min(losses)
    return [(loss - lowest) / width if width else 0.0 for loss in losses]


def _z_score(losses: Sequence[float]) -> list[float]:
    """Return (loss - mean) / standard deviation, all 0 if the losses are equal."""
    mean = sum(losses) / len(losses)
    deviation = math.sqrt(sum((loss - mean) ** 2 for loss in losses) / len(losses))
    return [(loss - mean) / deviation if deviation else 0.0 for loss in losses]


def _share_of_sum(losses: Sequence[float]) -> list[float]:
    """Return loss / sum of losses, all 0 if the sum is."""
    total = sum(losses)
    return [loss / total if total else 0.0 for loss in losses]


NORMALISATIONS: dict[str, Callable[[Sequence[float]], list[float]]] = {
    "min_max": _min_max,
    "z_score": _z_score,
    "sum": _share_of_sum,
    "none": list,
}
