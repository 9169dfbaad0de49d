"""The first screen: how many statements of each report hold, and the findings that matter most."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from replication.analysis import verdicts
from replication.analysis.kinds_of_evidence import KINDS
from replication.report.claim_words import what_we_saw
from replication.report.formatting import counted
from replication.report.report_facts import ReportFacts, report_of
from replication.runs.plan import PlannedStudy
from replication.system.tables import records

LEAST_FINDINGS, MOST_FINDINGS = 3, 6
HOLDS = (verdicts.REPRODUCED, verdicts.SUPPORTED)
# Where few words must do.
GROUPS = {
    "hold": HOLDS,
    "contradicted": (verdicts.CONTRADICTED,),
    "undecided": (verdicts.UNDECIDED, verdicts.IDENTICAL),
    "not tested": (verdicts.NOT_TESTABLE, verdicts.INCOMPLETE, verdicts.NOT_RUN),
}


def answer(
    plan: Mapping[str, PlannedStudy],
    claims: pd.DataFrame,
    titles: Mapping[tuple[str, str], str],
    known: Mapping[str, ReportFacts],
) -> dict[str, Any]:
    """Return what the first screen shows.

    Parameters
    ----------
    claims
        Of all studies, as in `claims.csv`.
    titles
        By study and arm.
    """
    statements = claims[claims["plainest"]]
    counts = outcome_counts(statements)
    return {
        "counts": counts,
        "sentence": answer_in_words(statements),
        "bars": _bars(statements, known),
        "findings": [
            _finding(row, plan[row["study"]], titles, known) for row in _that_matter_most(statements, known)
        ],
    }


def outcome_counts(statements: pd.DataFrame) -> dict[str, int]:
    """Return how many statements have each outcome."""
    found = statements["outcome"].value_counts()
    return {outcome: int(found.get(outcome, 0)) for outcome in verdicts.OUTCOMES}


def answer_in_words(statements: pd.DataFrame) -> str:
    """Return the answer in a sentence or two, given the plainest reading of each statement."""
    outcomes, reports = outcome_counts(statements), statements["report"].nunique()
    counts = {name: sum(outcomes[each] for each in group) for name, group in GROUPS.items()}
    holding, against = counts["hold"], counts["contradicted"]
    decided = (
        f"{holding} hold in our own runs and {against} do not" if holding + against else "none is decided yet"
    )
    left = "; ".join(f"{counts[name]} {name}" for name in ("undecided", "not tested") if counts[name])
    stated = f"Of {counted(sum(counts.values()), 'statement')} in {counted(reports, 'report')}"
    return f"{stated}, {decided}" + (f" ({left})." if left else ".")


def _bars(statements: pd.DataFrame, known: Mapping[str, ReportFacts]) -> list[dict[str, Any]]:
    """Return each report with a bar for each kind of evidence, their lengths relative to the longest.

    What was not run has no evidence: it stands at the end of the last bar.
    """
    bars = [(file, counts_by_kind(of_report)) for file, of_report in by_report(statements, known)]
    longest = max(sum(counts.values()) for _, parts in bars for counts in parts.values())
    return [
        {
            "report": report_of(file, known),
            "kinds": [
                {"kind": kind, "share": f"{sum(counts.values()) / longest:.1%}", "counts": counts}
                for kind, counts in parts.items()
            ],
        }
        for file, parts in bars
    ]


def counts_by_kind(statements: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Return the counts of each outcome by kind of evidence, under an empty name if nothing was run."""
    run = statements[statements["outcome"] != verdicts.NOT_RUN]
    kinds = [kind for kind in KINDS if (run["evidence"] == kind).any()] or [""]
    counts = {kind: outcome_counts(run[run["evidence"] == kind]) for kind in kinds}
    counts[kinds[-1]][verdicts.NOT_RUN] = len(statements) - len(run)
    return counts


def by_report(
    statements: pd.DataFrame, known: Mapping[str, ReportFacts]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the statements of each report, in the order of their list."""
    for file in _in_order(statements, known):
        of_report = statements[statements["report"] == file]
        if not of_report.empty:
            yield file, of_report


def _in_order(statements: pd.DataFrame, known: Mapping[str, ReportFacts]) -> list[str]:
    return list(dict.fromkeys([*known, *statements["report"]]))


def _that_matter_most(statements: pd.DataFrame, known: Mapping[str, ReportFacts]) -> list[dict[str, Any]]:
    """Return the findings to begin with: one of each report and of each study, and more of them if these are few.

    The best evidence comes first, of this what contradicts the report, and then what the runs show most clearly.
    """
    decided = statements[statements["outcome"].isin(verdicts.DECIDED)]
    ranked = sorted(records(decided), key=_importance)
    chosen: list[dict[str, Any]] = []
    for key in ("report", "study"):
        for row in ranked:
            if row not in chosen and row[key] not in [each[key] for each in chosen]:
                chosen.append(row)
    others = [row for row in ranked if row not in chosen]
    chosen += others[: max(LEAST_FINDINGS - len(chosen), 0)]
    order = _in_order(statements, known)
    return sorted(chosen[:MOST_FINDINGS], key=lambda row: order.index(row["report"]))


def _importance(row: Mapping[str, Any]) -> tuple[int, bool, float]:
    return list(KINDS).index(row["evidence"]), row["outcome"] != verdicts.CONTRADICTED, _p_value(row)


def _p_value(row: Mapping[str, Any]) -> float:
    """Return the p value that has decided a reading; 1 for a number, which none confirms."""
    p_value = row["p_not_so"] if row["outcome"] == verdicts.CONTRADICTED else row["p_so"]
    return 1.0 if p_value is None else p_value


def _finding(
    row: Mapping[str, Any],
    planned: PlannedStudy,
    titles: Mapping[tuple[str, str], str],
    known: Mapping[str, ReportFacts],
) -> dict[str, Any]:
    claim = next(claim for claim in planned.study.claims if claim.id == row["id"])
    own = {
        arm: Markup("<em>{}</em>").format(title)
        for (study, arm), title in titles.items()
        if study == planned.name
    }
    return {
        "holds": row["outcome"] in HOLDS,
        "outcome": row["outcome"],
        "quote": row["quote"],
        "seen": Markup(what_we_saw(row, claim, own)),
        "link": f"claim-{planned.name}-{row['id']}",
        "report": report_of(row["report"], known),
        "evidence": row["evidence"],
    }
