"""The verdicts as text, for the end of a terminal session."""

import shutil
import textwrap
from pathlib import Path

import pandas as pd

from replication.errors import ResultsError
from replication.system.tables import read_table


def verdict_table(results: str | Path) -> str:
    """Return one line per claim with its verdict, and the path of the report.

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
    counts = claims["verdict"].str.partition(" (")[0].value_counts()
    summary = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return "\n".join(
        [*lines, "", f"{len(claims)} claims: {summary}", f"Report: {Path(results) / 'report.html'}"]
    )


def _study_lines(claims: pd.DataFrame) -> list[str]:
    first = claims.iloc[0]
    wide = max(len(name) for name in claims["id"])
    room = max(shutil.get_terminal_size((100, 24)).columns - wide - 4, 30)
    lines = ["", f"{first['study']} ({first['report']})"]
    for claim in claims.to_dict("records"):
        judged = claim["verdict"].partition(" (")[0]
        both = (
            f"{judged}; on these data: {claim['outcome']}" if judged == "not comparable" else claim["verdict"]
        )
        lines.append(f"  {claim['id']:<{wide}}  {textwrap.shorten(both, room, placeholder=' ...')}")
    return lines
