"""Figures: each an SVG image with an alternative text, and the data that it draws as CSV."""

import base64
import html
import io
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from replication.analysis.intervals import t_interval
from replication.report.drawing import COLOURS, line_style, own_style
from replication.report.readings import NUMBERS
from replication.report.surroundings import FIGURES_FOLDER, PDF_FOLDER
from replication.settings.measures import MEASURES
from replication.system.files import whole_file, write_text
from replication.system.missing import MISSING
from replication.system.tables import read_table, write_table

BAND_ALPHA = 0.12  # several bands overlap
EPOCH = "Epoch"  # the axis of curves
INTERVAL_NOTE = "Means over seeds with 95 % t intervals, which may leave the panel where seeds are few."


@dataclass(frozen=True)
class StudyTables:
    """The tables of one study, which is all that its figures are made of.

    Attributes
    ----------
    titles
        From an arm to its title in the study file.
    """

    folder: Path
    runs: pd.DataFrame
    history: pd.DataFrame
    summary: pd.DataFrame
    claims: pd.DataFrame
    range_tests: pd.DataFrame
    titles: Mapping[str, str]

    @classmethod
    def read(cls, folder: str | Path) -> "StudyTables":
        """Read the tables in `results/<scale>/studies/<study>/`."""
        folder = Path(folder)
        names = ("runs", "history", "summary", "claims", "range_tests")
        tables = {name: read_table(folder / f"{name}.csv") for name in names}
        arms = read_table(folder / "arms.csv")
        return cls(folder, **tables, titles=dict(zip(arms["arm"], arms["title"], strict=True)))

    def of_arms(self, arms: Sequence[str]) -> pd.DataFrame:
        """Return the history of some arms."""
        return self.history[self.history["arm"].isin(list(arms))]


def _finite(values: pd.Series) -> list[float]:
    return [float(value) for value in values[np.isfinite(values)]]


def means_over_seeds(data: pd.DataFrame, by: Sequence[str], measures: Sequence[str]) -> pd.DataFrame:
    """Return what a figure draws: for each group, the mean over seeds and the 95 % t interval of each measure."""
    rows = []
    for key, group in data.groupby(list(by), sort=False, observed=True):
        for measure in measures:
            interval = t_interval(_finite(group[measure]), 0.95)
            found = {"measure": measure, "n": interval.count, "mean": interval.mean}
            rows.append(
                dict(zip(by, key, strict=True)) | found | {"low": interval.low, "high": interval.high}
            )
    return pd.DataFrame(rows)


def curves(
    tables: StudyTables, arms: Sequence[str], measures: Sequence[str], *, log_scale: bool = False
) -> tuple[Figure, pd.DataFrame]:
    """Draw measures over epochs, one panel per measure and one line per arm, and return also the data drawn."""
    data = tables.of_arms(arms)
    if data.empty:
        return empty_figure()
    means = means_over_seeds(data, ["arm", "epoch"], measures)
    with own_style():
        figure = Figure(figsize=(5.2 * len(measures), 3.8), layout="constrained")
        axes = figure.subplots(1, len(measures), squeeze=False)[0]
        for axis, measure in zip(axes, measures, strict=True):
            for number, arm in enumerate(arm for arm in arms if arm in tables.titles):
                _draw_line(axis, means, arm, measure, label=tables.titles[arm], **line_style(number))
            axis.set(xlabel=EPOCH, ylabel=MEASURES[measure].title)
            _show_range(axis, data[measure], log_scale=log_scale)
        axes[0].legend(title="Arm")
    return figure, means


def empty_figure() -> tuple[Figure, pd.DataFrame]:
    """Return the figure that takes the place of one none of whose arms was selected."""
    with own_style():
        figure = Figure(figsize=(6, 0.8))
        figure.text(0.02, 0.4, "No arm of this figure has been run.")
    return figure, pd.DataFrame(columns=["arm"])


def _draw_line(axis: Axes, means: pd.DataFrame, arm: str, measure: str, *, color: str, **style: Any) -> None:
    """Draw the mean of a measure over the epochs of an arm, in its interval."""
    own = means[(means["arm"] == arm) & (means["measure"] == measure) & (means["n"] > 0)].sort_values("epoch")
    axis.plot(own["epoch"], own["mean"], color=color, **style)
    axis.fill_between(own["epoch"], own["low"], own["high"], color=color, alpha=BAND_ALPHA)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


def _show_range(axis: Axes, values: pd.Series, *, log_scale: bool = False) -> None:
    """Show the range of the seeds' own values: an interval from two seeds would dwarf them."""
    finite = values[np.isfinite(values)]
    if log_scale:
        finite = finite[finite > 0]
        axis.set_yscale("log")
    if finite.empty or finite.min() == finite.max():
        return
    low, high = (np.log(bound) if log_scale else bound for bound in (finite.min(), finite.max()))
    space = 0.06 * (high - low)
    limits = (low - space, high + space)
    axis.set_ylim(*(np.exp(limits) if log_scale else limits))


