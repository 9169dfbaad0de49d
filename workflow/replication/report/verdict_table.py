"""The verdicts as text, for the end of a terminal session."""

import shutil
import textwrap
from pathlib import Path

import pandas as pd

from replication.errors import ResultsError
from replication.report.formatting import counted
from replication.system.tables import read_table


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
    wide = max(len(name) for name in claims["id"]) + 2
    room = max(shutil.get_terminal_size((100, 24)).columns - wide - 4, 30)
    lines = ["", f"{first['study']} ({first['report']})"]
    readings = [
        reading
        for _, statement in claims.groupby("statement", sort=False)
        for reading in statement.sort_values("plainest", ascending=False, kind="stable").to_dict("records")
    ]
    for claim in readings:
        name = claim["id"] if claim["plainest"] else f"  {claim['id']}"
        seeds = claim["seeds_to_decide"]
        more = "" if pd.isna(seeds) else f", about {seeds:.0f} seeds would decide it"
        verdict = textwrap.shorten(claim["verdict"] + more, room, placeholder=" ...")
        lines.append(f"  {name:<{wide}}  {verdict}")
    return lines
