"""Whole curves against torch's own schedulers, by stepping a real optimizer."""

import warnings

import pytest
import torch
from pydantic import TypeAdapter
from torch.optim import lr_scheduler as torch_schedulers

from replication.schedules import build
from replication.settings.schedule import ScheduleSettings

BASE_RATE = 0.5
EVERY_STEP = {"name": "every_step"}
EVERY_EPOCH = {"name": "every_epoch"}


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE_RATE, momentum=0.9)


def torch_curve(make, count):
    """Give learning rate over base rate, and momentum, of each of `count` calls of `step`."""
    stepped = optimizer()
    scheduler = make(stepped)
    rates, momenta = [], []
    for _ in range(count):
        group = stepped.param_groups[0]
        rates.append(group["lr"] / BASE_RATE)
        momenta.append(group["momentum"])
        stepped.step()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The epoch parameter", category=UserWarning)
            scheduler.step()
    return rates, momenta


def our_plan(name, steps_per_epoch, epochs, **fields):
    settings = TypeAdapter(ScheduleSettings).validate_python({"name": name, **fields})
    return build(settings, steps_per_epoch, epochs)


def our_rates(name, steps_per_epoch, epochs, count, **fields):
    schedule = our_plan(name, steps_per_epoch, epochs, **fields).learning_rate
    return [schedule(step) for step in range(count)]


WARM_THIRD = {"epochs": 5, "start": 1 / 3, "sampling": EVERY_EPOCH}

# name, settings, torch's scheduler, epochs compared out of a budget of 20
BY_EPOCH = {
    "StepLR": (
        "step", {"step_epochs": 6, "gamma": 0.3}, lambda o: torch_schedulers.StepLR(o, 6, gamma=0.3), 30,
    ),
    "MultiStepLR": (
        "multi_step", {"milestones": [3, 4, 11]}, lambda o: torch_schedulers.MultiStepLR(o, [3, 4, 11]), 30,
    ),
    "ExponentialLR": (
        "exponential", {"decay_rate": 0.9}, lambda o: torch_schedulers.ExponentialLR(o, 0.9), 30,
    ),
    "LinearLR": (
        "linear", {"final": 0.1}, lambda o: torch_schedulers.LinearLR(o, 1.0, 0.1, total_iters=20), 30,
    ),
    "LinearLR, defaults": (
        "constant", {"warm_up": {"name": "linear", **WARM_THIRD}}, torch_schedulers.LinearLR, 30,
    ),
    "ConstantLR, defaults": (
        "constant", {"warm_up": {"name": "constant", **WARM_THIRD}}, torch_schedulers.ConstantLR, 30,
    ),
    "PolynomialLR": (
        "polynomial", {"power": 2.5}, lambda o: torch_schedulers.PolynomialLR(o, 20, power=2.5), 30,
    ),
    "CosineAnnealingLR": (
        "cosine", {"final": 0.02},
        lambda o: torch_schedulers.CosineAnnealingLR(o, 20, 0.02 * BASE_RATE), 21,
    ),
    "CosineAnnealingWarmRestarts": (
        "sgdr", {"first_cycle_epochs": 3, "cycle_multiplier": 2, "final": 0.02},
        lambda o: torch_schedulers.CosineAnnealingWarmRestarts(o, 3, 2, 0.02 * BASE_RATE), 30,
    ),
    "CosineAnnealingWarmRestarts, equal cycles": (
        "sgdr", {"first_cycle_epochs": 4},
        lambda o: torch_schedulers.CosineAnnealingWarmRestarts(o, 4), 30,
    ),
    "SequentialLR": (
        "cosine", {"warm_up": {"name": "linear", **WARM_THIRD}},
        lambda o: torch_schedulers.SequentialLR(
            o, [torch_schedulers.LinearLR(o), torch_schedulers.CosineAnnealingLR(o, 15)], milestones=[5]
        ), 21,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "fields", "make", "epochs"), BY_EPOCH.values(), ids=BY_EPOCH)
def test_schedules_stepped_by_epoch(name, fields, make, epochs):
    steps_per_epoch = 3
    by_epoch, _ = torch_curve(make, epochs)
    expected = [rate for rate in by_epoch for _ in range(steps_per_epoch)]
    ours = our_rates(name, steps_per_epoch, 20, steps_per_epoch * epochs, **fields)
    assert ours == pytest.approx(expected, abs=1e-12)


