"""What a crate is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replication.crate.contents import CrateFile


@dataclass(frozen=True)
class Engine:
    """The software that runs the workflow."""

    name: str
    version: str
    url: str


@dataclass(frozen=True)
class Evidence:
    """What a crate is made of.

    Attributes
    ----------
    results
        `results/<scale>`.
    runs
        Identities `study/arm/seed-n` of the runs in the tables that have a record, study by study.
    records
        The record of each of them.
    manifests
        From the path of a data set's manifest to its content.
    audit
        The content of `audit.json`; None if there was no audit.
    configuration
        The knobs of config/config.yaml, as they were used.
    citation
        The content of CITATION.cff.
    """

    scale: str
    results: str
    files: Mapping[str, CrateFile]
    runs: Mapping[str, Sequence[str]]
    records: Mapping[str, Mapping[str, Any]]
    manifests: Mapping[str, Mapping[str, Any]]
    audit: Mapping[str, Any] | None
    configuration: Mapping[str, Any]
    citation: Mapping[str, Any]
    engine: Engine

    @property
    def started(self) -> str:
        """When the first run started."""
        return min(str(record["started"]) for record in self.records.values())

    @property
    def ended(self) -> str:
        """When the last run ended."""
        return max(str(record["ended"]) for record in self.records.values())
