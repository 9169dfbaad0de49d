"""The Newton-based rate, against the authors' rule on paper and on a quadratic."""

import numpy as np
import pytest
import torch

from replication.training.controllers import RunContext
from replication.training.controllers.newton import NewtonRate
from support import run_settings, schedule_of, through_a_checkpoint, tiny_dataset, trained

CURVATURES = torch.tensor([1.0, 4.0])


class Descent:
    """Gradient descent on a quadratic, whose rate the controller changes; 9 steps are an epoch."""

    def __init__(self, rate=0.01, start=(1.0, 1.0), **fields):
        self.weights = torch.nn.Parameter(torch.tensor(start))
        self.optimizer = torch.optim.SGD([self.weights], lr=rate)
        settings = run_settings(schedule={"name": "newton", **fields}, batch_size=4)
        self.context = RunContext(settings, 1, None, self.optimizer, range(36), None)
        self.controller = NewtonRate(settings.schedule, self.context)
        self.steps = 0

    def step(self):
        """Take a step, and return the rate that it has taken."""
        self.controller.before_step(self.steps)
        self.weights.grad = CURVATURES * self.weights.detach()
        self.optimizer.step()
        self.steps += 1
        return self.optimizer.param_groups[0]["lr"]

    def go_on_in_another_process(self):
        state = through_a_checkpoint(self.controller.state_dict())
        self.controller = NewtonRate(self.context.settings.schedule, self.context)
        self.controller.load_state_dict(state)


def authors_rates(count, rate, start, damping, interval):
    """Return the rates of gradient descent by the authors' rule, in double precision."""
    weights, curvatures = np.array(start), CURVATURES.numpy().astype(float)
    kept, before, counter, rates = None, np.zeros(2), 0, []
    for _ in range(count):
        rates.append(rate)
        weights = weights - rate * curvatures * weights
        if counter == interval:
            counter = 0
            moved = (kept - weights) / rate if kept is not None else np.zeros(2)
            inner, length = before @ moved, before @ before
            rate *= 1 + damping * inner / (length - inner + 1e-10)
            kept, before = weights.copy(), moved
        counter += 1
    return rates


@pytest.mark.parametrize(("share", "interval"), [(1 / 3, 3), (0.05, 1), (1.0, 9), (0.5, 4)])
@pytest.mark.parametrize("damping", [0.2, 1.0])
def test_the_rate_is_that_of_the_authors_rule(share, interval, damping):
    descent = Descent(damping=damping, interval_epochs=share)
    count = 5 * interval + 2
    expected = authors_rates(count, 0.01, (1.0, 1.0), damping, interval)
    assert [descent.step() for _ in range(count)] == pytest.approx(expected, rel=1e-3)
    assert expected[-1] > 2 * expected[0]


def test_in_one_dimension_a_whole_newton_step_finds_the_best_rate_at_once():
    descent = Descent(rate=0.05, start=(0.0, 1.0), damping=1.0, interval_epochs=0.05)
    rates = [descent.step() for _ in range(5)]
    assert rates[:4] == [0.05] * 4  # before, nothing tells how the weights move
    assert rates[4] == pytest.approx(1 / 4, rel=1e-4)


@pytest.mark.parametrize(
    ("agreement", "length", "factor"),
    [(1.0, 2.0, 1.2), (-1.0, 1.0, 0.9), (2.0, 1.9, 1.0), (1.0, 1.0, 100.0), (float("nan"), 1.0, 1.0)],
)
def test_a_change_is_positive_and_bounded(agreement, length, factor):
    descent = Descent(rate=0.5)
    descent.controller._change(agreement, length)
    assert descent.optimizer.param_groups[0]["lr"] == pytest.approx(0.5 * factor)


def test_it_goes_on_from_a_state_bit_for_bit():
    whole, pieces = Descent(interval_epochs=0.2), Descent(interval_epochs=0.2)
    for _ in range(30):
        assert pieces.step() == whole.step()
        pieces.go_on_in_another_process()


@pytest.mark.slow
def test_a_run_changes_its_rate_and_counts_its_copies():
    result = trained(tiny_dataset(), schedule=schedule_of("newton"), record_every_step=True)
    rates = [row["learning_rate"] for row in result.steps]
    assert rates[0] == 0.05
    assert len(set(rates)) > 2
    assert all(rate > 0 for rate in rates)
    assert result.costs == {"parameter_copies": 2}
