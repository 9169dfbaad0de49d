"""Prechelt's criteria against his formulas, computed of whole curves."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some
from pydantic import ValidationError

from replication.settings.run import StoppingSettings
from replication.training.early_stopping import STOPPING_RULES, build_stopper
from support import column, names_of, run_settings, through_a_checkpoint, tiny_dataset, trained

CURVES = some.lists(some.tuples(some.floats(0.1, 10), some.floats(0.1, 10)), min_size=1, max_size=40)


def rule(**criterion):
    return build_stopper(run_settings(early_stopping=criterion), 10)


def last_epoch(curve, **criterion):
    """Return the epoch after which a run ends, each epoch in a process of its own; None if it does not."""
    state = None
    for epoch, (train, validation) in enumerate(curve, start=1):
        stopper = rule(**criterion)
        if state is not None:
            stopper.load_state_dict(through_a_checkpoint(state))
        if stopper.should_stop({"train_loss": train, "validation_loss": validation}):
            return epoch
        state = stopper.state_dict()
    return None


def first(epochs):
    return next(iter(epochs), None)


def generalisation_losses(curve):
    validation = np.array([each for _, each in curve])
    return 100 * (validation / np.minimum.accumulate(validation) - 1)


@pytest.mark.parametrize("percent", [1, 2, 5, 7, 10, 29, 57])
def test_a_loss_that_is_above_the_lowest_by_the_threshold_is_not_above_it_by_more(percent):
    """As written: 1.07 is 7 percent above 1, though floats give a little more."""
    curve = [(1.0, 1.0), (1.0, float(f"1.{percent:02}")), (1.0, 2.0)]
    assert last_epoch(curve, name="generalisation_loss", threshold=float(percent)) == 3


@given(curve=CURVES, threshold=some.sampled_from([1.0, 5.0, 50.0]))
def test_generalisation_loss(curve, threshold):
    losses = generalisation_losses(curve)
    assume_clear(losses, threshold)
    expected = first(epoch for epoch, loss in enumerate(losses, start=1) if loss > threshold)
    assert last_epoch(curve, name="generalisation_loss", threshold=threshold) == expected


@given(curve=CURVES, threshold=some.sampled_from([0.01, 0.5, 3.0]), length=some.integers(2, 5))
def test_progress_quotient(curve, threshold, length):
    losses, quotients = generalisation_losses(curve), {}
    for end in range(length, len(curve) + 1, length):
        strip = [train for train, _ in curve[end - length : end]]
        progress = 1000 * (sum(strip) / (length * min(strip)) - 1)
        loss = losses[end - 1]
        quotients[end] = loss / progress if progress > 1e-9 else math.inf if loss > 0 else 0.0
    assume_clear(list(quotients.values()), threshold)
    expected = first(end for end, quotient in quotients.items() if quotient > threshold)
    found = last_epoch(curve, name="progress_quotient", threshold=threshold, strip_epochs=length)
    assert found == expected


@given(curve=CURVES, strips=some.integers(1, 4), length=some.integers(1, 5))
def test_rising_strips(curve, strips, length):
    ends = range(length, len(curve) + 1, length)
    validation = {end: curve[end - 1][1] for end in ends}
    expected = first(
        end
        for end in ends
        if end > strips * length
        and all(
            validation[end - back * length] > validation[end - (back + 1) * length] for back in range(strips)
        )
    )
    assert last_epoch(curve, name="rising_strips", strips=strips, strip_epochs=length) == expected


def assume_clear(values, threshold):
    """Leave out curves in which the last bit of a quotient decides."""
    assume(all(abs(value - threshold) > 1e-9 * threshold for value in values))


def test_without_any_progress_any_loss_is_too_much():
    flat = [(1.0, 1.0)] * 4
    criterion = {"name": "progress_quotient", "threshold": 3.0, "strip_epochs": 5}
    assert last_epoch([*flat, (1.0, 1.0)], **criterion) is None
    assert last_epoch([*flat, (1.0, 1.01)], **criterion) == 5


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ({"name": "generalisation_loss", "threshold": 0}, "greater than 0"),
        ({"name": "generalisation_loss"}, "Field required"),
        ({"name": "generalisation_loss", "threshold": 1, "patience": 3}, "Extra inputs"),
        ({"name": "progress_quotient", "threshold": 1, "strip_epochs": 1}, "greater than or equal to 2"),
        ({"name": "rising_strips", "strips": 0}, "greater than or equal to 1"),
        ({"name": "rising_strips", "strips": 2, "monitor": "validation_accuracy"}, "'validation_loss'"),
        ({"name": "gl", "threshold": 1}, "does not match any of the expected tags"),
    ],
)
def test_impossible_settings_are_refused(criterion, message):
    with pytest.raises(ValidationError, match=message):
        run_settings(early_stopping=criterion)


def test_every_criterion_has_its_rule():
    assert names_of(StoppingSettings) == set(STOPPING_RULES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "criterion",
    [
        {"name": "generalisation_loss", "threshold": 1.0},
        {"name": "progress_quotient", "threshold": 0.01, "strip_epochs": 2},
        {"name": "rising_strips", "strips": 1, "strip_epochs": 2},
    ],
    ids=lambda criterion: criterion["name"],
)
def test_a_run_is_the_beginning_of_the_one_that_does_not_stop(criterion):
    fields = {"epochs": 14, "optimizer": {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}}
    dataset = tiny_dataset(wrong_labels=0.5)
    whole, stopped = trained(dataset, **fields), trained(dataset, **fields, early_stopping=criterion)
    epochs = len(stopped.history)
    assert stopped.outcome == "stopped early"
    assert column(stopped, "validation_loss") == column(whole, "validation_loss")[:epochs]
    curve = list(zip(column(whole, "train_loss"), column(whole, "validation_loss"), strict=True))
    assert last_epoch(curve, **criterion) == epochs < 14
