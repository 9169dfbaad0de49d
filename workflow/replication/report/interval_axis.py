"""A small axis for one reading: what the report says as a band, what our runs show as a dot with its interval."""

import html
from dataclasses import dataclass

from markupsafe import Markup

from replication.report.readings import Reading, is_event

WIDTH, HEIGHT = 150, 22  # in user units; the page scales it
EDGE = 6  # kept free at both ends, for the arrow of an interval that goes on
MIDDLE = HEIGHT / 2


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float

    def place(self, value: float) -> float:
        """Return where a value stands, at the edge if it is beyond it."""
        share = (value - self.low) / (self.high - self.low)
        return EDGE + (WIDTH - 2 * EDGE) * min(max(share, 0.0), 1.0)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def interval_axis(reading: Reading, reported: str, ours: str) -> Markup:
    """Return an SVG image; empty where there is no estimate.

    The axis shows what is reported with its margin, and our estimate. An interval that is wider than that leaves it,
    with an arrow, and does not shrink the rest to nothing.

    Parameters
    ----------
    reported, ours
        Both in words, for those who do not see the image.
    """
    if reading["estimate"] is None:
        return Markup("")
    low, high = _agreeing(reading)
    scale = _scale(reading, low, high)
    parts = [_line("base", EDGE, WIDTH - EDGE)]
    if low is not None or high is not None:
        start = EDGE if low is None else scale.place(low)
        end = WIDTH - EDGE if high is None else scale.place(high)
        parts.insert(0, _band(start, end))
    parts += [_mark(scale.place(value)) for value in _marks(reading)]
    parts += _interval(reading, scale)
    parts.append(
        f'<circle class="ours" cx="{scale.place(reading["estimate"]):.1f}" cy="{MIDDLE:.0f}" r="3.5"/>'
    )
    label = html.escape(f"Reported: {reported}; ours: {ours}", quote=True)
    return Markup(
        f'<svg class="axis" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'
    )


def _agreeing(reading: Reading) -> tuple[float | None, float | None]:
    """Return the bounds between which an estimate is as reported; None where there is none."""
    margin = reading["margin"] or 0.0
    if is_event(reading):
        return (0.5, 1.0) if reading["expected"] else (0.0, 0.5)
    if reading["kind"] == "order":
        return margin, None
    low, high = reading["expected"] - margin, reading["expected"] + margin
    return (None if reading["side"] == "at_most" else low, None if reading["side"] == "at_least" else high)


def _marks(reading: Reading) -> list[float]:
    """Return the values that the report gives, or that a difference is measured from."""
    if is_event(reading):
        return []
    return [0.0 if reading["kind"] == "order" else reading["expected"]]


def _scale(reading: Reading, low: float | None, high: float | None) -> _Scale:
    if is_event(reading):
        return _Scale(0.0, 1.0)
    shown = [value for value in (low, high, *_marks(reading), reading["estimate"]) if value is not None]
    space = 0.35 * (max(shown) - min(shown)) or abs(shown[0]) or 1.0
    return _Scale(min(shown) - space, max(shown) + space)


def _interval(reading: Reading, scale: _Scale) -> list[str]:
    if reading["low"] is None or reading["high"] is None:
        return []
    left, right = scale.place(reading["low"]), scale.place(reading["high"])
    ends = [
        _end(left, -1, inside=scale.holds(reading["low"])),
        _end(right, 1, inside=scale.holds(reading["high"])),
    ]
    return [_line("interval", left, right), *ends]


def _line(name: str, start: float, end: float) -> str:
    return f'<path class="{name}" d="M{start:.1f} {MIDDLE:.0f}H{end:.1f}"/>'


def _band(start: float, end: float) -> str:
    return (
        f'<rect class="said" x="{start:.1f}" y="3" width="{max(end - start, 1):.1f}" height="{HEIGHT - 6}"/>'
    )


def _mark(place: float) -> str:
    return f'<path class="mark" d="M{place:.1f} 1V{HEIGHT - 1}"/>'


def _end(place: float, direction: int, *, inside: bool) -> str:
    """Return the end of an interval: a bar, or an arrow where it goes on beyond the axis."""
    if inside:
        return f'<path class="interval" d="M{place:.1f} {MIDDLE - 4:.0f}v8"/>'
    arrow = f"M{place - 4 * direction:.1f} {MIDDLE - 4:.0f}l{5 * direction} 4l{-5 * direction} 4"
    return f'<path class="interval" d="{arrow}"/>'
