"""The record of a run, read strictly."""

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from replication.errors import ConfigurationError, ResultsError
from replication.settings.base import Section
from replication.settings.validation import validate
from replication.system.digests import is_sealed
from replication.system.files import json_text


class StudyFacts(Section):
    """The study's file when the run was made."""

    file: str
    sha256: str | None
    statements_sha256: str | None
    rules_sha256: str


class DatasetFacts(Section):
    """The data that the run has used."""

    name: str
    identity: str
    classes: int


class GitFacts(Section):
    """The state of the working tree."""

    commit: str | None
    dirty: bool | None


class MachineFacts(Section):
    """What the run was made on."""

    system: str
    architecture: str
    processor: str
    device: str
    driver: str | None
    threads: int


class Session(Section):
    """From a start of the run's process to that process' end."""

    started: str
    ended: str
    first_step: int = Field(ge=0)
    last_step: int = Field(ge=0)
    end: str


class Record(Section):
    """Everything that a run says about itself."""

    run_id: str
    seed: int
    settings: dict[str, Any]
    settings_sha256: str
    code_sha256: str
    study: StudyFacts
    dataset: DatasetFacts
    git: GitFacts
    versions: dict[str, str]
    lock_sha256: str | None
    installed_sha256: str
    machine: MachineFacts
    determinism: dict[str, bool]
    sessions: list[Session] = Field(min_length=1)
    started: str
    ended: str
    outcome: Literal["completed", "stopped early", "diverged"]
    epochs: int = Field(ge=1)
    best_epoch: int | None
    finite_weights: bool
    weights_sha256: str
    costs: dict[str, float]
    files: dict[str, str]
    sha256: str


def read_record(path: str | Path) -> Record:
    """Read a record.

    Raises
    ------
    ResultsError
        It cannot be read, has changed since it was written, or lacks something; the message does not name it.
    """
    raw = read_sealed(path)
    try:
        return validate(Record, raw, "the record")
    except ConfigurationError as error:
        raise ResultsError("; ".join(str(error).splitlines())) from error


def read_sealed(path: str | Path) -> dict[str, Any]:
    """Read a JSON file that holds its own hash.

    Raises
    ------
    ResultsError
        As for `read_record`.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8")
        raw = json.loads(text)
        if not isinstance(raw, dict) or not is_sealed(raw):
            raise ValueError("it has changed since it was written: its `sha256` is not that of its content")
        if text != json_text(raw):
            raise ValueError("it has changed since it was written: its content is laid out in another way")
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"damaged ({error})") from error
    return raw
