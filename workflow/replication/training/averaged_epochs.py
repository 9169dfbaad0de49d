"""After which epochs the weights of a run are averaged; known before it, and without PyTorch."""

from collections.abc import Callable

from replication.errors import ConfigurationError
from replication.schedules.cycles import cycle_ends
from replication.settings.run import RunSettings
from replication.system.decimals import written


def averaged_epochs(settings: RunSettings, steps_per_epoch: int) -> frozenset[int] | None:
    """Return the epochs, counted from 1, after which a run's weights are added to an average; None without one.

    Parameters
    ----------
    steps_per_epoch
        Optimizer steps in an epoch: where a cycle ends depends on it.

    Raises
    ------
    ConfigurationError
        The ends of cycles should be averaged, and the schedule has none, or none after `from_share` of the budget.
    """
    averaging = settings.averaging
    if averaging is None:
        return None
    ends = AVERAGED_EPOCHS[averaging.at](settings, steps_per_epoch)
    begin = written(averaging.from_share) * settings.budget_epochs
    chosen = frozenset(epoch for epoch in ends if epoch > begin)
    if not chosen:
        raise ConfigurationError(
            f"no cycle ends after {averaging.from_share:g} of the budget of {settings.budget_epochs} epochs: "
            "lower from_share"
        )
    return chosen


AVERAGED_EPOCHS: dict[str, Callable[[RunSettings, int], list[int]]] = {
    "every_epoch": lambda settings, _: list(range(1, settings.budget_epochs + 1)),
    "cycle_ends": lambda settings, steps_per_epoch: cycle_ends(
        settings.schedule, steps_per_epoch, settings.budget_epochs
    ),
}
