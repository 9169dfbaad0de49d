"""Profiles: shapes that fill whatever budget they are given.

Each function but `stretch` makes a profile that goes from `initial` (or 1), at progress 0, to `final` (or 0), at
progress 1, and has these values themselves, not what a formula comes to when it is rounded. Progress outside [0, 1]
is clamped, so that past the end a profile stays at its last value.
"""

import math
from collections.abc import Callable

from replication.schedules.positions import progress
from replication.schedules.signatures import Curve, Profile, Time


def between(initial: float, final: float, shape: Callable[[float], float]) -> Profile:
    """Follow `shape` within (0, 1), with `initial` at 0 and before, `final` at 1 and after.

    Examples
    --------
    >>> profile = between(1.0, 0.0, lambda progress: 0.5)
    >>> [profile(progress) for progress in (-1, 0, 0.25, 1, 2)]
    [1.0, 1.0, 0.5, 0.0, 0.0]
    """

    def profile(progress: float) -> float:
        if progress <= 0:
            return initial
        return final if progress >= 1 else shape(progress)

    return profile


def stretch(profile: Profile, epochs: Time) -> Curve:
    """Spread a profile over a number of epochs.

    ``curve(t) = profile(t / epochs)``, t being the time in epochs. Past `epochs` it stays at the last value,
    because profiles clamp.

    Examples
    --------
    >>> curve = stretch(linear(1.0, 0.0), epochs=10)
    >>> [curve(time) for time in (0, 5, 10, 20)]
    [1.0, 0.5, 0.0, 0.0]
    """
    return lambda time: profile(progress(time, epochs))


def constant(value: float) -> Profile:
    """Stay at `value`, at any progress.

    With `value` 1 it is the base learning rate throughout; below 1 it is the constant warm-up of He et al.,
    arXiv:1512.03385, section 4.2, and the first part of ``torch.optim.lr_scheduler.ConstantLR``.

    Examples
    --------
    >>> rate = constant(0.1)
    >>> [rate(progress) for progress in (0, 0.5, 1)]
    [0.1, 0.1, 0.1]
    """
    return lambda _progress: value


def linear(initial: float, final: float) -> Profile:
    """Change by equal amounts.

    ``f(p) = initial + (final - initial) p``

    p is the progress, clamped to [0, 1]; ``f(0) = initial``, ``f(1/2)`` is the arithmetic mean, ``f(1) =
    final``. Source: ``torch.optim.lr_scheduler.LinearLR``; as a decay to 0, Li et al., arXiv:1905.04753; as
    a warm-up, Goyal et al., arXiv:1706.02677, section 2.2.

    Examples
    --------
    >>> rate = linear(1.0, 0.0)
    >>> [rate(progress) for progress in (0, 0.25, 0.5, 1)]
    [1.0, 0.75, 0.5, 0.0]
    """
    return between(initial, final, lambda share: initial + (final - initial) * share)


def geometric(initial: float, final: float) -> Profile:
    """Change by equal factors: an exponential from one value to another.

    ``f(p) = initial (final / initial) ** p``

    p is the progress, clamped to [0, 1]; both values must be above 0. ``f(0) = initial``, ``f(1/2)`` is the
    geometric mean, ``f(1) = final``. The curve of ``torch.optim.lr_scheduler.ExponentialLR`` between two
    points.

    Examples
    --------
    >>> rate = geometric(1.0, 0.01)
    >>> [round(rate(progress), 3) for progress in (0, 0.25, 0.5, 1)]
    [1.0, 0.316, 0.1, 0.01]
    """
    return between(initial, final, lambda share: initial * (final / initial) ** share)


def polynomial(initial: float, final: float, power: float) -> Profile:
    """Decay with a power of the progress that remains.

    ``f(p) = final + (initial - final) (1 - p) ** power``

    p is the progress, clamped to [0, 1]; ``f(0) = initial``, ``f(1) = final``. A `power` of 1 is `linear`.
    Source: the "poly" policy of Caffe and of Chen et al., arXiv:1606.00915, section 4.1.1;
    ``torch.optim.lr_scheduler.PolynomialLR`` with `final` 0.

    Examples
    --------
    >>> rate = polynomial(1.0, 0.0, power=2)
    >>> [round(rate(progress), 3) for progress in (0, 0.25, 0.5, 1)]
    [1.0, 0.562, 0.25, 0.0]
    """
    return between(initial, final, lambda share: final + (initial - final) * (1.0 - share) ** power)


def cosine(initial: float, final: float) -> Profile:
    """Follow half a period of a cosine: flat at both ends, steepest half-way.

    ``f(p) = final + (initial - final) (1 + cos(pi p)) / 2``

    p is the progress, clamped to [0, 1]; ``f(0) = initial``, ``f(1/2)`` is the arithmetic mean, ``f(1) =
    final``. Source: Loshchilov & Hutter, arXiv:1608.03983, equation 5;
    ``torch.optim.lr_scheduler.CosineAnnealingLR``, which rises again past its end where this one stays.

    Examples
    --------
    >>> rate = cosine(1.0, 0.0)
    >>> [round(rate(progress), 3) for progress in (0, 0.25, 0.5, 1)]
    [1.0, 0.854, 0.5, 0.0]
    """
    return between(
        initial, final, lambda share: final + (initial - final) * (1.0 + math.cos(math.pi * share)) / 2.0
    )


def floored_exponential(floor: float, rate: float) -> Profile:
    """Decay exponentially towards `floor`, without reaching it.

    ``f(p) = floor + (1 - floor) exp(-rate p)``

    p is the progress, clamped to [0, 1]; ``f(0) = 1``. The exponential profile of the code that report
    002_1dec212727832d5c.txt offers (wolfecameron/LRSchedules on GitHub, profiles.py) has a floor of 0.01 and a rate
    of 4, and ends at 0.028.

    Examples
    --------
    >>> rate = floored_exponential(0.01, 4.0)
    >>> [round(rate(progress), 3) for progress in (0, 0.25, 0.5, 1)]
    [1.0, 0.374, 0.144, 0.028]
    """

    def shape(share: float) -> float:
        return floor + (1.0 - floor) * math.exp(-rate * share)

    return between(1.0, shape(1.0), shape)


def rex(curvature: float = 0.5) -> Profile:
    """Reflected exponential: slower than linear at first, faster at the end.

    ``f(p) = (1 - p) / (1 - d + d (1 - p))``

    p is the progress, clamped to [0, 1], and d the curvature, from 0 (linear) to below 1; ``f(0) = 1``, ``f(1) =
    0``. The paper's d is 1/2, which gives ``f(1/2) = 2/3`` (Chen, Wolfe & Kyrillidis, arXiv:2107.04197); that of
    the code that report 002_1dec212727832d5c.txt offers is 0.9, which gives 0.909.

    Examples
    --------
    >>> [round(rex()(progress), 3) for progress in (0, 0.25, 0.5, 1)]
    [1.0, 0.857, 0.667, 0.0]
    >>> round(rex(0.9)(0.5), 3)
    0.909
    """
    return between(1.0, 0.0, lambda share: (1.0 - share) / (1.0 - curvature + curvature * (1.0 - share)))
