"""Curves as small as a word, or as a few."""

import math
from collections.abc import Sequence

from markupsafe import Markup

EDGE = 2  # in user units, above and below the curve


def sparkline(values: Sequence[float], width: int = 60, height: int = 16) -> Markup:
    """Return a small curve from 0 to the largest value, as SVG; it says nothing to those who do not see it.

    Parameters
    ----------
    width, height
        In user units. The curve has no point between them.
    """
    finite = [value if math.isfinite(value) else 0.0 for value in values]
    finite = finite if len(finite) > 1 else finite * 2
    largest = max(finite) or 1.0
    points = [
        (
            round(width * index / (len(finite) - 1)),
            round(height - EDGE - (height - 2 * EDGE) * value / largest),
        )
        for index, value in enumerate(finite)
    ]
    line = " ".join(f"{x},{y}" for x, y in _corners(points))
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width} {height}" aria-hidden="true"><polyline points="{line}"/></svg>'
    )


def _corners(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Leave out points on the straight line between their neighbours."""
    kept = [points[0]]
    for point, after in zip(points[1:], [*points[2:], None], strict=True):
        (x0, y0), (x, y) = kept[-1], point
        if after is None or (x - x0) * (after[1] - y) != (after[0] - x) * (y - y0):
            kept.append(point)
    return kept
