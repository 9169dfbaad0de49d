"""Layers of settings, put over each other."""

from collections.abc import Mapping
from typing import Any


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
