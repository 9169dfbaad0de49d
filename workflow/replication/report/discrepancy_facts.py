"""The numbers on the page of known discrepancies, each computed from the formula or the library that it is about."""

import inspect
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_sample_images
from torch import nn
from torch.optim import lr_scheduler

from replication.data.statistics import channel_statistics
from replication.schedules.budget import Budget
from replication.schedules.cycles import CYCLES
from replication.schedules.cyclical import exp_range, sgdr, triangular
from replication.schedules.decay import exponential_decay, inverse_power, step_decay
from replication.schedules.one_cycle import Phases, one_cycle_rate
from replication.schedules.positions import Cycles
from replication.schedules.profiles import cosine, geometric, linear, rex
from replication.settings.schedule import ReduceOnPlateau, Triangular
from replication.system.decimals import written
from replication.system.files import json_text
from replication.training.controllers.plateau import Plateau

PATCH = 32  # pixels, the side of a CIFAR image
MOMENTUM = 0.9


def torch_multipliers(
    scheduler: Callable[[torch.optim.Optimizer], lr_scheduler.LRScheduler], steps: int
) -> list[float]:
    """Return the learning rate before each of `steps` steps under a scheduler of torch, starting from 1."""
    optimizer = _optimizer()
    stepped = scheduler(optimizer)
    multipliers = []
    for _ in range(steps):
        multipliers.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        stepped.step()
    return multipliers


def torch_default(function: Callable[..., object], argument: str) -> Any:
    """Return the default of an argument in the installed version of torch."""
    return inspect.signature(function).parameters[argument].default


def epochs_before_plateau_drop(patience: int) -> int:
    """Return how many epochs without improvement torch's ReduceLROnPlateau sees before the rate is lower."""
    optimizer = _optimizer()
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=patience)
    scheduler.step(1.0)
    waited = 0
    while optimizer.param_groups[0]["lr"] == 1.0:
        scheduler.step(1.0)
        waited += 1
    return waited


def epochs_before_our_drop(patience: int) -> int:
    """Return the same of our own rule."""
    plateau = Plateau(ReduceOnPlateau(name="reduce_on_plateau", patience=patience))
    plateau.is_reached(1.0)
    return next(waited for waited in itertools.count(1) if plateau.is_reached(1.0))


def momentum_after_drop(drop: float) -> tuple[float, float]:
    """Return the first update after the rate, 1 until then, falls to `drop`, for a gradient that is always 1.

    The first value is for ``v = m v + g, w -= rate v`` (torch), the second for ``v = m v + rate g, w -= v``
    (Sutskever et al. 2013, Keras); m is 0.9, and v has come to its limit.
    """
    velocity = 1.0 / (1.0 - MOMENTUM)
    return drop * (MOMENTUM * velocity + 1.0), MOMENTUM * velocity + drop


def deviations_by_pixel_and_by_image() -> tuple[float, float]:
    """Return the standard deviation over all pixels, and the mean of that within each image, of the same images.

    The images are the patches of 32 x 32 pixels of scikit-learn's two photographs, first channel.
    """
    patches = np.concatenate([_patches(photograph) for photograph in load_sample_images().images])
    _, over_pixels = channel_statistics(patches)
    within = [channel_statistics(patch[None])[1][0] for patch in patches]
    return over_pixels[0], math.fsum(within) / len(within)


def _patches(photograph: np.ndarray) -> np.ndarray:
    rows, columns = (length // PATCH for length in photograph.shape[:2])
    whole = photograph[: rows * PATCH, : columns * PATCH]
    return whole.reshape(rows, PATCH, columns, PATCH, 3).swapaxes(1, 2).reshape(-1, PATCH, PATCH, 3)


def _optimizer() -> torch.optim.Optimizer:
    return torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)


def _one_cycle(annealing: Callable[[float, float], Callable[[float], float]], three_phases: bool) -> float:
    """Return the multiplier at three quarters of 1,000 steps, with torch's other defaults."""
    warm_fraction, *divisors = (
        float(torch_default(lr_scheduler.OneCycleLR, key))
        for key in ("pct_start", "div_factor", "final_div_factor")
    )
    return one_cycle_rate(Phases(Budget(1000, 1000), warm_fraction, three_phases, annealing), *divisors)(0.75)


def _cycle_epochs(stepsize: float) -> float:
    settings = Triangular(name="triangular", half_cycle_epochs=stepsize, minimum=0.0)
    return float(CYCLES["triangular"](settings).first)


