"""An arm of a study: one of the configurations that it compares."""

from typing import Any

from pydantic import Field

from replication.settings.base import Section

Overrides = dict[str, Any]


class Arm(Section):
    """One configuration of the study's comparison."""

    title: str = Field(min_length=1, description="As the report names it.")
    note: str | None = Field(default=None, description="What the report leaves unsaid, and our reading.")
    settings: Overrides = Field(default={}, description="What this arm changes in the study's settings.")
