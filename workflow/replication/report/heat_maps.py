"""Heat maps: one measure over the arms of a grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from replication.report.drawing import own_style
from replication.report.figures import StudyTables, empty_figure
from replication.report.formatting import format_value
from replication.settings.measures import MEASURES
from replication.system.missing import MISSING

COLOURS = "cividis"  # made for readers who do not tell red from green, and monotonic in grey
DARK = 0.5  # luminance below which white text is read more easily than black
PANELS_ACROSS = 2  # more would be shrunk to the width of the page, and their numbers with them
Labels = Mapping[str, str]


@dataclass(frozen=True)
class GridLayout:
    """The positions of the arms of a grid in a heat map.

    Attributes
    ----------
    arm
        Names of the arms, each axis in braces, as in the study file.
    axes
        For each axis, from a value to how the figure writes it.
    rows, columns, panels
        The axis along each; `panels` may be None.
    """

    arm: str
    axes: Mapping[str, Labels]
    rows: str
    columns: str
    panels: str | None = None

    def cells(self) -> Iterator[dict[str, str]]:
        """Yield arm, panel, row and column of each cell; where there is one panel, it has no name."""
        for panel in [""] if self.panels is None else self.axes[self.panels]:
            for row in self.axes[self.rows]:
                for column in self.axes[self.columns]:
                    values = {self.rows: row, self.columns: column}
                    values |= {} if self.panels is None else {self.panels: panel}
                    yield {"arm": self.arm.format_map(values), "panel": panel, "row": row, "column": column}


def heat_map(
    tables: StudyTables,
    layout: GridLayout,
    measure: str,
    epoch: str | int = "last",
    *,
    by_column: bool = False,
) -> tuple[Figure, pd.DataFrame]:
    """Draw the mean of a measure for each arm of a grid, with half the width of its 95 % interval in small print.

    Rows, columns and panels of which no arm is in the tables are left out.

    Parameters
    ----------
    tables
        The measure must be in their summary: a usual one, or one that a table or claim of the study asks for.
    by_column
        Colours go from the lowest to the highest mean of each column, over all panels, instead of the whole figure:
        for columns that differ more than what is in them.
    """
    data = _cells(tables, layout, measure, epoch)
    if data.empty:
        return empty_figure()
    rows, columns = (
        [value for value in layout.axes[axis] if value in set(data[kind])]
        for axis, kind in ((layout.rows, "row"), (layout.columns, "column"))
    )
    scales = _scales(data, columns, by_column=by_column)
    panels = list(data.groupby("panel", sort=False))
    across = min(len(panels), PANELS_ACROSS)
    down = -(-len(panels) // across)
    with own_style(**{"axes.grid": False}):
        size = (1.6 + across * (0.72 * len(columns) + 0.3), 0.6 + down * (0.5 * len(rows) + 0.6))
        figure = Figure(figsize=size, layout="constrained")
        axes = list(figure.subplots(down, across, squeeze=False).flat)
        for axis, (panel, own) in zip(axes, panels, strict=False):
            _draw_panel(axis, own, rows, columns, measure, scales)
            axis.set_title(layout.axes[layout.panels][str(panel)] if layout.panels else "", fontsize=9)
            _label_cells(axis, layout, rows, columns)
        for axis in axes[len(panels) :]:
            axis.set_visible(False)
        _add_scale(figure, axes, scales[columns[0]], measure, by_column=by_column)
    return figure, data


def _cells(tables: StudyTables, layout: GridLayout, measure: str, epoch: str | int) -> pd.DataFrame:
    """Return one row for each cell whose arm is in the tables, in the order of the layout."""
    summary = tables.summary
    chosen = summary[(summary["measure"] == measure) & (summary["epoch"].astype(str) == str(epoch))]
    if chosen.empty:
        raise ValueError(
            f"the summary has no {measure} at epoch {epoch}: add a table or claim with it to the study"
        )
    by_arm = chosen.set_index("arm")
    rows = [
        {**cell, "measure": measure, "epoch": epoch, **by_arm.loc[cell["arm"], ["n", "mean", "low", "high"]]}
        for cell in layout.cells()
        if cell["arm"] in by_arm.index
    ]
    return pd.DataFrame(rows)


def _scales(data: pd.DataFrame, columns: Sequence[str], *, by_column: bool) -> dict[str, Normalize]:
    """Return, for each column, the function that maps a mean to a position on the colour scale, 0 to 1."""
    parts = {column: data[data["column"] == column] if by_column else data for column in columns}
    finite = {column: part["mean"][np.isfinite(part["mean"])] for column, part in parts.items()}
    return {
        column: Normalize(means.min(), means.max()) if len(means) else Normalize(0, 1)
        for column, means in finite.items()
    }


def _draw_panel(
    axis: Axes,
    data: pd.DataFrame,
    rows: Sequence[str],
    columns: Sequence[str],
    measure: str,
    scales: Mapping[str, Normalize],
) -> None:
    import seaborn as sns  # here, since it takes a second to import, and most notebooks have no grid

    known = data[np.isfinite(data["mean"])]
    grid = pd.DataFrame(np.nan, list(rows), list(columns))
    for cell in known.to_dict("records"):
        grid.loc[cell["row"], cell["column"]] = float(scales[cell["column"]](cell["mean"]))
    sns.heatmap(grid, vmin=0, vmax=1, cmap=COLOURS, cbar=False, linewidths=1, ax=axis)
    axis.set(xlabel="", ylabel="")
    for cell in data.to_dict("records"):
        x, y = columns.index(cell["column"]) + 0.5, rows.index(cell["row"]) + 0.5
        place = grid.loc[cell["row"], cell["column"]]
        ink = "white" if _luminance(mpl.colormaps[COLOURS](place)) < DARK and np.isfinite(place) else "black"
        mean, half = _texts(measure, cell)
        axis.text(x, y - 0.12, mean, ha="center", va="center", color=ink, fontsize=8)
        axis.text(x, y + 0.24, half, ha="center", va="center", color=ink, fontsize=5.5)


def _label_cells(axis: Axes, layout: GridLayout, rows: Sequence[str], columns: Sequence[str]) -> None:
    of_rows, of_columns = layout.axes[layout.rows], layout.axes[layout.columns]
    axis.set_xticks(
        np.arange(len(columns)) + 0.5, [of_columns[value] for value in columns], fontsize=8, rotation=0
    )
    axis.set_yticks(np.arange(len(rows)) + 0.5, [of_rows[value] for value in rows], fontsize=8, rotation=0)


def _texts(measure: str, cell: Mapping[Any, Any]) -> tuple[str, str]:
    """Return mean and half width as a cell writes them, shares in percent without the sign."""
    half = cell["high"] - cell["mean"]
    if MEASURES[measure].percent:
        mean, width = (
            f"{100 * value:.1f}" if np.isfinite(value) else MISSING for value in (cell["mean"], half)
        )
    else:
        mean, width = format_value(measure, cell["mean"]), format_value(measure, half)
    return mean, f"± {width}" if np.isfinite(half) else ""


def _luminance(colour: Sequence[float]) -> float:
    """Return the luma of a colour, from 0 to 1 (ITU-R BT.709)."""
    red, green, blue = colour[:3]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _add_scale(
    figure: Figure, axes: Sequence[Axes], scale: Normalize, measure: str, *, by_column: bool
) -> None:
    """Show what the colours mean; where each column has its own, there is one direction and no numbers."""
    label = MEASURES[measure].title + (" (%)" if MEASURES[measure].percent else "")
    shown = mpl.cm.ScalarMappable(Normalize(0, 1) if by_column else scale, COLOURS)
    bar = figure.colorbar(shown, ax=list(axes), pad=0.02, aspect=30)
    assert bar.solids is not None
    bar.solids.set(rasterized=False, edgecolor="face")  # no image, whose bytes differ between machines
    bar.ax.tick_params(labelsize=7)
    if by_column:
        bar.set_ticks([0, 1], labels=["lowest", "highest"])
        label += ", within each column"
    elif MEASURES[measure].percent:
        bar.formatter = mpl.ticker.PercentFormatter(1.0, symbol="")
    bar.set_label(label, fontsize=8)
