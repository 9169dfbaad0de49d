"""Heat maps: what their cells say, which cells there are, and that they are the same bytes each time."""

import itertools
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from replication.analysis.intervals import t_interval
from replication.report import figures
from replication.report.figures import StudyTables
from replication.report.heat_maps import COLOURS, GridLayout, heat_map
from replication.system.tables import read_table

AXES = {
    "profile": {"rex": "REX", "linear": "Linear"},
    "sampling": {"step": "Every step", "tenth": "Every 10 %"},
    "budget": {"1": "1 %", "100": "100 %"},
}
LAYOUT = GridLayout(
    "{profile}-{sampling}-{budget}", AXES, rows="sampling", columns="budget", panels="profile"
)
FLAT = GridLayout("{profile}-step-{budget}", AXES, rows="profile", columns="budget")
ARMS = [f"{p}-{s}-{b}" for p, s, b in itertools.product(("rex", "linear"), ("step", "tenth"), ("1", "100"))]
# Far apart by budget, near within one.
ACCURACIES = {
    arm: np.array([0.01 * n, 0.01 * n + 0.02]) + (0.5 if arm.endswith("100") else 0.1)
    for n, arm in enumerate(ARMS)
}


def tables_of(folder, accuracies=ACCURACIES, measure="test_accuracy"):
    rows = []
    for arm, values in accuracies.items():
        interval = t_interval(list(values), 0.95)
        row = {
            "study": "tiny",
            "arm": arm,
            "measure": measure,
            "epoch": "last",
            "planned": 2,
            "n": interval.count,
        }
        rows.append(row | {"mean": interval.mean, "low": interval.low, "high": interval.high})
    summary = pd.DataFrame(rows)
    empty = dict.fromkeys(("runs", "history", "claims", "range_tests"), pd.DataFrame())
    return StudyTables(folder, **empty, summary=summary, titles={arm: arm for arm in accuracies})


@pytest.fixture
def tables(tmp_path: Path) -> StudyTables:
    return tables_of(tmp_path)


def texts_of(axis):
    return [text.get_text() for text in axis.texts]


def faces_of(figure):
    """Return the colours of the cells, panel by panel."""
    cells = [axis.collections[0] for axis in figure.axes if axis.texts]
    for each in cells:
        each.update_scalarmappable()  # which drawing does
    return [[tuple(face) for face in each.get_facecolor()] for each in cells]


def test_each_cell_has_mean_and_half_width(tables):
    figure, data = heat_map(tables, LAYOUT, "test_accuracy")
    half = t_interval([0.1, 0.12], 0.95).high - 0.11
    assert texts_of(figure.axes[0])[:4] == ["11.0", f"± {100 * half:.1f}", "52.0", f"± {100 * half:.1f}"]
    assert data["arm"].tolist() == ARMS
    assert data["mean"].tolist() == [values.mean() for values in ACCURACIES.values()]
    for row in data.to_dict("records"):
        interval = t_interval(list(ACCURACIES[row["arm"]]), 0.95)
        assert (row["n"], row["low"], row["high"]) == (2, interval.low, interval.high)


def test_panels_rows_and_columns_are_labelled(tables):
    figure, data = heat_map(tables, LAYOUT, "test_accuracy")
    panels = figure.axes[:2]
    assert [axis.get_title() for axis in panels] == ["REX", "Linear"]
    assert [text.get_text() for text in panels[0].get_yticklabels()] == ["Every step", "Every 10 %"]
    assert [text.get_text() for text in panels[1].get_xticklabels()] == ["1 %", "100 %"]
    assert data[["panel", "row", "column"]].iloc[2].tolist() == ["rex", "tenth", "1"]


def test_cells_stand_where_their_row_and_column_are(tables):
    axis = heat_map(tables, LAYOUT, "test_accuracy")[0].axes[1]
    found = {text.get_position(): text.get_text() for text in axis.texts if "±" not in text.get_text()}
    assert found[(1.5, 1.5 - 0.12)] == f"{100 * ACCURACIES['linear-tenth-100'].mean():.1f}"
    assert found[(0.5, 1.5 - 0.12)] == f"{100 * ACCURACIES['linear-tenth-1'].mean():.1f}"
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the first row is on top


def test_colours_go_over_the_whole_figure_or_over_each_column(tables):
    colours = mpl.colormaps[COLOURS]
    whole = faces_of(heat_map(tables, LAYOUT, "test_accuracy")[0])
    assert whole[0][0] == colours(0.0)
    assert whole[1][3] == colours(1.0)
    assert whole[1][2] != colours(1.0)
    by_column = faces_of(heat_map(tables, LAYOUT, "test_accuracy", by_column=True)[0])
    assert by_column[0][:2] == [colours(0.0)] * 2
    assert by_column[1][2:] == [colours(1.0)] * 2


