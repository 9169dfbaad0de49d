"""Numbers as a reader sees them."""

import math

from replication.settings.measures import measure_of
from replication.system.missing import MISSING


def format_value(measure: str, value: float | None, *, sign: bool = False) -> str:
    """Return a value with its unit, such as `95.50 %`; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    plus = "+" if sign else ""
    if measure_of(measure).percent:
        return f"{100 * value:{plus}.2f} %"
    return f"{value:{plus}.{measure_of(measure).decimals}f}"


def format_interval(measure: str, low: float, high: float, *, sign: bool = False) -> str:
    """Return an interval in brackets; empty where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    bounds = (format_value(measure, bound, sign=sign).removesuffix(" %") for bound in (low, high))
    return f"[{', '.join(bounds)}]"


def counted(number: int, what: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number} {what}{'' if number == 1 else 's'}"
