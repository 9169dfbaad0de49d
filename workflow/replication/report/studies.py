"""One study on the page: its tables, figures, arms, and the runs behind every number."""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from replication.analysis.likelihoods import times
from replication.report.charts import chart_of
from replication.report.figures import reported_values
from replication.report.formatting import format_interval, format_value
from replication.report.inline_svg import Drawings
from replication.report.sparklines import sparkline
from replication.runs.plan import PlannedStudy
from replication.settings.measures import MEASURES
from replication.settings.study import Table
from replication.system.tables import records

COSTS = tuple(name for name, measure in MEASURES.items() if measure.cost)
# What an image of a notebook becomes: the drawing itself.
_IMAGE = re.compile(r'<figure id="figure-(?P<name>[^"]*)"><img (?P<attributes>[^>]*)>')
_ALT = re.compile(r"""alt=(["'])(.*?)\1""")
# What a run is told by beside its weights. Of hashes one cell stands for all runs in a row that share it.
_HASHES = ("dataset", "dataset_sha256", "settings_sha256", "code_sha256", "commit")
_TOLD = ("outcome", "epochs", *_HASHES, "dirty")


def tables_of(
    planned: PlannedStudy,
    summary: pd.DataFrame,
    claims: pd.DataFrame,
    titles: Mapping[str, str],
    rates: Mapping[str, Markup],
) -> list[dict[str, Any]]:
    """Return the results tables of a study.

    Parameters
    ----------
    summary, claims
        Only the rows of this study.
    titles, rates
        By arm: what it is called, and the small curve of its learning rate.
    """
    tables = [shown_table(table, titles, summary, claims) for table in planned.study.tables]
    for table in tables:
        for row in table["rows"]:
            row["rate"] = rates[row["arm"]]
    return tables


def shown_table(
    table: Table, titles: Mapping[str, str], summary: pd.DataFrame, claims: pd.DataFrame
) -> dict[str, Any]:
    """Return a table with every number as a reader sees it; the parameters are those of `tables_of`."""
    rows = summary.to_dict("records")
    ours = {(row["arm"], row["measure"], str(row["epoch"])): row for row in rows}
    there = {row["arm"] for row in rows}
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
                    _cell(column.measure, ours[arm, column.measure, str(column.epoch)], numbers.get(arm))
                    for column, numbers in zip(table.columns, reported, strict=True)
                ],
            }
            for arm in table.arms
            if arm in there
        ],
    }


def _cell(measure: str, ours: Mapping[Any, Any], reported: float | None) -> dict[str, Any]:
    return {
        "mean": format_value(measure, ours["mean"]),
        "interval": format_interval(measure, ours["low"], ours["high"]),
        "seeds": f"{ours['n']} of {ours['planned']} seeds" if ours["n"] < ours["planned"] else "",
        "reported": format_value(measure, reported) if reported is not None else "",
    }


def with_drawings(notebook: str, figures: Path, study: str, drawings: Drawings) -> Markup:
    """Return the HTML of a study's executed notebook with its figures, images in it, as drawings within the page."""

    def drawn(image: re.Match[str]) -> str:
        name = image["name"].removeprefix(f"{study}-")
        svg = (figures / f"{name}.svg").read_text(encoding="utf-8")
        alt = _ALT.search(image["attributes"])
        assert alt is not None
        drawing = drawings.inline(svg, html.unescape(alt[2]))
        return (
            f'<figure id="figure-{image["name"]}">'
            f'<div class="drawn scroll" tabindex="0" role="region" aria-label="Figure {name}">{drawing}</div>'
        )

    return Markup(_IMAGE.sub(drawn, notebook))


