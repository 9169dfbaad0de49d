"""What is said of the published results is what they say."""

from pathlib import Path

import pytest

from places import ROOT
from project import inside
from replication.analysis.verdicts import CONTRADICTED
from replication.publication import PUBLISHED
from replication.publication.findings import findings, looked_into
from replication.system.tables import read_table

SCALE = "laptop"  # whose results the README's answer and the findings are of


@pytest.mark.slow
def test_findings_and_answer_are_those_of_the_published_results() -> None:
    with inside(ROOT):
        said = findings(PUBLISHED / SCALE)
        assert [str(path) for path, text in said.items() if path.read_text(encoding="utf-8") != text] == []


def test_each_failure_was_looked_into_and_nothing_that_was_not_judged() -> None:
    claims = read_table(ROOT / PUBLISHED / SCALE / "claims.csv")
    plainest = claims[claims["plainest"] & claims["estimate"].notna()]
    keys = plainest["study"] + "/" + plainest["id"]
    with inside(ROOT):
        looked = set(looked_into(SCALE))
    assert set(keys[plainest["outcome"] == CONTRADICTED]) <= looked <= set(keys)


def test_every_picture_of_the_readme_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pictures = [
        part.partition(")")[0] for part in readme.split("![")[1:] for part in [part.partition("](")[2]]
    ]
    assert pictures
    assert all((ROOT / Path(picture)).is_file() for picture in pictures)
