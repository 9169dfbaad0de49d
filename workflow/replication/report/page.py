"""The report: one HTML file that is read offline, made of tables and executed notebooks only."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from replication.analysis import verdicts
from replication.analysis.kinds_of_evidence import KINDS
from replication.analysis.likelihoods import times
from replication.analysis.measures import DERIVED
from replication.report.audit_stamp import NOT_AUDITED
from replication.report.claim_words import our_words, reported_words, what_would_decide
from replication.report.discrepancies import discrepancies_html
from replication.report.figures import figure_html, reported_values, schedule_gallery, svg_of
from replication.report.formatting import format_interval, format_value
from replication.report.notebooks import notebooks_html
from replication.report.templates import filled_in, verbatim
from replication.runs.plan import PlannedStudy
from replication.settings.claims import Claim
from replication.settings.measures import EPOCH_MEASURES, MEASURES
from replication.settings.study import Table
from replication.system.files import write_text
from replication.system.tables import read_table, records

TEMPLATE, STYLE = "report.html.j2", "report.css"
DISCREPANCIES, DISCREPANCIES_TEMPLATE = "discrepancies.yaml", "discrepancies.html.j2"
COSTS = tuple(name for name, measure in MEASURES.items() if measure.cost)


@dataclass(frozen=True)
class Tables:
    """The combined tables of a scale."""

    claims: pd.DataFrame
    runs: pd.DataFrame
    summary: pd.DataFrame
    arms: pd.DataFrame
    recommendations: pd.DataFrame
    explanations: pd.DataFrame
    schedules: pd.DataFrame

    @classmethod
    def read(cls, results: str | Path) -> "Tables":
        """Read the tables in `results/<scale>/`."""
        names = ("runs", "summary", "arms", "recommendations", "explanations", "schedules")
        tables = {name: read_table(Path(results, "tables", f"{name}.csv")) for name in names}
        return cls(read_table(Path(results, "claims.csv")), **tables)


def render(
    plan: Mapping[str, PlannedStudy],
    results: str | Path,
    parts: str | Path,
    output: str | Path,
) -> None:
    """Write the report of a scale.

    Parameters
    ----------
    plan
        The studies that the report is about, by name.
    results
        The folder `results/<scale>`.
    parts
        The folder `reports`, with the page's template and style sheet, and the known discrepancies.
    """
    tables = Tables.read(results)
    folder = Path(parts)
    notebooks = notebooks_html(Path(results, "studies", name, "notebook.ipynb") for name in plan)
    page = filled_in(
        folder / TEMPLATE,
        style=verbatim(folder / STYLE),
        scale=next(iter(plan.values())).scale,
        audit=Markup(NOT_AUDITED),
        banner=_banner(tables),
        outcomes=verdicts.OUTCOMES,
        counts=_counts(tables.claims),
        by_study=[_overview(planned, tables) for planned in plan.values()],
        budgets=_budgets(tables),
        studies=[
            _study(planned, notebook, tables)
            for planned, notebook in zip(plan.values(), notebooks, strict=True)
        ],
        discrepancies=discrepancies_html(folder / DISCREPANCIES, folder / DISCREPANCIES_TEMPLATE),
        gallery=_gallery(tables.schedules),
        epoch_measures=EPOCH_MEASURES,
        cost_headings=[MEASURES[measure].label for measure in COSTS],
        rules=_rules(),
        kinds=KINDS,
    )
    write_text(output, page)


def _banner(tables: Tables) -> dict[str, Any]:
    """Return what the reader must know before any number."""
    kinds = tables.claims.loc[tables.claims["outcome"] != verdicts.NOT_RUN, "evidence"].value_counts()
    missing = tables.runs["outcome"] == "missing"
    return {
        "nothing": bool(missing[tables.runs["outcome"] != DERIVED].all()),
        "data": sorted(tables.runs["dataset"].dropna().unique()),
        "runs": int((tables.runs["outcome"] != DERIVED).sum()),
        "missing": int(missing.sum()),
        "evidence": {kind: int(kinds[kind]) for kind in KINDS if kind in kinds},
    }


def _counts(claims: pd.DataFrame) -> dict[str, int]:
    """Return how many statements have each outcome: that of their plainest reading."""
    outcomes = claims.loc[claims["plainest"], "outcome"].value_counts()
    return {outcome: int(outcomes.get(outcome, 0)) for outcome in verdicts.OUTCOMES}


def _overview(planned: PlannedStudy, tables: Tables) -> dict[str, Any]:
    """Return the counts of a study's verdicts, for the table over all reports."""
    claims = tables.claims[tables.claims["study"] == planned.name]
    counts = _counts(claims)
    return {
        "name": planned.name,
        "title": planned.study.title,
        "report": planned.study.report,
        "statements": sum(counts.values()),
        "counts": list(counts.values()),
    }


def _budgets(tables: Tables) -> list[dict[str, Any]]:
    """Return the practitioner's answer, one group per ranking, with what it was measured on."""
    titles = {
        (row["study"], row["arm"]): row["title"]
        for row in tables.arms[["study", "arm", "title"]].to_dict("records")
    }
    groups = []
    for (study, _), rows in tables.recommendations.groupby(["study", "ranking"], sort=False):
        used = tables.runs[tables.runs["study"] == study]
        groups.append(
            {
                "study": study,
                "data": sorted(used["dataset"].dropna().unique()),
                "rows": [_budget(row, titles) for row in records(rows)],
            }
        )
    return groups


