"""The code to paste, executed: the same rates as ours at every step."""

import math
import warnings
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from replication.report.torch_code import torch_code
from replication.schedules import build
from replication.settings.schedule import ScheduleSettings

pytestmark = pytest.mark.slow
RATE, STEPS_PER_EPOCH, EPOCHS = 0.5, 7, 9
ALWAYS = {"name": "every_step"}
SCHEDULES: list[dict[str, Any]] = [
    {"name": "multi_step", "milestones": [0.5, 0.75], "of_budget": True, "gamma": 0.2, "sampling": ALWAYS},
    {"name": "geometric", "final": 0.01, "sampling": ALWAYS},
    {"name": "linear", "final": 0.1, "sampling": ALWAYS},
    {"name": "cosine", "sampling": ALWAYS},
    {"name": "cosine", "final": 0.02, "sampling": ALWAYS},
    {"name": "rex", "sampling": ALWAYS},
    {"name": "rex", "curvature": 0.9, "sampling": ALWAYS},
    {"name": "one_cycle"},
    {
        "name": "one_cycle",
        "annealing": "linear",
        "three_phases": True,
        "warm_fraction": 0.45,
        "initial_divisor": 10.0,
    },
]


def settings_of(fields: dict[str, Any]) -> Any:
    return TypeAdapter(ScheduleSettings).validate_python(fields)


def pasted(code: str) -> tuple[torch.optim.SGD, dict[str, Any]]:
    """Execute code that makes a scheduler; return the optimizer and all names."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE, momentum=0.9)
    names = {
        "torch": torch,
        "optimizer": optimizer,
        "learning_rate": RATE,
        "total_steps": STEPS_PER_EPOCH * EPOCHS,
    }
    exec(code.partition("scheduler.step(")[0], names)
    return optimizer, names


@pytest.mark.parametrize("fields", SCHEDULES, ids=lambda fields: "-".join(map(str, fields.values()))[:40])
def test_the_rates_are_ours(fields: dict[str, Any]) -> None:
    settings = settings_of(fields)
    ours = build(settings, STEPS_PER_EPOCH, EPOCHS).learning_rate
    optimizer, names = pasted(torch_code(settings))
    rates = []
    for _ in range(STEPS_PER_EPOCH * EPOCHS):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            names["scheduler"].step()
    assert rates == pytest.approx([RATE * ours(step) for step in range(STEPS_PER_EPOCH * EPOCHS)], abs=1e-9)


def test_a_plateau_drops_after_as_many_epochs() -> None:
    settings = settings_of({"name": "reduce_on_plateau", "patience": 3, "factor": 0.5})
    code = torch_code(settings)
    assert "scheduler.step(validation_loss)  # after each epoch" in code
    optimizer, names = pasted(code)
    rates = []
    for _ in range(5):
        names["scheduler"].step(1.0)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [RATE, RATE, RATE, RATE / 2, RATE / 2]  # the first loss, and three that are no better


def test_a_constant_rate_needs_no_scheduler() -> None:
    assert torch_code(settings_of({"name": "constant"})).startswith("# No scheduler")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "loss_probing", "factors": [2.0, 1.0, 0.5]},
        {"name": "linear"},  # read once an epoch
        {"name": "cosine", "sampling": ALWAYS, "warm_up": {"name": "linear", "epochs": 2, "start": 0.1}},
        {"name": "multi_step", "milestones": [3, 6], "sampling": ALWAYS},
    ],
)
def test_what_cannot_be_put_so_is_left_out(fields: dict[str, Any]) -> None:
    assert torch_code(settings_of(fields)) == ""


def test_a_share_of_the_steps_is_taken_as_it_is_written() -> None:
    """7 percent of 100 steps are 7, though the product of the floats is a little more."""
    fields = {"name": "multi_step", "milestones": [0.07], "of_budget": True, "sampling": ALWAYS}
    place = torch_code(settings_of(fields)).partition("[")[2].partition("]")[0]
    assert eval(place, {"math": math, "total_steps": 100}) == 7
