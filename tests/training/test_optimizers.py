"""The optimizers see weights in the order of memory: the same bits as torch's own, and nothing to copy."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from replication.training.optimizers import OPTIMIZERS, build_optimizer
from support import run_settings

SETTINGS: dict[str, dict[str, Any]] = {
    "sgd": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "weight_decay": 5e-4},
    "nesterov": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9, "nesterov": True},
    "adam": {"name": "adam", "learning_rate": 1e-3, "epsilon": 1e-7},
    "schedule-free": {"name": "schedule_free_sgd", "learning_rate": 0.5, "momentum": 0.9},
}


def model() -> nn.Module:
    torch.manual_seed(1)
    layers = nn.Sequential(
        nn.Conv2d(3, 16, 3),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 8, 1),
        nn.Flatten(),
        nn.LazyLinear(10),
    )
    layers(torch.zeros(2, 3, 8, 8))
    return layers.to(memory_format=torch.channels_last)


def after_steps(optimizer: torch.optim.Optimizer, network: nn.Module) -> list[torch.Tensor]:
    """Return the weights after three steps."""
    torch.manual_seed(2)
    if hasattr(optimizer, "train"):
        optimizer.train()
    for _ in range(3):
        images = torch.randn(4, 3, 8, 8).to(memory_format=torch.channels_last)
        optimizer.zero_grad()
        functional.cross_entropy(network(images), torch.arange(4)).backward()
        optimizer.step()
    return [weights.detach().clone() for weights in network.parameters()]


@pytest.mark.parametrize("name", SETTINGS)
def test_steps_are_those_of_the_models_own_parameters(name: str) -> None:
    settings = run_settings(optimizer=SETTINGS[name]).optimizer
    ours, plain = model(), model()
    found = after_steps(build_optimizer(settings, ours), ours)
    expected = after_steps(OPTIMIZERS[settings.name](settings, [*plain.parameters()]), plain)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert not torch.equal(found[0], next(model().parameters()))


@pytest.mark.parametrize("name", SETTINGS)
def test_there_is_nothing_to_copy(name: str) -> None:
    """What is not contiguous, torch's fused kernels copy at each step."""
    network = model()
    optimizer = build_optimizer(run_settings(optimizer=SETTINGS[name]).optimizer, network)
    after_steps(optimizer, network)
    weights = optimizer.param_groups[0]["params"]
    assert not all(each.is_contiguous() for each in network.parameters())
    assert len(weights) == len([*network.parameters()])
    for each, of_model in zip(weights, network.parameters(), strict=True):
        assert each.data_ptr() == of_model.data_ptr()
        state = [value for value in optimizer.state[each].values() if torch.is_tensor(value) and value.dim()]
        assert state
        assert all(tensor.is_contiguous() for tensor in (each, each.grad, *state))
