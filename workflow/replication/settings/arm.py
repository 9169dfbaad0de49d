"""An arm of a study: one of the configurations that it compares."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from replication.settings.base import Section

OVERRIDES = "part of the settings of a run"  # as the schema of study files marks them
Overrides = Annotated[dict[str, Any], WithJsonSchema({"type": "object", "$comment": OVERRIDES})]


class Arm(Section):
    """One configuration of the study's comparison."""

    title: str = Field(min_length=1, description="As the report names it.")
    note: str | None = Field(default=None, description="What the report leaves unsaid, and our reading.")
    settings: Overrides = Field(default={}, description="What this arm changes in the study's settings.")


def merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Merge mappings key by key; one that states another `name` replaces the old one whole."""
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = (
                merge(old, value) if value.get("name", old.get("name")) == old.get("name") else value
            )
        else:
            merged[key] = value
    return merged