def questions_of(explanations: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what a study asks about what is unsaid, each with its answer and all choices that were compared."""
    return [
        {
            "title": rows["title"].iloc[0],
            "answer": rows["answer"].iloc[0],
            "choices": [
                (row["choice"], times(rows["log_likelihood"].max() - row["log_likelihood"]))
                for row in records(rows)
                if row["choice"]
            ],
        }
        for _, rows in explanations.groupby("question", sort=False)
    ]


def charts_of(
    folder: Path, study: str, history: pd.DataFrame, titles: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each figure of curves, as on the page, and its data."""
    for figure in sorted((folder / "figures").glob("*.csv")):
        chart = chart_of(figure, history, titles)
        if chart is not None:
            yield f"{study}-{figure.stem}", chart


def learning_rates(history: pd.DataFrame, arms: Sequence[str]) -> dict[str, Markup]:
    """Return a small curve of the learning rate of each arm, the mean over its seeds; nothing for one without any.

    That is one without runs, or an ensemble, which is not trained.
    """
    rates_of = {
        arm: rows.groupby("epoch")["learning_rate"].mean().dropna().tolist()
        for arm, rows in history.groupby("arm", sort=False)
    }
    return {arm: sparkline(rates) if (rates := rates_of.get(arm)) else Markup("") for arm in arms}


def costs_of(arms: Sequence[Mapping[str, Any]], summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what each trained arm of a study costs, in the order of `COSTS`."""
    means = summary[summary["epoch"].astype(str) == "last"].set_index(["arm", "measure"])["mean"]
    return [
        {**arm, "cells": [format_value(measure, means[arm["arm"], measure]) for measure in COSTS]}
        for arm in arms
    ]


def trained_arm(arm: Mapping[str, Any], runs: pd.DataFrame) -> dict[str, Any]:
    """Return an arm with its settings and runs; what all its runs have in common is said once.

    Each run has `spans`: by hash, over how many runs its cell goes; none where that of a run above does.
    """
    own = list(records(runs[runs["arm"] == arm["arm"]]))
    there = [run for run in own if run["outcome"] != "missing"]
    common = {name: there[0][name] for name in _TOLD if there and len({run[name] for run in there}) == 1}
    if "dirty" not in common:  # which is said with the commit
        common.pop("commit", None)
    if len(there) < len(own):  # the others' outcome is that they are missing
        common.pop("outcome", None)
    for run in own:
        run["spans"] = {}
    for name in _HASHES:
        for _, rows in groupby(own, key=lambda run: (run["outcome"] == "missing", run[name], run["dirty"])):
            first, *others = rows
            first["spans"][name] = 1 + len(others)
    return {**arm, "runs": own, "common": common}


def settings_of(arms: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, str]]:
    """Return what the settings of all trained arms of a study have in common, and those of each arm beside that.

    Each is a text with a line `key: value` for each setting.
    """
    flat = {arm["arm"]: _flat(json.loads(arm["settings"])) for arm in arms}
    lines = [set(each) for each in flat.values()]
    shared = set.intersection(*lines) if len(lines) > 1 else set()
    own = {arm: "\n".join(line for line in each if line not in shared) for arm, each in flat.items()}
    first = next(iter(flat.values()), [])
    return "\n".join(line for line in first if line in shared), own


def _flat(settings: Mapping[str, Any]) -> list[str]:
    """Return settings as lines such as `optimizer.learning_rate: 0.1`."""
    (flat,) = pd.json_normalize([dict(settings)]).to_dict("records")
    return [f"{key}: {json.dumps(value)}" for key, value in flat.items()]


def derived_arm(arm: Mapping[str, Any], runs: pd.DataFrame) -> dict[str, Any]:
    """Return an arm that is made of other arms' runs, seed by seed: `made_of`, these arms with the seeds so made."""
    seeds_of: dict[tuple[str, ...], list[int]] = {}
    for row in records(runs[runs["arm"] == arm["arm"]]):
        members = tuple(run.split("/")[1] for run in (row["made_of"] or "").split())
        seeds_of.setdefault(members, []).append(row["seed"])
    return {**arm, "made_of": [{"arms": members, "seeds": seeds} for members, seeds in seeds_of.items()]}
