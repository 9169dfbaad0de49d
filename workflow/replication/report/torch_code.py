"""A schedule of ours as a line of PyTorch, to paste: the same rate at each step."""

from collections.abc import Callable

from replication.settings.schedule import (
    Constant,
    Cosine,
    Geometric,
    Linear,
    MultiStep,
    OneCycle,
    ReduceOnPlateau,
    Rex,
)

SCHEDULERS = "torch.optim.lr_scheduler"


def _constant(_: Constant) -> str:
    return "# No scheduler: the rate stays as it is."


def _multi_step(schedule: MultiStep) -> str:
    if not schedule.of_budget:
        return ""
    places = ", ".join(f"math.ceil(round({share:g} * total_steps, 6))" for share in schedule.milestones)
    return f"MultiStepLR(optimizer, [{places}], gamma={schedule.gamma:g})"


def _geometric(schedule: Geometric) -> str:
    return f"ExponentialLR(optimizer, gamma={schedule.final:g} ** (1 / total_steps))"


def _linear(schedule: Linear) -> str:
    return f"LinearLR(optimizer, 1.0, {schedule.final:g}, total_iters=total_steps)"


def _cosine(schedule: Cosine) -> str:
    lowest = f", eta_min={schedule.final:g} * learning_rate" if schedule.final else ""
    return f"CosineAnnealingLR(optimizer, total_steps{lowest})"


def _rex(schedule: Rex) -> str:
    return (
        "LambdaLR(optimizer, lambda step: "
        f"max(total_steps - step, 0) / max(total_steps - {schedule.curvature:g} * step, 1e-9))"
    )


def _one_cycle(schedule: OneCycle) -> str:
    return (
        f"OneCycleLR(optimizer, max_lr=learning_rate, total_steps=total_steps, pct_start={schedule.warm_fraction:g}, "
        f"anneal_strategy={'cos' if schedule.annealing == 'cosine' else 'linear'!r}, "
        f"three_phase={schedule.three_phases}, div_factor={schedule.initial_divisor:g}, "
        f"final_div_factor={schedule.final_divisor:g}, cycle_momentum={schedule.cycle_momentum}, "
        f"base_momentum={schedule.minimum_momentum:g}, max_momentum={schedule.maximum_momentum:g})"
    )


def _plateau(schedule: ReduceOnPlateau) -> str:
    # torch drops one epoch later than its patience says.
    return (
        f"ReduceLROnPlateau(optimizer, factor={schedule.factor:g}, patience={schedule.patience - 1}, "
        f"threshold={schedule.threshold:g}, threshold_mode={schedule.threshold_mode!r})"
    )


_WRITERS: dict[type, Callable[..., str]] = {
    Constant: _constant,
    MultiStep: _multi_step,
    Geometric: _geometric,
    Linear: _linear,
    Cosine: _cosine,
    Rex: _rex,
    OneCycle: _one_cycle,
    ReduceOnPlateau: _plateau,
}


def torch_code(schedule: object) -> str:
    """Return code that makes a `scheduler` for an `optimizer`; empty for a schedule that we cannot put so.

    The names `learning_rate`, the optimizer's own, and `total_steps` are the reader's. All but a plateau's are stepped
    after each optimizer step.
    """
    writer = _WRITERS.get(type(schedule))
    if writer is None or getattr(schedule, "warm_up", None) or not _read_at_every_step(schedule):
        return ""
    call = writer(schedule)
    if not call or call.startswith("#"):
        return call
    step = (
        "validation_loss)  # after each epoch"
        if isinstance(schedule, ReduceOnPlateau)
        else ")  # after each step"
    )
    lines = ["import math"] if "math." in call else []
    return "\n".join([*lines, f"scheduler = {SCHEDULERS}.{call}", f"scheduler.step({step}"])


def _read_at_every_step(schedule: object) -> bool:
    sampling = getattr(schedule, "sampling", None)
    return isinstance(schedule, Constant) or sampling is None or sampling.name == "every_step"
