"""The fractal schedule on what it is made for: a quadratic."""

import numpy as np
import pytest

from replication.schedules.fractal import chebyshev_nodes, fractal, fractal_order

CONDITION, NODES = 100.0, 32
CURVATURES = np.geomspace(1.0, CONDITION, 200)


def errors(rates):
    """Return the largest factor by which gradient descent has changed any error, after each step."""
    return np.abs(np.cumprod(1 - np.outer(rates, CURVATURES), axis=0)).max(axis=1)


def rates_of(order):
    return 1 / np.array([chebyshev_nodes(NODES, CONDITION)[place - 1] for place in order])


def test_the_error_is_that_of_chebyshev_iteration_and_far_below_that_of_the_best_constant_rate():
    curve = fractal(NODES, CONDITION, steps_per_node=1, steps_per_epoch=NODES)
    highest = 1 / chebyshev_nodes(NODES, CONDITION)[0]
    ours = errors([highest * curve(step / NODES) for step in range(NODES)])[-1]
    rho = (np.sqrt(CONDITION) - 1) / (np.sqrt(CONDITION) + 1)
    assert ours == pytest.approx(2 * rho**NODES / (1 + rho ** (2 * NODES)), rel=0.01)
    constant = errors([2 / (CONDITION + 1)] * NODES)[-1]
    assert (ours, constant) == pytest.approx((0.00325, 0.527), rel=0.01)


def test_in_fractal_order_the_iterates_stay_near_and_sorted_they_explode():
    fractal_errors, rising, falling = (
        errors(rates_of(order)) for order in (fractal_order(NODES), range(NODES, 0, -1), range(1, NODES + 1))
    )
    assert rising[-1] == pytest.approx(fractal_errors[-1], rel=1e-3)
    assert fractal_errors.max() < 200
    assert falling.max() > 1e12


@pytest.mark.parametrize("power", range(11))
def test_the_order_holds_each_node_once_and_pairs_add_up(power):
    order = fractal_order(2**power)
    assert sorted(order) == list(range(1, 2**power + 1))
    assert {one + other for one, other in zip(order[::2], order[1::2], strict=False)} <= {2**power + 1}


def test_each_node_lasts_its_steps_and_then_it_begins_anew():
    curve = fractal(4, 10.0, steps_per_node=3, steps_per_epoch=5)
    steps = [curve(step / 5) for step in range(24)]
    assert [steps[step : step + 3] for step in range(0, 24, 3)] == [[value] * 3 for value in steps[::3]]
    assert steps[:12] == steps[12:]
    assert max(steps) == steps[0] == 1