def learning_curves(tables: StudyTables, arm: str) -> tuple[Figure, pd.DataFrame]:
    """Draw training and validation loss and accuracy of one arm, with the epochs at which its runs stopped."""
    data = tables.of_arms([arm])
    runs = tables.runs[tables.runs["arm"] == arm]
    if data.empty:
        return empty_figure()
    panels = {kind: [f"{split}_{kind}" for split in ("train", "validation")] for kind in ("loss", "accuracy")}
    means = means_over_seeds(data, ["arm", "epoch"], [*panels["loss"], *panels["accuracy"]])
    with own_style():
        figure = Figure(figsize=(10.4, 3.8), layout="constrained")
        for axis, (kind, measures) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            for number, measure in enumerate(measures):
                _draw_line(axis, means, arm, measure, label=MEASURES[measure].title, **line_style(number))
            axis.set(xlabel=EPOCH, ylabel=kind.capitalize())
            _show_range(axis, data[measures].melt()["value"])
            for number, (epoch, best) in enumerate(zip(runs["epochs"], runs["best_epoch"], strict=True)):
                first = number == 0
                axis.axvline(
                    epoch, color="black", lw=1, ls=":", label="stopped (each seed)" if first else None
                )
                axis.axvline(
                    best, color="grey", lw=1, ls="-", alpha=0.4, label="best epoch" if first else None
                )
            axis.legend(fontsize="small")
    return figure, means


def dots(
    tables: StudyTables, arms: Sequence[str], measure: str, epoch: str | int = "last"
) -> tuple[Figure, pd.DataFrame]:
    """Draw the mean of a measure for each arm with its interval, beside what the report gives."""
    table = tables.summary
    chosen = table[(table["measure"] == measure) & (table["epoch"].astype(str) == str(epoch))]
    chosen = chosen.set_index("arm").reindex([arm for arm in arms if arm in tables.titles])
    reported = reported_values(tables.claims, measure, epoch)
    if chosen.empty:
        return empty_figure()
    with own_style():
        figure = Figure(figsize=(8, 0.5 * len(chosen) + 1.2), layout="constrained")
        axis = figure.subplots()
        places = range(len(chosen))
        half = (chosen["high"] - chosen["mean"]).fillna(0)
        axis.errorbar(chosen["mean"], places, xerr=half, fmt="o", color=COLOURS[0], capsize=3, label="ours")
        known = [
            (reported[arm], place) for place, arm in zip(places, chosen.index, strict=True) if arm in reported
        ]
        if known:
            axis.plot(*zip(*known, strict=True), "D", color=COLOURS[1], ms=6, mfc="none", label="reported")
        axis.set_yticks(list(places), [textwrap.fill(tables.titles[arm], 34) for arm in chosen.index])
        axis.invert_yaxis()
        if measure.endswith("accuracy"):
            axis.set_xlim(max(axis.get_xlim()[0], 0.0), min(axis.get_xlim()[1], 1.0))
        axis.set_xlabel(MEASURES[measure].title)
        if known:
            axis.legend(fontsize="small")
    return figure, chosen.reset_index().assign(reported=pd.Series(chosen.index.map(reported)))


def reported_values(claims: pd.DataFrame, measure: str, epoch: str | int) -> dict[str, float]:
    """Return what the report gives for a measure, arm by arm, from its claims about single arms."""
    of_arm = claims["kind"].isin(NUMBERS) & claims["minus"].isna()
    values = claims[of_arm & (claims["measure"] == measure) & (claims["epoch"].astype(str) == str(epoch))]
    return dict(zip(values["arm"], values["expected"], strict=True))


def svg_of(figure: Figure) -> str:
    """Return a figure as SVG text without a date, so that equal figures are equal bytes."""
    stream = io.StringIO()
    with own_style():
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _write_pdf(figure: Figure, path: Path) -> None:
    with own_style(**{"pdf.fonttype": 42}), whole_file(path) as temporary:  # fonts that publishers take
        figure.savefig(temporary, format="pdf", metadata={"CreationDate": None})


def figure_html(svg: str, name: str, alt: str, caption: str) -> str:
    """Return a figure for a page that is read offline: the image within, its alternative text and caption."""
    data = base64.b64encode(svg.encode()).decode()
    return (
        f'<figure id="figure-{html.escape(name)}"><img src="data:image/svg+xml;base64,{data}" '
        f'alt="{html.escape(alt, quote=True)}"><figcaption>{caption}</figcaption></figure>'
    )


def show(tables: StudyTables, name: str, drawn: tuple[Figure, pd.DataFrame], alt: str, caption: str) -> HTML:
    """Save a figure and its data in the study's folder `figures`, and return it for the notebook.

    Where the variable `FIGURES_FOLDER` is set, they go to the folder that it names. Where `PDF_FOLDER` is, the figure
    goes to that one too, as PDF.

    Parameters
    ----------
    name
        File name without ending; the figure's anchor in the report is `figure-<study>-<name>`.
    alt
        What the figure shows, in words, for those who do not see it.
    caption
        HTML; the runs that the figure uses are named below it.
    """
    figure, data = drawn
    svg = svg_of(figure)
    folder = Path(os.environ.get(FIGURES_FOLDER, tables.folder / "figures"))
    write_text(folder / f"{name}.svg", svg)
    write_table(data, folder / f"{name}.csv")
    if PDF_FOLDER in os.environ:
        _write_pdf(figure, Path(os.environ[PDF_FOLDER], f"{tables.folder.name}-{name}.pdf"))
    links = ", ".join(
        f'<a href="#arm-{tables.folder.name}-{arm}">{arm}</a>' for arm in dict.fromkeys(data["arm"])
    )
    note = f"{caption} {INTERVAL_NOTE} <span class='runs'>Runs: {links or MISSING}.</span>"
    return HTML(figure_html(svg, f"{tables.folder.name}-{name}", alt, note))
