"""The learning-rate range test: rates that rise until training breaks, and the range that the loss then suggests.

Source: Smith, arXiv:1506.01186, section 3.3. He reads the bounds off the accuracy by eye: where it starts to
rise, and where it "slows, becomes ragged, or starts to fall". Here the training loss of each step takes the place
of the accuracy, as in Gugger, "How do you find a good learning rate" (sgugger.github.io, 2018): it is there at
every step and costs nothing. And rules take the place of the eye.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import tee
from statistics import median
from typing import Any

from replication.schedules.profiles import geometric, linear
from replication.schedules.signatures import Profile
from replication.settings.schedule import ExpRange, RangeReading, RangeTested, Triangular, Triangular2

DIVERGED = 4.0  # times the lowest smoothed loss so far: where Gugger and fast.ai stop
LEAST_FALL = (
    0.05  # of the loss at the start; a smoothed loss that never falls by more may only follow its noise
)


@dataclass(frozen=True)
class RangeSuggestion:
    """What a range test suggests.

    Attributes
    ----------
    minimum_rate, maximum_rate
        The bounds of a cyclical learning rate, in the unit of the rates of the test.
    rises
        Whether the smoothed loss rose again within the test. If not, `maximum_rate` is only as high as the test let
        it be, and a test of higher rates may suggest more.
    """

    minimum_rate: float
    maximum_rate: float
    rises: bool


def range_test(minimum: float, growth: str) -> Profile:
    """Rise from `minimum` to 1 over the budget.

    ``linear: f(p) = minimum + (1 - minimum) p``, ``exponential: f(p) = minimum ** (1 - p)``

    p is the progress, clamped to [0, 1], and `minimum` a fraction of the highest learning rate, above 0. ``f(0) =
    minimum``, ``f(1) = 1``; half-way it is the arithmetic or the geometric mean. Source: Smith, arXiv:1506.01186,
    section 3.3, for the linear rise; Gugger (2018) and fast.ai for the exponential one, which gives each order of
    magnitude the same number of steps.

    Examples
    --------
    >>> rate = range_test(minimum=0.01, growth="exponential")
    >>> [round(rate(progress), 3) for progress in (0, 0.25, 0.5, 1)]
    [0.01, 0.032, 0.1, 1.0]
    """
    return linear(minimum, 1.0) if growth == "linear" else geometric(minimum, 1.0)


def smoothed(losses: Iterable[float], smoothing: float) -> Iterator[float]:
    """Yield the exponentially weighted mean of the losses up to each step, without bias to the first.

    ``m_k = b m_(k-1) + (1 - b) l_k``, ``s_k = m_k / (1 - b ** k)``

    l_k are the losses, k from 1, b is `smoothing`, in [0, 1), and ``m_0 = 0``: the bias correction of Adam (Kingma &
    Ba, arXiv:1412.6980, section 3), as in Gugger (2018). ``s_1 = l_1``. After a loss that is not finite, no value is
    finite. The mean lags by about ``b / (1 - b)`` steps.

    Examples
    --------
    >>> [round(value, 3) for value in smoothed([2.0, 1.0, 1.0, 4.0], smoothing=0.5)]
    [2.0, 1.333, 1.143, 2.667]
    """
    mean = 0.0
    for number, loss in enumerate(losses, start=1):
        mean = smoothing * mean + (1.0 - smoothing) * loss
        yield mean / (1.0 - smoothing**number)


def until_divergence(losses: Iterable[float], smoothing: float) -> list[float]:
    """Take losses up to the first, included, at which their smoothed value has diverged.

    It has diverged if it is not finite, or above `DIVERGED` times the lowest smoothed value before it. No further loss
    is requested, so that a test that yields them one by one ends there.

    Examples
    --------
    >>> until_divergence([2.0, 1.0, 3.0, 9.0, 1.0], smoothing=0.0)
    [2.0, 1.0, 3.0, 9.0]
    """
    own, watched = tee(losses)
    taken, lowest = [], math.inf
    for loss, value in zip(own, smoothed(watched, smoothing), strict=False):
        taken.append(loss)
        if not math.isfinite(value) or value > DIVERGED * lowest:
            break
        lowest = min(lowest, value)
    return taken


def suggest_range(
    rates: Sequence[float], losses: Sequence[float], reading: RangeReading
) -> RangeSuggestion | None:
    """Read the range for a cyclical learning rate off a range test.

    - What follows the divergence of the smoothed loss (see `until_divergence`) does not count.
    - Maximum: the rate of the lowest smoothed loss, over `reading.safety_factor`.
    - Minimum: the rate from which on the smoothed loss, on its way from the start to the lowest, stays at least
      `reading.fall_share` of that way below the start. The start is a median, since the first loss is that of one
      batch: of the first ``1 / (1 - smoothing)`` smoothed losses, or of those up to the lowest if they are fewer.
    - Where that is not below the maximum: the maximum over `reading.fallback_factor`.

    Parameters
    ----------
    rates
        The learning rate of each step, above 0 and rising.
    losses
        The training loss of each step's batch, before the step.

    Returns
    -------
    RangeSuggestion or None
        None if the smoothed loss never falls by `LEAST_FALL` of the start, as where it diverges at once, is NaN
        from the start, or stays where it is: then there is no range to be read.

    Examples
    --------
    >>> reading = RangeReading(smoothing=0.0, fall_share=0.25, safety_factor=2.0)
    >>> suggest_range([0.01, 0.1, 0.2, 0.4, 0.8], [2.0, 1.6, 1.2, 1.0, 3.0], reading)
    RangeSuggestion(minimum_rate=0.1, maximum_rate=0.2, rises=True)
    """
    taken = until_divergence(losses, reading.smoothing)
    values = [value for value in smoothed(taken, reading.smoothing) if math.isfinite(value)]
    if not values:
        return None
    lowest = values.index(min(values))
    start = median(values[: min(round(1 / (1 - reading.smoothing)), lowest + 1)])
    fall = start - values[lowest]
    if fall <= LEAST_FALL * start:
        return None
    maximum = rates[lowest] / reading.safety_factor
    above = [step for step in range(lowest) if values[step] > start - reading.fall_share * fall]
    minimum = rates[above[-1] + 1]
    if minimum >= maximum:
        minimum = maximum / reading.fallback_factor
    return RangeSuggestion(minimum, maximum, rises=lowest < len(taken) - 1)


def cycles_within(suggestion: RangeSuggestion, settings: RangeTested) -> Triangular | Triangular2 | ExpRange:
    """Return the cyclical schedule between the suggested rates; its base learning rate is the suggested maximum.

    Examples
    --------
    >>> found = RangeSuggestion(minimum_rate=0.25, maximum_rate=0.5, rises=True)
    >>> test = {"test_epochs": 1, "test_minimum_rate": 0.001, "test_maximum_rate": 1}
    >>> settings = RangeTested(name="range_tested", half_cycle_epochs=4, **test)
    >>> cycles_within(found, settings).minimum
    0.5
    """
    lowest = suggestion.minimum_rate / suggestion.maximum_rate
    common: dict[str, Any] = {"half_cycle_epochs": settings.half_cycle_epochs, "minimum": lowest}
    if settings.policy == "exp_range":
        assert settings.gamma is not None
        return ExpRange(name="exp_range", gamma=settings.gamma, **common)
    if settings.policy == "triangular2":
        return Triangular2(name="triangular2", **common)
    return Triangular(name="triangular", **common)
