"""The fractal schedule: the step sizes of Chebyshev iteration, in an order in which errors do not build up.

Source: Agarwal, Goel & Zhang, "Acceleration via fractal learning rate schedules", arXiv:2103.01338, definitions 1 and
2; the order is that of Lebedev & Finogenov (1971). Gradient descent with the T step sizes of Chebyshev iteration takes
the error of a quadratic of condition number C down as fast as any T steps can, though most of them are longer than
what is stable alone; in which order they come decides how far the iterates stray meanwhile.
"""

import math
from collections.abc import Sequence

from replication.schedules.positions import whole_periods
from replication.schedules.signatures import Curve
from replication.system.decimals import written


def fractal(nodes: int, condition: float, steps_per_node: int, steps_per_epoch: int) -> Curve:
    """Take the rates of Chebyshev iteration in fractal order, again and again.

    ``f(t) = g(1) / g(s(n))``, ``g(i) = (C + 1) / 2 - (C - 1) / 2 cos((i - 1/2) pi / T)``

    t is the time in epochs, C the `condition`, T the number of `nodes`, and n = 1, ..., T the number of the node, each
    of which lasts `steps_per_node` optimizer steps; s is `fractal_order`. The rates are those of a quadratic with
    curvatures from 1 to C, relative to the highest of them, which the base rate stands for: 1 at the first step, and
    ``g(1) / g(T)``, nearly ``1 / C``, at the second. Without end: after T nodes it begins anew.

    Examples
    --------
    >>> rate = fractal(nodes=4, condition=100, steps_per_node=1, steps_per_epoch=4)
    >>> [round(rate(time), 3) for time in (0, 0.25, 0.5, 0.75, 1)]
    [1.0, 0.05, 0.151, 0.069, 1.0]
    """
    curvatures = chebyshev_nodes(nodes, condition)
    rates = [curvatures[0] / curvatures[place - 1] for place in fractal_order(nodes)]
    return lambda time: rates[whole_periods(steps_per_epoch * written(time), steps_per_node) % nodes]


def chebyshev_nodes(nodes: int, condition: float) -> Sequence[float]:
    """Return the roots of the Chebyshev polynomial of degree `nodes` on the interval from 1 to `condition`, increasing.

    Examples
    --------
    >>> [round(node, 2) for node in chebyshev_nodes(2, condition=3)]
    [1.29, 2.71]
    """
    middle, half = (condition + 1) / 2, (condition - 1) / 2
    return [middle - half * math.cos((number - 0.5) * math.pi / nodes) for number in range(1, nodes + 1)]


def fractal_order(nodes: int) -> Sequence[int]:
    """Return 1, ..., `nodes`, a power of two, in the order in which short steps make up for long ones.

    ``s_1 = [1]``; s_2T is each number i of s_T followed by 2 T + 1 - i.

    Examples
    --------
    >>> fractal_order(8)
    [1, 8, 4, 5, 2, 7, 3, 6]
    """
    order = [1]
    while len(order) < nodes:
        order = [place for number in order for place in (number, 2 * len(order) + 1 - number)]
    return order
