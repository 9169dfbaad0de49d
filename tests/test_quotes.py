"""The studies quote the reports word for word."""

import os
import re
from pathlib import Path

import pytest

from project import ROOT
from replication.settings.study import Study
from replication.settings.validation import validate
from replication.settings.yaml_file import read_yaml

REPORTS = os.environ.get("REPLICATION_TEST_REPORTS")
STUDIES = sorted((ROOT / "config" / "studies").glob("*.yaml"))
OMISSION = " [...] "


def plain(text: str) -> str:
    """Return text without Markdown's signs and HTML's tags, every run of white space being one space."""
    return " ".join(re.sub(r"<[^>]*>|[*`]", " ", text.replace("\\", "")).split())


@pytest.mark.skipif(REPORTS is None, reason="REPLICATION_TEST_REPORTS is not set: the folder of the reports")
@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_every_quote_stands_in_its_report(file: Path) -> None:
    study = validate(Study, read_yaml(file), str(file))
    report = plain((Path(REPORTS or "") / study.report).read_text(encoding="utf-8"))
    parts = [(claim.id, part) for claim in study.claims for part in claim.quote.split(OMISSION)]
    assert [(name, part) for name, part in parts if plain(part) not in report] == []
