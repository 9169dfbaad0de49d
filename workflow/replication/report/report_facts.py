"""The reports as a reader knows them: title, authors, year, and where each was published."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from replication.settings.base import Section
from replication.settings.validation import validate
from replication.settings.yaml_file import read_yaml


class ReportFacts(Section):
    """One report."""

    file: str = Field(description="File name, by which studies name it.")
    id: str = Field(description="Name, as in addresses of the page.")
    title: str = Field(description="As the document has it.")
    short: str = Field(description="In three words or so, for narrow places.")
    authors: str | None = Field(default=None, description="As the document names them.")
    year: int | None = Field(default=None, description="Of publication.")
    published: str = Field(description="What the document is, and where it was published, as far as it says.")

    @property
    def byline(self) -> str:
        """Authors and year, as far as they are known."""
        return ", ".join(str(each) for each in (self.authors, self.year) if each)


class ReportList(Section):
    """All reports."""

    reports: Annotated[list[ReportFacts], Field(min_length=1)] = Field(description="In order of the page.")


def load_reports(path: str | Path) -> dict[str, ReportFacts]:
    """Return the reports in a YAML file, by file name.

    Raises
    ------
    ConfigurationError
        The file is not valid.
    """
    listed = validate(ReportList, read_yaml(path), str(path)).reports
    return {facts.file: facts for facts in listed}


def report_of(file: str, known: Mapping[str, ReportFacts]) -> ReportFacts:
    """Return a report; one that is not listed is known by its file name only."""
    return known.get(file) or ReportFacts(file=file, id=file, title=file, short=file, published="")
