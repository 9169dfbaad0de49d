"""The statements of the reports as rows that open: quote, our effect beside what is reported, verdict, evidence."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd

from replication.analysis.verdicts import NOT_RUN
from replication.report.claim_words import our_words, reported_words, what_would_decide
from replication.report.interval_axis import interval_axis
from replication.report.report_facts import ReportFacts, report_of
from replication.runs.plan import PlannedStudy
from replication.settings.claims import Claim
from replication.settings.measures import EPOCH_MEASURES, MEASURES
from replication.system.tables import records


def statements(
    planned: PlannedStudy, claims: pd.DataFrame, described: Sequence[str], known: Mapping[str, ReportFacts]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the statements of a study, each with its plainest reading first; and what differs for all of them.

    That is how the settings of the runs differ from the report's, where they do so for each reading.

    Parameters
    ----------
    claims
        The readings of this study.
    described
        The arms that the page has an entry for.
    """
    stated = {claim.id: claim for claim in planned.study.claims}
    different = [set(_differences(row)) for row in records(claims) if row["outcome"] != NOT_RUN]
    shared = set.intersection(*different) if different else set()
    found = []
    for name, rows in claims.groupby("statement", sort=False):
        ordered = rows.sort_values("plainest", ascending=False, kind="stable")
        readings = [_reading(row, stated[row["id"]], described, shared) for row in records(ordered)]
        plainest = readings[0]
        found.append(
            {
                "id": name,
                "quote": plainest["quote"],
                "section": plainest["section"],
                "report": report_of(planned.study.report, known),
                "plainest": plainest,
                "readings": readings,
            }
        )
    return found, sorted(shared)


def _differences(row: Mapping[str, Any]) -> list[str]:
    """Return how the settings of a reading's runs differ from the report's."""
    return row["qualifier"].split("; ") if row["qualifier"] else []


def _reading(
    row: dict[str, Any], claim: Claim, described: Sequence[str], shared: Collection[str]
) -> dict[str, Any]:
    ours, reported = our_words(row), reported_words(row, claim)
    return {
        **row,
        "ours": ours,
        "reported": reported,
        "axis": interval_axis(row, reported, ours),
        "comparisons": (row["detail"] or "") if "; " in (row["detail"] or "") else "",  # one is the estimate
        "would_decide": what_would_decide(row),
        "measured": _measured(claim),
        "differences": [each for each in _differences(row) if each not in shared],
        "arms": sorted({arm for arm in claim.arms if arm in described}),
    }


def _measured(claim: Claim) -> str:
    """Return what is measured and when, such as `test accuracy, last epoch`."""
    title = MEASURES[claim.measure].title.lower()
    if claim.measure not in EPOCH_MEASURES or claim.kind == "shape":
        return title
    return (
        f"{title}, {claim.epoch} epoch"
        if isinstance(claim.epoch, str)
        else f"{title}, after epoch {claim.epoch}"
    )
