"""The 1cycle policy: one rise to the highest learning rate and one long fall, with momentum the other way.

Source: Smith & Topin, arXiv:1708.07120; Smith, arXiv:1803.09820. The form is that of
``torch.optim.lr_scheduler.OneCycleLR``, phase boundaries included. With N steps in the budget and w the warm
fraction, the phases end, in steps counted from 0, at

- two phases: ``w N - 1`` and ``N - 1``;
- three phases: ``w N - 1``, ``2 (w N - 1)`` and ``N - 1``.

The last value is thus that of step N - 1, the last one of the budget. Later steps keep it, where torch
raises.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from replication.errors import ConfigurationError
from replication.schedules.budget import Budget
from replication.schedules.signatures import Curve, Profile

Annealing = Callable[[float, float], Profile]
"""First and last value of a phase to its profile: `profiles.cosine` or `profiles.linear`."""


@dataclass(frozen=True)
class Phases:
    """The phases of a 1cycle.

    Parameters
    ----------
    budget
        Length of the whole cycle.
    warm_fraction
        Share of the steps in which the learning rate rises, in (0, 1).
    three_phases
        False: fall from the peak to the final value at once. True: fall back to the initial value first, in
        as many steps as the rise took, then to the final value.
    annealing
        How values change within a phase.
    """

    budget: Budget
    warm_fraction: float
    three_phases: bool
    annealing: Annealing

    def ends(self) -> list[float]:
        """Give the step, not always whole, at which the first phase starts and each phase ends.

        Raises
        ------
        ConfigurationError
            If a phase has no length.
        """
        peak = self.warm_fraction * self.budget.steps - 1.0
        last = self.budget.steps - 1.0
        ends = [0.0, peak, 2.0 * peak, last] if self.three_phases else [0.0, peak, last]
        if any(later <= earlier for earlier, later in pairwise(ends)):
            raise ConfigurationError(
                f"one_cycle: {self.budget.steps} steps with warm_fraction {self.warm_fraction} leave a phase"
                " without a step; train for longer, or change warm_fraction"
            )
        return ends


def one_cycle_rate(phases: Phases, initial_divisor: float, final_divisor: float) -> Curve:
    """Multiplier of the highest learning rate.

    Two phases: from ``1 / initial_divisor`` to 1 to ``1 / (initial_divisor final_divisor)``. Three phases:
    from ``1 / initial_divisor`` to 1, back to ``1 / initial_divisor``, then to ``1 / (initial_divisor
    final_divisor)``. Past the end it stays at the last value.

    Examples
    --------
    >>> from replication.schedules.profiles import linear
    >>> phases = Phases(Budget(100, 10), warm_fraction=0.21, three_phases=False, annealing=linear)
    >>> rate = one_cycle_rate(phases, initial_divisor=25, final_divisor=1e4)
    >>> [round(rate(time), 3) for time in (0, 1, 2, 6, 9.9)]
    [0.04, 0.52, 1.0, 0.494, 0.0]
    """
    initial = 1.0 / initial_divisor
    final = initial / final_divisor
    return _through(phases, [initial, 1.0, initial, final] if phases.three_phases else [initial, 1.0, final])


def one_cycle_momentum(phases: Phases, minimum: float, maximum: float) -> Curve:
    """Momentum (Adam's beta1) itself, not a multiplier: lowest where the learning rate is highest.

    From `maximum` to `minimum` and back; of three phases, the third stays at `maximum`. Past the end it
    stays at the last value.

    Examples
    --------
    >>> from replication.schedules.profiles import linear
    >>> phases = Phases(Budget(100, 10), warm_fraction=0.21, three_phases=False, annealing=linear)
    >>> momentum = one_cycle_momentum(phases, minimum=0.85, maximum=0.95)
    >>> [round(momentum(time), 3) for time in (0, 1, 2, 6, 9.9)]
    [0.95, 0.9, 0.85, 0.901, 0.95]
    """
    values = [maximum, minimum, maximum]
    return _through(phases, [*values, maximum] if phases.three_phases else values)


def _through(phases: Phases, values: Sequence[float]) -> Curve:
    """Make the curve that has each of `values` where a phase ends, the first where the first phase starts."""
    ends = phases.ends()
    profiles = [phases.annealing(first, last) for first, last in pairwise(values)]

    def curve(time: float) -> float:
        step = time * phases.budget.steps_per_epoch
        phase = bisect_left(ends, step, lo=1, hi=len(ends) - 1) - 1
        return profiles[phase]((step - ends[phase]) / (ends[phase + 1] - ends[phase]))

    return curve
