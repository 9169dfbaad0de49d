import pytest
import torch

from replication.schedules import build
from replication.training.controllers import CONTROLLERS, PlannedRate, RunContext, build_rate, controller_name
from replication.training.optimizers import get_momentum, set_momentum
from support import PURE, SCHEDULES, STATEFUL, run_settings, schedule_of

STEPS_PER_EPOCH, EPOCHS = 3, 4
MOMENTUM = {"sgd": lambda group: group["momentum"], "adam": lambda group: group["betas"][0]}


def optimizer_of(name):
    # Two groups: a controller sets them all.
    groups = [{"params": [torch.nn.Parameter(torch.zeros(1))]} for _ in range(2)]
    if name == "adam":
        return torch.optim.Adam(groups, lr=7.0, betas=(0.5, 0.875))
    return torch.optim.SGD(groups, lr=7.0, momentum=0.5)


def planned(schedule, optimizer):
    settings = run_settings(schedule=schedule, optimizer={"learning_rate": 0.2}, batch_size=10, epochs=EPOCHS)
    images = torch.zeros(25)  # 10, 10 and 5
    return PlannedRate(settings.schedule, RunContext(settings, 1, None, optimizer, images, None)), settings


def test_steps_per_epoch_include_the_smaller_last_batch():
    for images, steps in [(1, 1), (16, 1), (17, 2), (32, 2), (33, 3)]:
        assert RunContext(run_settings(), 1, None, None, torch.zeros(images), None).steps_per_epoch == steps


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_has_its_controller(name):
    settings = run_settings(schedule=schedule_of(name))
    assert controller_name(settings.schedule) == (name if name in STATEFUL else "planned")
    context = RunContext(settings, 1, torch.nn.Linear(1, 1), optimizer_of("sgd"), torch.zeros(32), None)
    assert type(build_rate(settings.schedule, context)) is CONTROLLERS[controller_name(settings.schedule)]


@pytest.mark.parametrize("name", PURE)
@pytest.mark.parametrize("optimizer_name", ["sgd", "adam"])
def test_every_group_has_base_rate_times_multiplier_and_the_plans_momentum(name, optimizer_name):
    optimizer = optimizer_of(optimizer_name)
    controller, settings = planned(schedule_of(name), optimizer)
    plan = build(settings.schedule, STEPS_PER_EPOCH, EPOCHS)
    for step in range(STEPS_PER_EPOCH * EPOCHS):
        if step % STEPS_PER_EPOCH == 0:
            controller.begin_epoch(1 + step // STEPS_PER_EPOCH)
        controller.before_step(step)
        momentum = plan.momentum(step) if plan.momentum else 0.5
        for group in optimizer.param_groups:
            assert group["lr"] == pytest.approx(0.2 * plan.learning_rate(step), rel=1e-15)
            assert MOMENTUM[optimizer_name](group) == momentum
        assert get_momentum(optimizer) == momentum
    assert controller.costs() == {}


def test_momentum_of_adam_is_beta1_and_leaves_beta2():
    optimizer = optimizer_of("adam")
    set_momentum(optimizer, 0.75)
    assert [group["betas"] for group in optimizer.param_groups] == [(0.75, 0.875)] * 2
    assert "momentum" not in optimizer.param_groups[0]


def test_what_happens_in_the_run_does_not_change_a_plan():
    optimizer = optimizer_of("sgd")
    controller, _ = planned(schedule_of("linear"), optimizer)
    controller.before_step(4)
    before = optimizer.param_groups[0]["lr"]
    controller.end_epoch({"validation_loss": 100.0})
    controller.before_step(4)
    assert optimizer.param_groups[0]["lr"] == before
