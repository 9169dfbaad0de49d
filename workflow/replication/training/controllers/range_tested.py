"""Cyclical learning rates between what a range test at the start of the run suggests."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from replication import schedules
from replication.errors import RunError
from replication.schedules import RangeSuggestion, Schedule
from replication.settings.schedule import RangeTested
from replication.system import interruption
from replication.training.controllers.base import RateController, RunContext
from replication.training.optimizers import build_optimizer
from replication.training.randomness import stream


class RangeTestedRate(RateController):
    """Tests a range of rates on a copy of the model, then cycles between the two that the test suggests.

    Smith, arXiv:1506.01186, section 3.3, trains the model from the start after the test. Here the test comes before the
    first epoch, on a copy of the initial model with an optimizer of its own, and draws from a stream of its own: the
    run that follows is, bit for bit, the one that a cyclical schedule with these two rates gives.

    A test that suggests nothing is an error, and no other rates take the place of its own: the run would be taken for
    one of this method, and show the effect of a guess.
    """

    def __init__(self, settings: RangeTested, context: RunContext) -> None:
        self._settings = settings
        self._context = context
        self._steps = 0
        self._suggestion: RangeSuggestion | None = None
        self._cycles: Schedule | None = None

    def begin_epoch(self, epoch: int) -> None:
        """Do the range test before the first epoch.

        Raises
        ------
        RunError
            The test suggests nothing.
        RunInterruptedError
            A signal has asked the run to end; it has to begin the test again.
        """
        if epoch > 1:
            return
        rates = rates_to_test(self._settings, self._context.steps_per_epoch)
        gpus = [self._context.training.images.device] if self._context.training.images.is_cuda else []
        with torch.random.fork_rng(devices=gpus):
            tried = try_rates(self._context, rates)
            losses = schedules.until_divergence(tried, self._settings.smoothing)
        suggestion = schedules.suggest_range(rates, losses, self._settings)
        if suggestion is None:
            raise RunError(_nothing_found(self._settings, losses))
        self._steps = len(losses)
        self._adopt(suggestion)

    def _adopt(self, suggestion: RangeSuggestion) -> None:
        plan = schedules.build(
            schedules.cycles_within(suggestion, self._settings),
            self._context.steps_per_epoch,
            self._context.settings.budget_epochs,
        )
        self._suggestion, self._cycles = suggestion, plan.learning_rate

    def before_step(self, step: int) -> None:
        """Set the rate of the cycles for this step."""
        assert self._suggestion is not None
        assert self._cycles is not None
        for group in self._context.optimizer.param_groups:
            group["lr"] = self._suggestion.maximum_rate * self._cycles(step)

    def costs(self) -> dict[str, float]:
        """Return the optimizer steps of the test, which come on top of the run's, and the rates that it suggests."""
        assert self._suggestion is not None
        return {
            "range_test_steps": self._steps,
            "suggested_minimum_rate": self._suggestion.minimum_rate,
            "suggested_maximum_rate": self._suggestion.maximum_rate,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return what the test suggests; nothing before its end, so that one that is cut off begins again."""
        return {} if self._suggestion is None else {"steps": self._steps, **vars(self._suggestion)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        if state:
            found = dict(state)
            self._steps = found.pop("steps")
            self._adopt(RangeSuggestion(**found))


def rates_to_test(settings: RangeTested, steps_per_epoch: int) -> list[float]:
    """Return the learning rate of each step of the test, as the schedule `range_test` rises over its length."""
    steps = max(round(settings.test_epochs * steps_per_epoch), 1)
    highest = settings.test_maximum_rate
    rise = schedules.range_test(settings.test_minimum_rate / highest, settings.growth)
    return [highest * rise(step / steps) for step in range(steps)]


def try_rates(context: RunContext, rates: Sequence[float]) -> Iterator[float]:
    """Train a copy of the model, one step with each rate, and yield the loss before each step once it is done.

    The model and its optimizer are not touched; torch's own generators are drawn from as in training.
    """
    model = copy.deepcopy(context.model).train()
    optimizer = build_optimizer(context.settings.optimizer, model)
    for rate, (images, labels) in zip(rates, _batches(context), strict=False):
        interruption.check()
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = context.loss(model, images, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss.item()


def _batches(context: RunContext) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield training batches without end, in random order and augmented as in training."""
    generator = stream(context.seed, "range test")
    augmentation = None if context.settings.data.augmentation == "none" else generator
    while True:
        order = torch.randperm(len(context.training), generator=generator)
        for indices in order.split(context.settings.batch_size):
            yield context.training.batch(indices, augmentation)


def _nothing_found(settings: RangeTested, losses: Sequence[float]) -> str:
    return (
        f"schedule range_tested: its test of rates from {settings.test_minimum_rate:g} to "
        f"{settings.test_maximum_rate:g} finds no range: within {len(losses)} steps the training loss has not fallen "
        f"by {schedules.LEAST_FALL:.0%} from its start, {losses[0]:.4g}, before it diverged or the test ended: lower "
        "`test_minimum_rate` if it diverged, else raise `test_maximum_rate` or `test_epochs`"
    )
