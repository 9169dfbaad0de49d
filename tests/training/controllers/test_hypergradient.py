"""Hypergradient descent: by hand, and against the derivative that it stands for."""

import math

import pytest
import torch

from replication.training.controllers import RunContext
from replication.training.controllers.hypergradient import HypergradientRate
from replication.training.optimizers import build_optimizer
from support import column, run_settings, schedule_of, through_a_checkpoint, trained

OPTIMIZERS = {
    "SGD": {"name": "sgd"},
    "weight decay": {"name": "sgd", "weight_decay": 0.3},
    "momentum": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.1},
    "Nesterov": {"name": "sgd", "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    "Adam": {"name": "adam", "epsilon": 0.01, "beta1": 0.8, "beta2": 0.95, "weight_decay": 0.1},
}
SLOPES = [3.0, 1.0, 0.3, 0.05]


class Descent:
    """Minimises 1/2 sum(slopes * weights ** 2) with the controller, in two parameters."""

    def __init__(self, optimizer, rate=0.1, slopes=SLOPES, start=1.0, **fields):
        self.settings = run_settings(
            optimizer={**optimizer, "learning_rate": rate},
            schedule={"name": "hypergradient", "hypergradient_rate": 0.01, **fields},
        )
        self.slopes = torch.tensor(slopes, dtype=torch.float64).chunk(2)
        self.model = torch.nn.ParameterList(
            torch.nn.Parameter(torch.full_like(part, start)) for part in self.slopes
        )
        self.optimizer = build_optimizer(self.settings.optimizer, self.model)
        context = RunContext(self.settings, 1, self.model, self.optimizer, None, None)
        self.controller = HypergradientRate(self.settings.schedule, context)
        self.step_number = 0

    @property
    def rate(self):
        return self.optimizer.param_groups[0]["lr"]

    @property
    def weights(self):
        return torch.cat([part.detach().clone() for part in self.model])

    def gradient(self):
        """Return the gradient of the loss and of the weight decay at the weights."""
        decay = self.settings.optimizer.weight_decay
        return torch.cat(list(self.slopes)) * self.weights + decay * self.weights

    def step(self):
        self.controller.before_step(self.step_number)
        loss = sum((a * w**2).sum() / 2 for a, w in zip(self.slopes, self.model, strict=True))
        self.optimizer.zero_grad()
        loss.backward()
        self.controller.after_backward(self.step_number)
        self.optimizer.step()
        self.step_number += 1
        return self.rate


def test_three_steps_of_gradient_descent_by_hand():
    """The loss w ** 2 / 2 has the gradient w; the rate starts at 0.5, and descends at 0.1."""
    descent = Descent({"name": "sgd"}, rate=0.5, slopes=[1.0], hypergradient_rate=0.1)
    assert descent.step() == 0.5
    assert descent.weights.item() == 0.5  # 1 - 0.5 * 1
    assert descent.step() == pytest.approx(0.55)  # 0.5 + 0.1 * 0.5 * 1
    assert descent.weights.item() == pytest.approx(0.225)  # 0.5 - 0.55 * 0.5
    assert descent.step() == pytest.approx(0.56125)  # 0.55 + 0.1 * 0.225 * 0.5
    assert descent.weights.item() == pytest.approx(0.09871875)  # 0.225 - 0.56125 * 0.225


def test_the_multiplicative_rule_by_hand():
    """In one dimension gradients are parallel: every step that does not overshoot gives a factor of 1 + beta."""
    descent = Descent({"name": "sgd"}, rate=0.5, slopes=[1.0], hypergradient_rate=0.1, multiplicative=True)
    assert [descent.step() for _ in range(3)] == pytest.approx([0.5, 0.55, 0.605])
    over = Descent({"name": "sgd"}, rate=1.5, slopes=[1.0], hypergradient_rate=0.1, multiplicative=True)
    assert [over.step() for _ in range(2)] == pytest.approx([1.5, 1.35])


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("multiplicative", [False, True])
def test_the_rate_descends_the_derivative_of_the_loss_with_respect_to_the_last_rate(
    optimizer, multiplicative
):
    """The direction of a step is its length over its rate: what the weights have moved says which it was."""
    descent = Descent(optimizer, rate=0.02, hypergradient_rate=0.001, multiplicative=multiplicative)
    before = descent.weights
    descent.step()
    for _ in range(12):
        direction = (before - descent.weights) / descent.rate
        gradient, old = descent.gradient(), descent.rate
        expected = 0.001 * float(gradient @ direction)
        if multiplicative:
            expected *= old / float(gradient.norm() * direction.norm())
        before = descent.weights
        assert descent.step() == pytest.approx(old + expected, rel=1e-9)
        assert descent.rate != old


@pytest.mark.parametrize("minimum", [0.0, 0.05])
def test_the_rate_stays_above_its_minimum(minimum):
    # It overshoots at every step, so that gradients point to and fro.
    descent = Descent(
        {"name": "sgd"}, rate=1.9, slopes=[1.0], hypergradient_rate=50.0, minimum_rate=minimum, start=1.0
    )
    descent.step()
    assert descent.step() == minimum
    assert math.isfinite(descent.step())


def test_a_hypergradient_that_is_not_finite_leaves_the_rate():
    descent = Descent({"name": "sgd"}, rate=1e200, slopes=[1e150])
    assert [descent.step() for _ in range(3)] == [1e200] * 3
    for multiplicative in (True, False):
        still = Descent({"name": "sgd"}, start=0.0, multiplicative=multiplicative)
        assert [still.step() for _ in range(3)] == [0.1] * 3


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_one_that_goes_on_from_a_state_is_the_same(optimizer):
    whole = Descent(optimizer)
    expected = [whole.step() for _ in range(6)]
    piece, rates = Descent(optimizer), []
    for number in range(6):
        rates.append(piece.step())
        later = Descent(optimizer)
        later.step_number = number + 1
        later.model.load_state_dict(piece.model.state_dict())
        later.optimizer.load_state_dict(through_a_checkpoint(piece.optimizer.state_dict()))
        later.controller.load_state_dict(through_a_checkpoint(piece.controller.state_dict()))
        piece = later
    assert rates == expected
    assert torch.equal(piece.weights, whole.weights)


@pytest.mark.parametrize("optimizer", [{"name": "sgd", "learning_rate": 0.05}, {"momentum": 0.9}])
def test_the_recorded_rate_is_that_of_the_step(monkeypatch, optimizer):
    used, step = [], torch.optim.SGD.step

    def recorded(self, *arguments):
        used.append(self.param_groups[0]["lr"])
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.SGD, "step", recorded)
    result = trained(schedule=schedule_of("hypergradient"), optimizer=optimizer, record_every_step=True)
    assert [row["learning_rate"] for row in result.steps] == used
    assert column(result, "learning_rate") == used[2::3]
    assert used[0] == 0.05
    assert len(set(used)) == 9
    assert result.costs == {}
