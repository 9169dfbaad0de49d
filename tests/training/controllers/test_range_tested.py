"""Cycles between what a range test at the start of the run suggests."""

import dataclasses

import pytest
import torch

from replication import schedules
from replication.errors import RunError
from replication.schedules import RangeSuggestion
from replication.settings.schedule import RangeTested
from replication.system import interruption
from replication.system.interruption import RunInterruptedError
from replication.training.batches import load_splits
from replication.training.checkpoint import Checkpoints
from replication.training.controllers import RangeTestedRate, RunContext
from replication.training.controllers.range_tested import rates_to_test, try_rates
from replication.training.models import build_model
from replication.training.optimizers import build_optimizer
from replication.training.randomness import stream, stream_seed
from replication.training.session import train
from support import (
    CPU,
    column,
    numbers_of,
    run_settings,
    schedule_of,
    through_a_checkpoint,
    tiny_dataset,
    trained,
)

pytestmark = pytest.mark.slow

FOUND = RangeSuggestion(0.02, 0.08, rises=True)
RESNET = {"name": "resnet20", "width": 2}
SGD = {"name": "sgd", "learning_rate": 0.3, "momentum": 0.9, "weight_decay": 0.01}
ADAM = {"name": "adam", "learning_rate": 0.3, "epsilon": 1e-7}
KINDS = {
    "SGD": {"optimizer": SGD},
    "Adam": {"optimizer": ADAM},
    "batch norm": {"optimizer": SGD, "model": RESNET},
    "augmentation": {"optimizer": SGD, "data": {"augmentation": "crop_and_flip"}},
    "bfloat16": {"optimizer": SGD, "precision": "bfloat16"},
}


def settings_of(**changes):
    return run_settings(**{"schedule": schedule_of("range_tested"), "record_every_step": True, **changes})


def context_of(settings, seed=1):
    torch.manual_seed(stream_seed(seed, "initial weights"))
    model = build_model(settings.model, 1, 3).to(memory_format=torch.channels_last)
    training = load_splits(tiny_dataset(), settings.data, CPU)[0]

    def loss(network, images, labels):
        return torch.nn.functional.cross_entropy(network(images), labels)

    return RunContext(settings, seed, model, build_optimizer(settings.optimizer, model), training, loss)


def force(monkeypatch, suggestion):
    """Replace what the test suggests; the test itself is still done."""
    monkeypatch.setattr(schedules, "suggest_range", lambda *_: suggestion)


@pytest.mark.parametrize("changes", KINDS.values(), ids=KINDS)
def test_after_the_test_the_run_is_a_triangular_one(monkeypatch, changes):
    """The model is reset: weights, buffers, optimizer and all draws are those of a run without a test."""
    force(monkeypatch, FOUND)
    tested = trained(
        schedule=schedule_of("range_tested", half_cycle_epochs=0.7), record_every_step=True, **changes
    )
    optimizer = changes["optimizer"] | {"learning_rate": 0.08}
    triangular = {"name": "triangular", "half_cycle_epochs": 0.7, "minimum": 0.25}
    planned = trained(schedule=triangular, record_every_step=True, **changes | {"optimizer": optimizer})
    assert tested.costs["range_test_steps"] > 0
    assert tested.weights_digest == planned.weights_digest
    assert numbers_of(dataclasses.replace(tested, costs={})) == numbers_of(planned)


@pytest.mark.parametrize(
    ("policy", "extra"), [("triangular", {}), ("triangular2", {}), ("exp_range", {"gamma": 0.9})]
)
def test_every_policy_cycles_as_its_schedule_does(monkeypatch, policy, extra):
    force(monkeypatch, FOUND)
    result = trained(
        schedule=schedule_of("range_tested", policy=policy, half_cycle_epochs=0.5, **extra),
        record_every_step=True,
    )
    pure = schedule_of(policy, half_cycle_epochs=0.5, minimum=0.25, **extra)
    plan = schedules.build(run_settings(schedule=pure).schedule, 3, 3)
    assert [row["learning_rate"] for row in result.steps] == [0.08 * plan.learning_rate(s) for s in range(9)]


@pytest.mark.parametrize(
    ("growth", "expected"),
    [("linear", [0.01, 0.2575, 0.505, 0.7525]), ("exponential", [0.01, 0.1**1.5, 0.1, 0.1**0.5])],
)
def test_the_rates_of_the_test_rise(growth, expected):
    settings = RangeTested(
        **schedule_of(
            "range_tested", test_minimum_rate=0.01, test_maximum_rate=1.0, test_epochs=0.4, growth=growth
        )
    )
    assert rates_to_test(settings, steps_per_epoch=10) == pytest.approx(expected)


