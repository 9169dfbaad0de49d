"""Searches: what it costs to find a setting that is good enough."""

from typing import Annotated, Literal

from pydantic import Field

from replication.settings.base import Section
from replication.settings.measures import EpochMeasureName


class Search(Section):
    """A search of some arms, each a setting, by what their runs have measured; it becomes a derived arm."""

    title: str = Field(min_length=1)
    note: str | None = Field(default=None, description="What the report leaves unsaid, and our reading.")
    method: Literal["exhaustive", "in_order", "random", "successive_halving"] = Field(
        description="See replication/analysis/searches.py."
    )
    arms: Annotated[list[str], Field(min_length=2)] = Field(
        description="The settings, in the order of the grid: arms of one budget, whose schedule does not depend on it."
    )
    measure: EpochMeasureName = Field(
        description="What a setting is judged by after an epoch, a measure of the validation images."
    )
    direction: Literal["higher", "lower"] = Field(description="Which is better.")
    tolerance: float = Field(
        ge=0,
        description="How far from the best setting of a seed, in the unit of the measure, is good enough.",
    )
