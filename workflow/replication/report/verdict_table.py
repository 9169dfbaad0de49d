"""The verdicts as text, for the end of a terminal session."""

import shutil
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from replication.analysis.kinds_of_evidence import KINDS
from replication.analysis.verdicts import CONTRADICTED, NOT_RUN, UNDECIDED
from replication.errors import ResultsError
from replication.report.answer import HOLDS
from replication.report.claim_words import our_words, what_would_decide
from replication.report.formatting import counted
from replication.report.report_facts import ReportFacts, report_of
from replication.system.tables import read_table, records

SCREEN = 24  # lines
WIDTH = 100
# The columns of the summary; what is in none of them was not judged.
COLUMNS = {"hold": HOLDS, "contradicted": (CONTRADICTED,), "undecided": (UNDECIDED,)}
NOT_JUDGED = "not judged"


def verdict_summary(results: str | Path, known: Mapping[str, ReportFacts]) -> str:
    """Return on one screen how many statements of each report hold, and which are contradicted, and what to do next.

    Parameters
    ----------
    known
        The reports, as `load_reports` returns them.

    Raises
    ------
    ResultsError
        There are no claims in `results`.
    """
    results = Path(results)
    claims = _claims(results)
    statements = claims[claims["plainest"]]
    head = [*_counts(statements, known), ""]
    foot = ["", f"Report: {results / 'report.html'}", _next(results)]
    return "\n".join([*head, *_contradicted(statements, SCREEN - len(head) - len(foot)), *foot])


def _counts(statements: pd.DataFrame, known: Mapping[str, ReportFacts]) -> list[str]:
    """Return a line for each report and kind of evidence, and one for all."""
    lines = [_row("statements by report", "evidence", *COLUMNS, NOT_JUDGED, NOT_RUN)]
    for report, own in statements.groupby("report", sort=False):
        ran = own["outcome"] != NOT_RUN
        # Those not run are evidence of no kind, and stand in the report's first line.
        by_kind = [own[ran & (own["evidence"] == kind)] for kind in KINDS]
        first, *others = [rows for rows in by_kind if len(rows)] or [own[ran]]
        lines.append(
            _row(report_of(str(report), known).short, _kind(first), *_numbers(pd.concat([first, own[~ran]])))
        )
        lines += [_row("", _kind(rows), *_numbers(rows)) for rows in others]
    return [*lines, _row(f"all {len(statements)}", "", *_numbers(statements))]


def _kind(rows: pd.DataFrame) -> str:
    return str(rows["evidence"].iloc[0]) if len(rows) else ""


def _numbers(statements: pd.DataFrame) -> list[int]:
    numbers = [int(statements["outcome"].isin(outcomes).sum()) for outcomes in COLUMNS.values()]
    not_run = int((statements["outcome"] == NOT_RUN).sum())
    return [*numbers, len(statements) - sum(numbers) - not_run, not_run]


def _row(name: str, evidence: str, *cells: object) -> str:
    labels = (*COLUMNS, NOT_JUDGED, NOT_RUN)
    numbers = (f"{cell or '':>{len(label) + 3}}" for label, cell in zip(labels, cells, strict=True))
    return f"{name:<29}{evidence:<11}{''.join(numbers)}".rstrip()


def _contradicted(statements: pd.DataFrame, room: int) -> list[str]:
    """Return the contradicted statements in `room` lines, those with the best evidence first."""
    found = statements[statements["outcome"] == CONTRADICTED]
    if not len(found):
        return ["No statement is contradicted."]
    kinds = list(KINDS)
    rows = sorted(records(found), key=lambda row: (kinds.index(row["evidence"]), row["p_not_so"] or 0.0))
    lines = ["Contradicted: the report's words, and ours"]
    shown = rows if len(rows) < room else rows[: room - 2]
    lines += [_in_words(row) for row in shown]
    if len(shown) < len(rows):
        lines.append(f"  and {len(rows) - len(shown)} more: python -m replication verdicts --all")
    return lines


def _in_words(claim: Mapping[str, Any]) -> str:
    ours = f": {our_words(claim)}"
    quote = " ".join(str(claim["quote"]).split())
    room = WIDTH - len(ours) - len(claim["study"]) - 6
    return f'  {claim["study"]}: "{textwrap.shorten(quote, max(room, 20), placeholder=" ...")}"{ours}'


def _next(results: Path) -> str:
    if (results / "audit.json").exists():
        return f"Next: snakemake crate --config scale={results.name} packs all of it, to be deposited"
    return f"Next: snakemake audit --config scale={results.name} checks every number of it"


def verdict_table(results: str | Path) -> str:
    """Return one line per reading with its verdict, and the path of the report, however long.

    Raises
    ------
    ResultsError
        There are no claims in `results`.
    """
    claims = _claims(Path(results))
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


def _claims(results: Path) -> pd.DataFrame:
    path = results / "claims.csv"
    if not path.exists():
        raise ResultsError(f"{path} does not exist: run `snakemake --cores all` first")
    return read_table(path)


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