def test_losses_are_those_of_training_with_rising_rates():
    """Written out: draw batches, and train a model of the same initial weights, with torch's own momentum."""
    settings = settings_of(optimizer=SGD)
    context, other = context_of(settings), context_of(settings)
    rates = [0.01, 0.02, 0.03, 0.04, 0.05]
    generator = stream(1, "range test")
    orders = [torch.randperm(36, generator=generator) for _ in range(2)]
    batches = [indices for order in orders for indices in order.split(16)]
    optimizer = torch.optim.SGD(other.model.parameters(), lr=1, momentum=0.9, weight_decay=0.01)
    expected = []
    for rate, indices in zip(rates, batches, strict=False):
        optimizer.param_groups[0]["lr"] = rate
        loss = other.loss(other.model, *other.training.batch(indices))
        expected.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert list(try_rates(context, rates)) == pytest.approx(expected, rel=1e-4)


def test_the_suggestion_is_that_of_the_losses_and_is_told(monkeypatch):
    seen = []
    suggest = schedules.suggest_range

    def noted(rates, losses, reading):
        seen.append((rates, losses, suggest(rates, losses, reading)))
        return seen[-1][2]

    monkeypatch.setattr(schedules, "suggest_range", noted)
    result = trained(schedule=schedule_of("range_tested"))
    ((rates, losses, found),) = seen
    assert rates == pytest.approx([0.04, 0.06, 0.08])
    assert result.costs == {
        "range_test_steps": len(losses),
        "suggested_minimum_rate": found.minimum_rate,
        "suggested_maximum_rate": found.maximum_rate,
    }


def test_a_test_ends_where_it_diverges():
    schedule = schedule_of("range_tested", test_epochs=4, test_minimum_rate=0.05, test_maximum_rate=1e4)
    result = trained(schedule=schedule | {"growth": "exponential"})
    assert 2 <= result.costs["range_test_steps"] < 12


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_has_its_own_test_which_repeats(seed):
    context, again = context_of(settings_of(), seed), context_of(settings_of(), seed)
    losses = list(try_rates(context, [0.01] * 4))
    assert losses == list(try_rates(again, [0.01] * 4))
    assert losses != list(try_rates(context_of(settings_of(), 3), [0.01] * 4))


def test_a_test_that_finds_nothing_ends_the_run():
    """No other rates take their place."""
    schedule = schedule_of("range_tested", test_minimum_rate=100, test_maximum_rate=1e4)
    with pytest.raises(
        RunError, match=r"rates from 100 to 10000 finds no range: within 2 steps .*lower `test_min"
    ):
        trained(schedule=schedule)


def test_the_suggestion_survives_a_checkpoint():
    settings = settings_of()
    rate = RangeTestedRate(settings.schedule, context_of(settings))
    assert rate.state_dict() == {}
    rate.begin_epoch(1)
    context = context_of(settings)
    again = RangeTestedRate(settings.schedule, context)
    again.load_state_dict(through_a_checkpoint(rate.state_dict()))
    assert again.costs() == rate.costs()
    again.begin_epoch(2)
    again.before_step(4)
    assert context.optimizer.param_groups[0]["lr"] > 0


@pytest.mark.parametrize("number", range(1, 13))
def test_a_signal_at_any_check_changes_nothing(tmp_path, monkeypatch, number):
    """In the test, which then begins again, and after it, where it is not done a second time."""
    settings = settings_of(epochs=2, data={"augmentation": "crop_and_flip"})
    whole = train(settings, tiny_dataset(), 1, CPU)
    checks = []

    def check():
        checks.append(1)
        if len(checks) == number:
            raise RunInterruptedError("SIGTERM")

    monkeypatch.setattr(interruption, "check", check)
    identity = {"run_id": "a/b/seed-1"}
    with pytest.raises(RunInterruptedError):
        train(settings, tiny_dataset(), 1, CPU, None, Checkpoints(tmp_path, identity))
    assert len(checks) == number
    if number > 3:
        monkeypatch.setattr(schedules, "suggest_range", None)
    pieces = train(settings, tiny_dataset(), 1, CPU, None, Checkpoints(tmp_path, identity))
    assert numbers_of(pieces) == numbers_of(whole)
    assert column(pieces, "learning_rate") == column(whole, "learning_rate")
