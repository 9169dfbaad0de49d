"""A schedule that is learned on small models, and then applied frozen."""

import math
from itertools import pairwise

import pytest
import torch

from replication.errors import RunError
from replication.training.controllers import RunContext
from replication.training.controllers.reinforcement_learned import (
    EPISODES,
    OBSERVED,
    ReinforcementLearnedRate,
    observation,
)
from replication.training.optimizers import build_optimizer
from support import numbers_of, run_settings, schedule_of, trained

pytestmark = pytest.mark.slow


def learned(**changes):
    return trained(schedule=schedule_of("reinforcement_learned", **changes), epochs=6)


def test_the_first_epoch_is_that_of_a_constant_rate():
    """Learning touches neither the model nor what the run draws."""
    constant, ours = trained(epochs=6), learned()
    for name in ("train_loss", "validation_loss", "learning_rate"):
        assert ours.history[0][name] == constant.history[0][name]
    assert ours.history[1]["learning_rate"] != constant.history[1]["learning_rate"]


@pytest.mark.parametrize("largest", [1.01, 3.0])
def test_a_decision_after_each_epoch_is_within_the_largest_factor(largest):
    rates = [row["learning_rate"] for row in learned(largest_factor=largest).history]
    factors = [after / before for before, after in pairwise(rates)]
    assert all(1 / largest <= factor * (1 + 1e-9) and factor <= largest * (1 + 1e-9) for factor in factors)


def test_all_passes_are_counted():
    """16 images in batches of 16, 9 validation images, which are one batch, and 6 epochs of the run itself."""
    costs = learned(updates=2, epochs=3, images=16).costs
    trainings = 2 * EPISODES * 3
    assert costs == {
        "learning_forward_passes": 2 * trainings,
        "learning_backward_passes": trainings,
        "trial_forward_passes": 5,
    }


def rates_of(seed=1, **changes):
    result = trained(seed=seed, schedule=schedule_of("reinforcement_learned", **changes), epochs=4)
    return [row["learning_rate"] for row in result.history]


def test_another_seed_learns_another_policy():
    assert numbers_of(learned()) == numbers_of(learned())
    assert rates_of() == rates_of(seed=1) != rates_of(seed=2)


def test_each_update_changes_what_is_decided():
    assert rates_of(updates=2) != rates_of(updates=3)


def test_observations_are_what_they_are_said_to_be():
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2))
    logits, before = torch.tensor([[1.0, 3.0], [5.0, 7.0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    seen = observation({"train_loss": 0.5, "validation_loss": 2.0}, logits, before, model, -0.25)
    weights = model[1].weight.detach()
    assert seen.tolist() == pytest.approx(
        [
            math.log(0.5),
            math.log(2),
            math.log(float(logits.var())),
            math.log(float((logits - before).var())),
            float(weights.mean()),
            math.log(float(weights.var())),
            -0.25,
        ]
    )


@pytest.mark.parametrize("loss", [math.nan, math.inf, 0.0, 1e9])
def test_observations_are_finite_where_training_is_not(loss):
    model = torch.nn.Linear(2, 2)
    logits = torch.full((3, 2), math.nan if loss else 0.0)
    seen = observation({"train_loss": loss, "validation_loss": loss}, logits, None, model, 0.0)
    assert seen.shape == (OBSERVED,)
    assert torch.isfinite(seen).all()


def test_without_validation_images_it_says_so():
    settings = run_settings(schedule=schedule_of("reinforcement_learned"))
    model = torch.nn.Linear(1, 1)
    optimizer = build_optimizer(settings.optimizer, model)
    context = RunContext(settings, 1, model, optimizer, torch.zeros(4), None)
    with pytest.raises(RunError, match="reinforcement_learned: it needs validation images"):
        ReinforcementLearnedRate(settings.schedule, context).begin_epoch(1)
