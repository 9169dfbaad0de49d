"""The verdicts as text, for the end of a terminal session."""

import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from replication.errors import ResultsError
from replication.report.claim_words import what_would_decide
from replication.report.formatting import counted
from replication.system.tables import read_table, records


def verdict_table(results: str | Path) -> str:
    """Return one line per reading with its verdict, and the path of the report.

    Raises
    ------
    ResultsError
        There are no claims in `results`.
    """
    path = Path(results) / "claims.csv"
    if not path.exists():
        raise ResultsError(f"{path} does not exist: run `snakemake --cores all` first")
    claims = read_table(path)
    lines = [line for _, study in claims.groupby("study", sort=False) for line in _study_lines(study)]
    statements = claims[claims["plainest"]]
    counts = statements["verdict"].value_counts()
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return "\n".join(
        [
            *lines,
            "",
            f"{counted(len(statements), 'statement')}: {summary}",
            f"Report: {Path(results) / 'report.html'}",
        ]
    )


def _study_lines(claims: pd.DataFrame) -> list[str]:
    """Return a line for each statement, and one below it for each reading that is not its plainest."""
    first = claims.iloc[0]
    wide = max(len(_name(claim)) for claim in records(claims))
    room = max(shutil.get_terminal_size((100, 24)).columns - wide - 4, 30)
    lines = ["", f"{first['study']} ({first['report']})"]
    readings = [
        reading
        for _, statement in claims.groupby("statement", sort=False)
        for reading in records(statement.sort_values("plainest", ascending=False, kind="stable"))
    ]
    for claim in readings:
        text = ", ".join(filter(None, (claim["verdict"], what_would_decide(claim))))
        verdict = textwrap.shorten(text, room, placeholder=" ...")
        lines.append(f"  {_name(claim):<{wide}}  {verdict}")
    return lines


def _name(claim: Mapping[str, Any]) -> str:
    return claim["id"] if claim["plainest"] else f"  {claim['id']}"
