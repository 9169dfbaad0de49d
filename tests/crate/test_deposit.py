"""The metadata of a deposit, and what they are made of: CITATION.cff."""

import json
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml

from places import ROOT
from replication.crate.contents import CrateFile
from replication.crate.deposit import codecheck, zenodo
from replication.crate.evidence import Engine, Evidence
from replication.report.report_facts import load_reports

CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
RESULTS = "results/demo"
SHOWN = ("claims.csv", "report.html", "studies/tiny/figures/losses.svg", "tables/summary.csv")
OTHERS = ("audit.json", "studies/tiny/summary.csv", "runs/tiny/cosine/seed-1/history.csv")


def evidence() -> Evidence:
    """Return what a small crate is made of."""
    paths = [*(f"{RESULTS}/{name}" for name in (*SHOWN, *OTHERS)), "README.md", "docs/picture.svg"]
    return Evidence(
        scale="demo",
        results=RESULTS,
        files={path: CrateFile(path, 1, "ab") for path in paths},
        runs={},
        records={"tiny/cosine/seed-1": {"started": "2026-01-02T03:04:05", "ended": "2026-01-02T03:07:02"}},
        manifests={},
        audit=None,
        configuration={},
        citation=CITATION,
        engine=Engine("Snakemake", "9", "https://snakemake.github.io"),
    )


def name_of(author: Mapping[str, str]) -> str:
    return author.get("name") or f"{author['given-names']} {author['family-names']}"


def check_author(author: Mapping[str, Any]) -> None:
    """Check a person or an entity of CFF 1.2.0."""
    assert set(author) in ({"name"}, {"given-names", "family-names"})
    assert all(isinstance(value, str) and value for value in author.values())


def test_the_citation_is_one_of_cff_1_2_0() -> None:
    assert CITATION.keys() == {
        *("cff-version", "title", "message", "authors"),  # required
        *("abstract", "type", "keywords", "license", "version", "date-released", "references"),
    }
    assert (CITATION["cff-version"], CITATION["type"], CITATION["license"]) == ("1.2.0", "software", "MIT")
    assert isinstance(CITATION["date-released"], date)
    assert len(set(CITATION["keywords"])) == len(CITATION["keywords"]) > 0
    assert all(isinstance(CITATION[key], str) for key in ("title", "message", "abstract", "version"))
    for reference in CITATION["references"]:
        assert (
            {"type", "title", "authors"} <= reference.keys() <= {"type", "title", "authors", "year", "notes"}
        )
        assert reference["type"] in ("report", "website", "generic")
    for author in [
        *CITATION["authors"],
        *(each for ref in CITATION["references"] for each in ref["authors"]),
    ]:
        check_author(author)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (CITATION["version"], CITATION["license"]) == (project["version"], project["license"])


def test_its_references_are_the_reports_as_their_list_has_them() -> None:
    known = load_reports(ROOT / "reports/reports.yaml").values()
    assert [
        (
            ", ".join(map(name_of, reference["authors"])).replace(", others", " and others"),
            reference["title"],
            reference.get("year"),
            reference["notes"],
        )
        for reference in CITATION["references"]
    ] == [(facts.authors or "anonymous", facts.title, facts.year, facts.published) for facts in known]


def test_zenodo_gets_what_it_asks_for() -> None:
    found = json.loads(zenodo(evidence()))
    assert {"title", "upload_type", "description", "creators", "access_right", "license"} <= found.keys()
    assert found["title"] == "Learning-Rate Replication: results at demo scale"
    assert found["creators"] == [{"name": name_of(author)} for author in CITATION["authors"]]
    assert found["publication_date"] == "2026-01-02"
    assert (found["upload_type"], found["license"], found["version"]) == (
        "dataset",
        "mit",
        CITATION["version"],
    )
    assert found["keywords"] == CITATION["keywords"]
    assert CITATION["abstract"] in found["description"]
    assert found["references"][3].startswith("Sarah Lee, others (2025): Learning Rate Schedulers For Deep")
    assert len(found["references"]) == len(CITATION["references"])


def test_a_codecheck_starts_from_what_a_reader_looks_at() -> None:
    text = codecheck(evidence())
    assert text.startswith("---\n")
    found = yaml.safe_load(text)
    assert found["version"] == "https://codecheck.org.uk/spec/config/1.0/"
    assert found["paper"]["authors"] == [{"name": name_of(author)} for author in CITATION["authors"]]
    assert [each["file"] for each in found["manifest"]] == [f"{RESULTS}/{name}" for name in SHOWN]
    assert all(each.keys() == {"file", "comment"} and each["comment"] for each in found["manifest"])
    assert found["manifest"][2]["comment"] == "Figure losses of the study tiny."
