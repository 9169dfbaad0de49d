"""Profiles: shapes that fill whatever budget they are given.

Each function but `rex` and `stretch` makes a profile that goes from `initial`, at progress 0, to `final`, at
progress 1. Progress outside [0, 1] is clamped, so that past the end a profile stays at its last value.
"""

import math

from replication.schedules.signatures import Curve, Profile


def clamp(progress: float) -> float:
    """Limit `progress` to [0, 1].

    Examples
    --------
    >>> [clamp(progress) for progress in (-0.5, 0.25, 1.5)]
    [0.0, 0.25, 1.0]
    """
    return min(max(progress, 0.0), 1.0)


def stretch(profile: Profile, epochs: float) -> Curve:
    """Spread a profile over a number of epochs.

    ``curve(t) = profile(t / epochs)``, t being the time in epochs. Past `epochs` it stays at the last value,
    because profiles clamp.

    Examples
    --------
    >>> curve = stretch(linear(1.0, 0.0), epochs=10)
    >>> [curve(time) for time in (0, 5, 10, 20)]
    [1.0, 0.5, 0.0, 0.0]
    """
    return lambda time: profile(time / epochs)


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
    return lambda progress: initial + (final - initial) * clamp(progress)


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
    return lambda progress: initial * (final / initial) ** clamp(progress)


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
    return lambda progress: final + (initial - final) * (1.0 - clamp(progress)) ** power


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
    return lambda progress: final + (initial - final) * (1.0 + math.cos(math.pi * clamp(progress))) / 2.0


def rex(progress: float) -> float:
    """Reflected exponential: slower than linear at first, faster at the end.

    ``f(p) = (1 - p) / (1/2 + (1 - p) / 2)``

    p is the progress, clamped to [0, 1]; ``f(0) = 1``, ``f(1/2) = 2/3``, ``f(1) = 0``.
    Source: Chen, Wolfe & Kyrillidis, arXiv:2107.04197. Public re-implementations under the same name differ:
    half-way some give 0.526 and some 0.909.

    Examples
    --------
    >>> [round(rex(progress), 3) for progress in (0, 0.25, 0.5, 1)]
    [1.0, 0.857, 0.667, 0.0]
    """
    remaining = 1.0 - clamp(progress)
    return remaining / (0.5 + remaining / 2.0)
