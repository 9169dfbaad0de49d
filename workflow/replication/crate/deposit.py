"""What others ask for in a crate: Zenodo's metadata of a deposit, and the manifest that a CODECHECK starts from.

Both are made of CITATION.cff and of what the crate holds. See https://developers.zenodo.org/#representation and
https://codecheck.org.uk/spec/config/1.0/.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from replication.crate.contents import DESCRIPTIONS
from replication.crate.evidence import Evidence
from replication.crate.root import description_of, name_of
from replication.system.files import json_text

ZENODO, CODECHECK = ".zenodo.json", "codecheck.yml"
CODECHECK_VERSION = "https://codecheck.org.uk/spec/config/1.0/"


def zenodo(evidence: Evidence) -> str:
    """Return the content of `.zenodo.json`, which a deposit on Zenodo takes its metadata from."""
    citation = evidence.citation
    return json_text(
        {
            "title": name_of(evidence),
            "upload_type": "dataset",
            "description": f"{description_of(evidence)} {citation['abstract']}",
            "creators": [{"name": _name(author, family_first=True)} for author in citation["authors"]],
            "access_right": "open",
            "license": citation["license"].lower(),
            "keywords": citation["keywords"],
            "version": citation["version"],
            "publication_date": evidence.ended[:10],
            "references": [_in_words(report) for report in citation["references"]],
        }
    )


def codecheck(evidence: Evidence) -> str:
    """Return the content of `codecheck.yml`: what is to be made again, and of what work.

    Who checks it, the certificate and its report are for the codechecker to add.
    """
    content = {
        "version": CODECHECK_VERSION,
        "paper": {
            "title": name_of(evidence),
            "authors": [{"name": _name(author)} for author in evidence.citation["authors"]],
        },
        "manifest": [
            {"file": path, "comment": comment}
            for path in evidence.files
            if (comment := _shown(path, evidence))
        ],
    }
    return yaml.safe_dump(content, explicit_start=True, sort_keys=False, allow_unicode=True)


def _shown(path: str, evidence: Evidence) -> str:
    """Return what a file shows, if it is one that a reader looks at: report, verdicts, combined tables, figures."""
    inside = PurePosixPath(path.removeprefix(f"{evidence.results}/"))
    if inside.suffix == ".svg" and path.startswith(f"{evidence.results}/studies/"):
        return f"Figure {inside.stem} of the study {inside.parts[1]}."
    if path == f"{evidence.results}/{inside}" and str(inside.parent) in (".", "tables"):
        looked_at = inside.suffix == ".csv" or inside.name == "report.html"
        return DESCRIPTIONS.get(inside.name, "") if looked_at else ""
    return ""


def _name(author: Mapping[str, Any], *, family_first: bool = False) -> str:
    """Return the name of a person or a group."""
    if "name" in author:
        return str(author["name"])
    given, family = author["given-names"], author["family-names"]
    return f"{family}, {given}" if family_first else f"{given} {family}"


def _in_words(report: Mapping[str, Any]) -> str:
    """Return a reference as a reader sees it."""
    authors = ", ".join(_name(author) for author in report["authors"])
    year = f" ({report['year']})" if "year" in report else ""
    return f"{authors}{year}: {report['title']}. {report['notes']}"
