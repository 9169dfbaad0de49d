"""Where schedules meet torch: what sets the learning rate of an optimizer, step by step."""

from typing import Any

from replication.settings.schedule import PureSchedule, ScheduleSettings
from replication.training.controllers.base import RateController, RunContext
from replication.training.controllers.beam_search import BeamSearchRate
from replication.training.controllers.hypergradient import HypergradientRate
from replication.training.controllers.loss_probing import LossProbingRate
from replication.training.controllers.newton import NewtonRate
from replication.training.controllers.planned import PlannedRate
from replication.training.controllers.plateau import PlateauRate
from replication.training.controllers.range_tested import RangeTestedRate
from replication.training.controllers.reinforcement_learned import ReinforcementLearnedRate

__all__ = [
    "LossProbingRate",
    "PlannedRate",
    "PlateauRate",
    "RangeTestedRate",
    "RateController",
    "RunContext",
    "build_rate",
]

CONTROLLERS: dict[str, Any] = {
    "planned": PlannedRate,
    "reduce_on_plateau": PlateauRate,
    "loss_probing": LossProbingRate,
    "beam_search": BeamSearchRate,
    "hypergradient": HypergradientRate,
    "newton": NewtonRate,
    "range_tested": RangeTestedRate,
    "reinforcement_learned": ReinforcementLearnedRate,
}


def controller_name(settings: ScheduleSettings) -> str:
    """Return the key of `CONTROLLERS` for a schedule: pure ones share the controller `planned`."""
    return "planned" if isinstance(settings, PureSchedule) else settings.name


def build_rate(settings: ScheduleSettings, context: RunContext) -> RateController:
    """Return the controller that applies `settings` to the optimizer of `context`."""
    controller: RateController = CONTROLLERS[controller_name(settings)](settings, context)
    return controller
