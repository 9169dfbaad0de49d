"""The words of a Workflow Run RO-Crate: its context, the profiles that it follows, and small helpers."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

Entity = dict[str, Any]

CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
BIOSCHEMAS = "https://bioschemas.org/profiles"
COMPLETED = "http://schema.org/CompletedActionStatus"
_TERMS = "https://w3id.org/ro/terms/workflow-run#"
# The terms of workflow runs are given here in full, so that a reader needs no second context from the network.
CONTEXT: list[Any] = [
    f"{CRATE}/context",
    {
        name: f"{_TERMS}{name}"
        for name in ("ParameterConnection", "connection", "sha256", "sourceParameter", "targetParameter")
    },
]


def identifier(path: str) -> str:
    """Return the identifier of a file or folder of the crate: its path, as a part of a URI."""
    return quote(path)


def reference(to: str) -> Entity:
    """Return a link to the entity with the identifier `to`."""
    return {"@id": to}


def references(to: Iterable[str]) -> list[Entity]:
    """Return links to entities, in the order of their identifiers."""
    return [reference(each) for each in sorted(set(to))]


def property_value(entity_id: str, name: str, value: Any) -> Entity:
    """Return a named value."""
    return {"@id": entity_id, "@type": "PropertyValue", "name": name, "value": value}