def test_the_scale_says_what_colours_mean(tables):
    bar = heat_map(tables, LAYOUT, "test_accuracy")[0].axes[-1]
    assert bar.get_ylabel() == "Test accuracy (%)"
    bar = heat_map(tables, LAYOUT, "test_accuracy", by_column=True)[0].axes[-1]
    assert bar.get_ylabel() == "Test accuracy (%), within each column"
    assert [text.get_text() for text in bar.get_yticklabels()] == ["lowest", "highest"]


def test_text_can_be_read_on_its_cell(tables):
    axis = heat_map(tables, LAYOUT, "test_accuracy")[0].axes
    assert axis[0].texts[0].get_color() == "white"  # on the darkest blue
    assert axis[1].texts[-1].get_color() == "black"  # on the lightest yellow


def test_what_no_arm_is_of_is_left_out(tmp_path):
    fewer = {
        arm: values for arm, values in ACCURACIES.items() if arm.startswith("rex") and arm.endswith("-100")
    }
    figure, data = heat_map(tables_of(tmp_path, fewer), LAYOUT, "test_accuracy")
    assert len(figure.axes) == 2  # a panel and the scale
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["100 %"]
    assert data["arm"].tolist() == list(fewer)


def test_a_hole_stays_white_and_a_value_that_is_none_is_a_dash(tmp_path):
    holed = {arm: values for arm, values in ACCURACIES.items() if arm != "rex-step-1"}
    holed["rex-step-100"] = np.array([])
    figure = heat_map(tables_of(tmp_path, holed), LAYOUT, "test_accuracy")[0]
    texts = texts_of(figure.axes[0])
    assert texts[:2] == ["–", ""]
    assert len(texts) == 2 * 3
    alphas = [face[3] for face in faces_of(figure)[0]]
    assert alphas == [0, 0, 1, 1]  # the hole and the dash let the page shine through


def test_one_seed_has_no_half_width(tmp_path):
    single = {arm: values[:1] for arm, values in ACCURACIES.items()}
    assert texts_of(heat_map(tables_of(tmp_path, single), LAYOUT, "test_accuracy")[0].axes[0])[:2] == [
        "10.0",
        "",
    ]


def test_a_grid_without_panels_has_one(tables):
    figure, data = heat_map(tables, FLAT, "test_accuracy")
    assert len(figure.axes) == 2
    assert figure.axes[0].get_title() == ""
    assert data["arm"].tolist() == ["rex-step-1", "rex-step-100", "linear-step-1", "linear-step-100"]


def test_other_measures_have_their_decimals(tmp_path):
    tables = tables_of(tmp_path, {"rex-step-1": [2.25, 2.25], "rex-step-100": [1.0, 1.0]}, "average_rank")
    figure = heat_map(tables, FLAT, "average_rank")[0]
    assert texts_of(figure.axes[0]) == ["2.25", "± 0.00", "1.00", "± 0.00"]
    assert figure.axes[-1].get_ylabel() == "Average rank (1 is best)"


def test_equal_means_have_one_colour(tmp_path):
    alike = dict.fromkeys(ARMS, (0.5, 0.5))
    assert len({face for panel in faces_of(heat_map(tables_of(tmp_path, alike), LAYOUT, "test_accuracy")[0]) for face in panel}) == 1  # fmt: skip  # noqa: E501


def test_a_measure_that_is_not_in_the_summary_is_refused(tables):
    with pytest.raises(ValueError, match="the summary has no test_loss at epoch last: add a table or claim"):
        heat_map(tables, LAYOUT, "test_loss")
    with pytest.raises(ValueError, match="at epoch best"):
        heat_map(tables, LAYOUT, "test_accuracy", "best")


def test_without_any_arm_the_figure_says_so(tmp_path):
    tables = tables_of(tmp_path, {"other": [0.5, 0.5]})
    drawn = heat_map(tables, LAYOUT, "test_accuracy")
    assert "No arm" in drawn[0].texts[0].get_text()
    figures.show(tables, "nothing", drawn, alt="Nothing.", caption="Nothing.")


@pytest.mark.slow
@pytest.mark.parametrize("by_column", [False, True])
def test_the_same_tables_give_the_same_bytes(tables, by_column):
    first, second = (
        figures.svg_of(heat_map(tables, LAYOUT, "test_accuracy", by_column=by_column)[0]) for _ in range(2)
    )
    assert first == second
    assert "<svg" in first
    assert "<image" not in first  # nothing that blurs when it is enlarged


def test_it_is_shown_with_its_data_and_its_runs(tables):
    drawn = heat_map(tables, LAYOUT, "test_accuracy")
    shown = figures.show(tables, "heat", drawn, alt="Accuracy.", caption="Accuracy.").data
    pd.testing.assert_frame_equal(
        read_table(tables.folder / "figures/heat.csv").astype({"column": str}), drawn[1]
    )
    assert all(f'-{arm}"' in shown for arm in ARMS)
