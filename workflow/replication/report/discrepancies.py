"""The page of known discrepancies: where sources contradict themselves or each other, and which reading is used here.

The words are in a YAML file, and the numbers in them are names in braces. `discrepancy_facts` computes them, and
`python -m replication facts` writes them to `parts.FACTS` beside the words: they depend on formulas and on the
installed PyTorch alone, which would take most of a report's time and memory. A test compares.
"""

import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from markupsafe import Markup
from pydantic import Field

from replication.errors import ConfigurationError
from replication.report.parts import FACTS
from replication.report.report_facts import ReportFacts, report_of
from replication.report.templates import filled_in
from replication.settings.base import Section
from replication.settings.validation import unknown_name, validate
from replication.settings.yaml_file import read_yaml


class Quote(Section):
    """What a report says."""

    report: str = Field(description="File name of the report.")
    words: str = Field(description="Verbatim, without its Markdown.")


class Discrepancy(Section):
    """One matter on which sources differ."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = Field(description="Name, as in links.")
    title: str = Field(description="The matter in a few words.")
    quotes: list[Quote] = Field(default=[], description="What the reports say of it.")
    differ: str = Field(description="How the sources differ. Computed numbers are names in braces.")
    ours: str = Field(description="Which reading is used here. Computed numbers are names in braces.")
    where: Annotated[list[str], Field(min_length=1)] = Field(
        description="Files of this repository that hold it, `file: key or name`."
    )


class Group(Section):
    """Divergences of one kind."""

    title: str = Field(description="Heading.")
    kind: Literal["within", "between", "definition"] = Field(
        description="within one report, between reports, or of a definition between paper and library."
    )
    discrepancies: Annotated[list[Discrepancy], Field(min_length=1)] = Field(
        description="In order of the page."
    )


class Page(Section):
    """All known discrepancies."""

    groups: Annotated[list[Group], Field(min_length=1)] = Field(description="In order of the page.")


def load_discrepancies(path: str | Path) -> Page:
    """Read the page, with every number filled in.

    Raises
    ------
    ConfigurationError
        The file is not valid, or names a number that nothing computes.
    """
    facts = json.loads(Path(path).with_name(FACTS).read_text(encoding="utf-8"))
    page = validate(Page, read_yaml(path), str(path))
    groups = [
        group.model_copy(
            update={"discrepancies": [_filled(each, facts, str(path)) for each in group.discrepancies]}
        )
        for group in page.groups
    ]
    return page.model_copy(update={"groups": groups})


def discrepancies_html(content: str | Path, template: str | Path, known: Mapping[str, ReportFacts]) -> Markup:
    """Render the page `content` by the Jinja template of a section; the words are escaped.

    Parameters
    ----------
    known
        The reports by file name.
    """

    def short(file: str) -> str:
        return report_of(file, known).short

    return Markup(filled_in(template, groups=load_discrepancies(content).groups, short=short))


def _filled(discrepancy: Discrepancy, facts: Mapping[str, str], place: str) -> Discrepancy:
    filled = {
        key: _with_facts(getattr(discrepancy, key), facts, f"{place}: {discrepancy.id}: `{key}`")
        for key in ("differ", "ours")
    }
    return discrepancy.model_copy(update=filled)


def _with_facts(text: str, facts: Mapping[str, str], place: str) -> str:
    names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
    for name in names:
        if name not in facts:
            raise ConfigurationError(f"{place}: {unknown_name('computed number', name, facts)}")
    return text.format_map(facts)
