"""Curves that a reader can look at closely: what the page's script needs of each figure of curves.

The library is uPlot, as the package `uplot-python` brings it.
"""

import importlib.util
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from replication.errors import ResultsError
from replication.settings.measures import MEASURES
from replication.system.tables import read_table

DIGITS = 4  # significant ones of each value: far more than a screen shows
_OF_READERS = re.compile(r"^\s*//.*\n|^\s+", re.MULTILINE)  # comments and indents of the library's code
OF_CURVES = {"arm", "epoch", "measure", "n", "mean", "low", "high"}  # the columns of such a figure's CSV


def chart_of(figure: str | Path, history: pd.DataFrame, titles: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the data of a figure of curves; None for one of another kind.

    Parameters
    ----------
    figure
        The CSV file with what the figure draws.
    history
        Of its study: the curves of single seeds.
    titles
        From an arm to its title.

    Returns
    -------
    chart
        `arms`, their titles, and `panels`, one a measure: `title`, `percent`, `epochs`, and `arms`, each with `mean`,
        `low`, `high` and `seeds`, whose values belong to the epochs; curves that are equal stand once.
    """
    drawn = read_table(figure)
    if set(drawn.columns) != OF_CURVES or drawn.empty:
        return None
    arms = list(dict.fromkeys(drawn["arm"]))
    panels = [
        _panel(measure, drawn[drawn["measure"] == measure], history, arms)
        for measure in dict.fromkeys(drawn["measure"])
    ]
    return {"arms": [titles[arm] for arm in arms], "panels": panels}


def _panel(measure: str, drawn: pd.DataFrame, history: pd.DataFrame, arms: Sequence[str]) -> dict[str, Any]:
    epochs = sorted({int(epoch) for epoch in drawn["epoch"]})
    # `pivot_table` would hide an epoch that stands twice.
    bands = drawn.pivot(index="arm", columns="epoch")  # noqa: PD010
    runs = history.pivot(index=["arm", "seed"], columns="epoch", values=measure)  # noqa: PD010
    arm_of_run = runs.index.get_level_values("arm")
    curves = runs.reindex(columns=epochs).to_numpy()
    return {
        "title": MEASURES[measure].title,
        "percent": MEASURES[measure].percent,
        "epochs": epochs,
        "arms": [
            {name: _rounded(bands[name].loc[arm, epochs]) for name in ("mean", "low", "high")}
            | {"seeds": _distinct(_rounded(curve) for curve in curves[arm_of_run == arm])}
            for arm in arms
        ],
    }


def _rounded(curve: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in curve]


def _distinct(curves: Iterable[list[float | None]]) -> list[list[float | None]]:
    """Return each curve once: seeds that share a learning rate would be drawn, and carried by the page, many times."""
    return [list(curve) for curve in dict.fromkeys(map(tuple, curves))]


def chart_library() -> tuple[Markup, Markup]:
    """Return uPlot's script and style sheet.

    Raises
    ------
    ResultsError
        The package that brings them is not installed.
    """
    found = importlib.util.find_spec("uplot")  # which does not import it: it would import IPython
    folder = None if found is None or found.origin is None else Path(found.origin).parent / "static"
    if folder is None or not folder.is_dir():
        raise ResultsError(
            "the package uplot-python is not installed, whose script draws the report's curves: run `make setup`, or "
            "`pip install uplot-python`"
        )
    script, style = (folder / name for name in ("uPlot.iife.js", "uPlot.min.css"))
    code = _OF_READERS.sub("", script.read_text(encoding="utf-8"))
    return Markup(code), Markup(style.read_text(encoding="utf-8"))
