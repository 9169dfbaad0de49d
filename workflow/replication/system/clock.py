"""The time, as records say it."""

from datetime import UTC, datetime


def now() -> str:
    """Return the time as ISO 8601 text, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
