"""The one way to show that there is no value."""

import math

MISSING = "–"


def or_missing(value: object) -> str:
    """Return a value as text; a dash for None and for a number that is not finite."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return MISSING
    return str(value)
