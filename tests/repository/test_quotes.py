"""The studies quote the reports word for word."""

from pathlib import Path

import pytest

from places import ROOT
from replication.settings.study import Study
from replication.settings.validation import validate
from replication.settings.yaml_file import read_yaml
from reports import FOLDER, MISSING, plain

STUDIES = sorted((ROOT / "config" / "studies").glob("*.yaml"))
OMISSION = " [...] "


@pytest.mark.skipif(FOLDER is None, reason=MISSING)
@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_every_quote_stands_in_its_report(file: Path) -> None:
    study = validate(Study, read_yaml(file), str(file))
    report = plain((Path(FOLDER or "") / study.report).read_text(encoding="utf-8"))
    parts = [(said.id, part) for said in study.statements for part in said.quote.split(OMISSION)]
    assert [(name, part) for name, part in parts if plain(part) not in report] == []
