"""Readings as tables hold them: rows of `claims.csv`, and what kind each is of."""

from collections.abc import Mapping
from typing import Any

Reading = Mapping[str, Any]  # a row, None where a cell is empty
NUMBERS = ("value", "epoch count", "cost")  # kinds of readings that a report gives a number for


def is_event(reading: Reading) -> bool:
    """Say whether a reading is about something that each run shows or does not."""
    return reading["kind"] in ("divergence", "shape")


def is_difference(reading: Reading) -> bool:
    """Say whether the estimate is a difference between arms."""
    return reading["kind"] in ("order", "difference") or reading["minus"] is not None
