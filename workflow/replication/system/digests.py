"""SHA-256 of texts, files and plain values."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def digest_of_text(text: str) -> str:
    """Return the SHA-256 of `text` as UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of_file(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return `record` with its own hash as `sha256`, so that any change to it shows."""
    return {**record, "sha256": digest_of_text(canonical_json(record))}


def is_sealed(record: Mapping[str, Any]) -> bool:
    """Return whether `record` is as `sealed` has returned it."""
    rest = {key: value for key, value in record.items() if key != "sha256"}
    return record.get("sha256") == digest_of_text(canonical_json(rest))


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys: equal values give equal text."""
    return json.dumps(value, sort_keys=True, allow_nan=False)