def _cycles(first: float, multiplier: int, count: int) -> list[float]:
    lengths: list[float] = []
    for _ in range(count):
        lengths.append(float(Cycles(written(first), multiplier).at(sum(lengths))[1]))
    return lengths


def number(value: float) -> str:
    """Write a number with three significant digits."""
    return f"{value:.3g}"


def numbers(values: Sequence[float]) -> str:
    """Write numbers one after the other, with three significant digits."""
    return ", ".join(number(value) for value in values)


FACTS: dict[str, Callable[[], str]] = {
    "rex_half": lambda: number(rex()(0.5)),
    "rex_half_low": lambda: number(rex(0.1)(0.5)),
    "rex_half_high": lambda: number(rex(0.9)(0.5)),
    "linear_half": lambda: number(linear(1.0, 0.0)(0.5)),
    "linear_torch": lambda: numbers(torch_multipliers(lr_scheduler.LinearLR, 7)),
    "constant_torch": lambda: numbers(torch_multipliers(lr_scheduler.ConstantLR, 7)),
    "cosine_torch_past": lambda: number(
        torch_multipliers(lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 10), 16)[15]
    ),
    "cosine_past": lambda: number(cosine(1.0, 0.0)(1.5)),
    "one_cycle_cosine": lambda: number(_one_cycle(cosine, False)),
    "one_cycle_linear": lambda: number(_one_cycle(linear, True)),
    "torch_one_cycle_three_phases": lambda: str(torch_default(lr_scheduler.OneCycleLR, "three_phase")),
    "torch_one_cycle_annealing": lambda: str(torch_default(lr_scheduler.OneCycleLR, "anneal_strategy")),
    "torch_cyclic_momentum": lambda: str(torch_default(lr_scheduler.CyclicLR, "cycle_momentum")),
    "torch_cyclic_momentum_range": lambda: " to ".join(
        str(torch_default(lr_scheduler.CyclicLR, key)) for key in ("base_momentum", "max_momentum")
    ),
    "plateau_torch": lambda: str(epochs_before_plateau_drop(2)),
    "plateau_ours": lambda: str(epochs_before_our_drop(2)),
    "torch_plateau_eps": lambda: f"{torch_default(lr_scheduler.ReduceLROnPlateau, 'eps'):g}",
    "torch_plateau_patience": lambda: str(torch_default(lr_scheduler.ReduceLROnPlateau, "patience")),
    "momentum_torch": lambda: number(momentum_after_drop(0.1)[0]),
    "momentum_inside": lambda: number(momentum_after_drop(0.1)[1]),
    "adam_epsilon_torch": lambda: f"{torch_default(torch.optim.Adam, 'eps'):g}",
    "deviation_pixels": lambda: number(deviations_by_pixel_and_by_image()[0]),
    "deviation_images": lambda: number(deviations_by_pixel_and_by_image()[1]),
    "cycles_10_2": lambda: numbers(_cycles(10, 2, 3)),
    "cycles_10_2_total": lambda: number(sum(_cycles(10, 2, 3))),
    "cycle_of_stepsize_2": lambda: number(_cycle_epochs(2.0)),
    "cycle_of_stepsize_10": lambda: number(_cycle_epochs(10.0)),
    "triangular_end": lambda: number(triangular(5.0, 0.0)(10.0)),
    "restart_end": lambda: number(sgdr(10.0, 1, 0.0)(10.0)),
    "restart_last_step": lambda: number(sgdr(10.0, 1, 0.0)(10.0 - 1 / 100)),
    "exp_range_100": lambda: number(exp_range(0.5, 0.0, 0.999, 100)(0.5)),
    "exp_range_1000": lambda: number(exp_range(0.5, 0.0, 0.999, 1000)(0.5)),
    "step_halving_3": lambda: numbers([step_decay(5.0, 0.5)(epoch) for epoch in range(3)]),
    "step_30": lambda: number(0.01 * step_decay(30.0, 0.1)(30.0)),
    "step_30_by": lambda: number(0.01 - 0.1),
    "exponential_epochs": lambda: number(exponential_decay(0.9, 1.0, False)(70.0)),
    "exponential_slow": lambda: number(exponential_decay(0.99, 1.0, False)(70.0)),
    "geometric_half": lambda: number(geometric(1.0, 0.01)(0.5)),
    "inverse_root_3": lambda: number(inverse_power(1.0, 0.5)(3.0)),
}  # fmt: skip


def facts_text() -> str:
    """Return the content of `parts.FACTS`: every number by its name, as JSON."""
    return json_text({name: compute() for name, compute in FACTS.items()})
