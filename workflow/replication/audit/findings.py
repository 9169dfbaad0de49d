"""What an audit has found."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

TEXT_LENGTH = 80  # of a value that a message shows


@dataclass(frozen=True, order=True)
class Finding:
    """A file and what is to be said of it, on one line."""

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


@dataclass
class Findings:
    """Everything found so far.

    Attributes
    ----------
    failures
        Problems that an intact folder does not have.
    warnings
        What agrees with the records, but a reader should know.
    notes
        What is worth knowing, but is no problem.
    not_derived
        Outputs that could not be made again, because of a failure elsewhere.
    counts
        How much was checked, by name.
    """

    failures: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    not_derived: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def fail(self, file: str | Path, problem: str) -> None:
        """Note a failure."""
        self.failures.append(Finding(str(file), problem))

    def warn(self, file: str | Path, problem: str) -> None:
        """Note a warning."""
        self.warnings.append(Finding(str(file), problem))

    def note(self, file: str | Path, problem: str) -> None:
        """Note a fact."""
        self.notes.append(Finding(str(file), problem))

    def skip(self, file: str | Path, reason: str) -> None:
        """Note an output that could not be made again."""
        self.not_derived.append(Finding(str(file), reason))


def shown(value: object) -> str:
    """Return a value as a message shows it: on one line, its end cut off if it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH - 1]}…"