def test_a_warm_up_by_step():
    """The same join, with both parts read at every step."""
    steps_per_epoch, steps = 4, 80

    def make(stepped):
        rise = torch_schedulers.LinearLR(stepped, 0.1, total_iters=8)
        fall = torch_schedulers.LinearLR(stepped, 1.0, 0.0, total_iters=72)
        return torch_schedulers.SequentialLR(stepped, [rise, fall], milestones=[8])

    settings = {"warm_up": {"name": "linear", "epochs": 2, "start": 0.1}, "sampling": EVERY_STEP}
    expected, _ = torch_curve(make, steps + 5)
    assert our_rates("linear", steps_per_epoch, 20, steps + 5, **settings) == pytest.approx(
        expected, abs=1e-12
    )


@pytest.mark.parametrize("multiplier", [1, 2, 3])
def test_warm_restarts_by_fractions_of_an_epoch(multiplier):
    """As torch documents for a step after every batch: `scheduler.step(epoch + i / steps_per_epoch)`."""
    steps_per_epoch, count = 7, 7 * 30
    stepped = optimizer()
    scheduler = torch_schedulers.CosineAnnealingWarmRestarts(stepped, 2, multiplier)
    expected = []
    for step in range(count):
        scheduler.step(step // steps_per_epoch + step % steps_per_epoch / steps_per_epoch)
        expected.append(stepped.param_groups[0]["lr"] / BASE_RATE)
    fields = {"first_cycle_epochs": 2, "cycle_multiplier": multiplier, "sampling": EVERY_STEP}
    assert our_rates("sgdr", steps_per_epoch, 30, count, **fields) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("mode", ["triangular", "triangular2", "exp_range"])
@pytest.mark.parametrize(("steps_per_epoch", "half_cycle_epochs"), [(10, 2.0), (7, 1.0), (4, 2.5)])
def test_cyclical_schedules(mode, steps_per_epoch, half_cycle_epochs):
    half_cycle, count = round(steps_per_epoch * half_cycle_epochs), steps_per_epoch * 25
    gamma = {"gamma": 0.997} if mode == "exp_range" else {}

    def make(stepped):
        low, high = 0.2 * BASE_RATE, BASE_RATE
        return torch_schedulers.CyclicLR(
            stepped, low, high, half_cycle, mode=mode, cycle_momentum=False, **gamma
        )

    expected, _ = torch_curve(make, count)
    fields = {"half_cycle_epochs": half_cycle_epochs, "minimum": 0.2, **gamma}
    assert our_rates(mode, steps_per_epoch, 20, count, **fields) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("annealing", ["cosine", "linear"])
@pytest.mark.parametrize("three_phases", [False, True])
@pytest.mark.parametrize(("warm_fraction", "epochs"), [(0.3, 20), (0.45, 20), (0.25, 3), (0.5, 5)])
def test_one_cycle(annealing, three_phases, warm_fraction, epochs):
    steps_per_epoch = 9
    steps = epochs * steps_per_epoch

    def make(stepped):
        return torch_schedulers.OneCycleLR(
            stepped, BASE_RATE, total_steps=steps, pct_start=warm_fraction, three_phase=three_phases,
            anneal_strategy=annealing.removesuffix("ine"), div_factor=10.0, final_div_factor=50.0,
            base_momentum=0.8, max_momentum=0.9,
        )  # fmt: skip

    rates, momenta = torch_curve(make, steps)
    plan = our_plan(
        "one_cycle", steps_per_epoch, epochs, warm_fraction=warm_fraction, three_phases=three_phases,
        annealing=annealing, initial_divisor=10.0, final_divisor=50.0,
        minimum_momentum=0.8, maximum_momentum=0.9,
    )  # fmt: skip
    assert [plan.learning_rate(step) for step in range(steps)] == pytest.approx(rates, abs=1e-12)
    assert [plan.momentum(step) for step in range(steps)] == pytest.approx(momenta, abs=1e-12)


def test_one_cycle_with_torchs_defaults():
    rates, momenta = torch_curve(lambda o: torch_schedulers.OneCycleLR(o, BASE_RATE, total_steps=100), 100)
    plan = our_plan("one_cycle", steps_per_epoch=10, epochs=10)
    assert [plan.learning_rate(step) for step in range(100)] == pytest.approx(rates, abs=1e-12)
    assert [plan.momentum(step) for step in range(100)] == pytest.approx(momenta, abs=1e-12)