def _budget(row: dict[str, Any], titles: Mapping[Any, str]) -> dict[str, Any]:
    measure = row["measure"]
    as_good = (row["as_good"] or "").split()
    return {
        **row,
        "title": titles[row["study"], row["best"]],
        "value": format_value(measure, row["mean"]),
        "interval": format_interval(measure, _number(row["low"]), _number(row["high"])),
        "loss": format_value(measure, row["largest_loss"]),
        "as_good": [(arm, titles[row["study"], arm]) for arm in as_good],
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _study(planned: PlannedStudy, notebook: str, tables: Tables) -> dict[str, Any]:
    name = planned.name
    claims = tables.claims[tables.claims["study"] == name]
    arms = list(records(tables.arms[tables.arms["study"] == name]))
    trained = [arm for arm in arms if arm["arm"] in planned.arms]
    described = {arm["arm"] for arm in arms}
    stated = {claim.id: claim for claim in planned.study.claims}
    named = {name: [arm for arm in claim.arms if arm in described] for name, claim in stated.items()}
    return {
        "name": name,
        "title": planned.study.title,
        "report": planned.study.report,
        "description": planned.study.description,
        "claims": [_claim(row, stated[row["id"]], named[row["id"]]) for row in records(claims)],
        "tables": [_table(table, name, tables, claims) for table in planned.study.tables],
        "questions": _questions(tables.explanations[tables.explanations["study"] == name]),
        "notebook": Markup(notebook),
        "costs": [_cost(arm, tables.summary) for arm in trained],
        "arms": [_arm(arm, tables.runs) for arm in trained],
        "derived": [_derived(arm, tables.runs) for arm in arms if arm not in trained],
    }


def _questions(explanations: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what a study asks about what is unsaid, each with its answer and all choices that were compared."""
    return [
        {
            "title": rows["title"].iloc[0],
            "answer": rows["answer"].iloc[0],
            "choices": [(row["choice"], times(row["less_likely"])) for row in records(rows) if row["choice"]],
        }
        for _, rows in explanations.groupby("question", sort=False)
    ]


def _claim(reading: dict[str, Any], claim: Claim, arms: Sequence[str]) -> dict[str, Any]:
    return {
        **reading,
        "ours": our_words(reading),
        "reported": reported_words(reading, claim),
        "would_decide": what_would_decide(reading),
        "arms": sorted(set(arms)),
    }


def _table(table: Table, study: str, tables: Tables, claims: pd.DataFrame) -> dict[str, Any]:
    summary = tables.summary[tables.summary["study"] == study]
    own = tables.arms[tables.arms["study"] == study]
    titles = dict(zip(own["arm"], own["title"], strict=True))
    present = set(summary["arm"])
    means = {(row["arm"], row["measure"], str(row["epoch"])): row for row in summary.to_dict("records")}
    reported = [reported_values(claims, column.measure, column.epoch) for column in table.columns]
    return {
        "id": table.id,
        "title": table.title,
        "headings": [column.heading for column in table.columns],
        "rows": [
            {
                "arm": arm,
                "title": titles[arm],
                "cells": [
                    _cell(means[arm, column.measure, str(column.epoch)], values.get(arm))
                    for column, values in zip(table.columns, reported, strict=True)
                ],
            }
            for arm in table.arms
            if arm in present
        ],
    }


def _cell(mean: Mapping[Any, Any], reported: float | None) -> dict[str, Any]:
    measure = mean["measure"]
    return {
        "mean": format_value(measure, mean["mean"]),
        "interval": format_interval(measure, mean["low"], mean["high"]),
        "seeds": f"{mean['n']} of {mean['planned']} seeds" if mean["n"] < mean["planned"] else "",
        "reported": format_value(measure, reported) if reported is not None else "",
    }


def _cost(arm: dict[str, Any], summary: pd.DataFrame) -> dict[str, Any]:
    own = summary[(summary["study"] == arm["study"]) & (summary["arm"] == arm["arm"])]
    means = own[own["epoch"].astype(str) == "last"].set_index("measure")["mean"]
    return {**arm, "cells": [format_value(measure, means[measure]) for measure in COSTS]}


def _arm(arm: dict[str, Any], runs: pd.DataFrame) -> dict[str, Any]:
    own = runs[(runs["study"] == arm["study"]) & (runs["arm"] == arm["arm"])]
    settings = json.dumps(json.loads(arm["settings"]), indent=2)
    return {**arm, "settings": settings, "runs": list(records(own))}


def _derived(arm: dict[str, Any], runs: pd.DataFrame) -> dict[str, Any]:
    own = runs[(runs["study"] == arm["study"]) & (runs["arm"] == arm["arm"])]
    return {
        **arm,
        "seeds": [{"seed": row["seed"], "runs": (row["made_of"] or "").split()} for row in records(own)],
    }


def _gallery(schedules: pd.DataFrame) -> Markup:
    names = list(schedules["schedule"].unique())
    alt = f"{len(names)} small curves of the multiplier of the learning rate over the budget: {', '.join(names)}."
    caption = "Every schedule, as the trainer applies it. Its data: <code>tables/schedules.csv</code>."
    return Markup(figure_html(svg_of(schedule_gallery(schedules)), "schedules", alt, caption))


def _rules() -> dict[str, str]:
    return {
        "look": f"{verdicts.LOOK_LEVEL:.1%}",
        "least_seeds": str(verdicts.LEAST_SEEDS),
        "prediction": f"{1 - 2 * verdicts.PREDICTION_TAIL:.0%}",
        "widest": f"{verdicts.WIDEST_PREDICTION:g}",
    }
