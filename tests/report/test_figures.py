"""Figures: what they draw, that they are the same bytes each time, and that they speak without being seen."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from replication.analysis.intervals import t_interval
from replication.report import figures
from replication.report.figures import StudyTables
from replication.system.tables import read_table
from study_results import ACCURACY, planned_study, write_results

ARMS = ["cosine", "probing"]

pytestmark = pytest.mark.slow


@pytest.fixture
def tables(tmp_path: Path) -> StudyTables:
    return StudyTables.read(write_results(tmp_path, planned_study(tmp_path / "studies-of-config")))


def lines_of(figure: Figure, panel: int = 0) -> list[np.ndarray]:
    """Return the y values of the lines with more than one point."""
    drawn = [np.asarray(line.get_ydata(), dtype=float) for line in figure.axes[panel].get_lines()]
    return [y for y in drawn if len(y) > 1]


def test_curves_show_means_over_seeds(tables: StudyTables) -> None:
    figure, data = figures.curves(tables, ARMS, ["validation_loss"])
    expected = [[0.91, 0.455], [0.82, 0.41]]
    np.testing.assert_allclose(lines_of(figure), expected)
    np.testing.assert_allclose(data["mean"].to_numpy().reshape(2, 2), expected)


def test_the_data_of_a_figure_have_the_intervals(tables: StudyTables) -> None:
    data = figures.curves(tables, ARMS, ["test_accuracy"])[1]
    row = data[(data["arm"] == "cosine") & (data["epoch"] == 2)].iloc[0]
    interval = t_interval([0.90, 0.92], 0.95)
    assert (row["low"], row["high"], row["n"]) == (interval.low, interval.high, 2)


def test_an_axis_shows_the_seeds_and_not_the_width_of_an_interval(tables: StudyTables) -> None:
    low, high = figures.curves(tables, ARMS, ["test_accuracy"])[0].axes[0].get_ylim()
    assert 0.7 < low < min(ACCURACY.values())
    assert max(ACCURACY.values()) < high < 1.0


def test_dots_show_what_the_report_says_at_the_same_epoch_only(tables: StudyTables) -> None:
    at_last = figures.dots(tables, ARMS, "test_accuracy")[1].set_index("arm")["reported"]
    assert at_last["cosine"] == 0.9
    assert pd.isna(at_last["probing"])
    assert figures.dots(tables, ARMS, "test_accuracy", "best")[1]["reported"].isna().all()


def test_learning_curves_mark_where_runs_stopped(tables: StudyTables) -> None:
    figure = figures.learning_curves(tables, "cosine")[0]
    upright = [line for line in figure.axes[0].get_lines() if len(set(map(float, line.get_xdata()))) == 1]
    assert sorted(float(line.get_xdata()[0]) for line in upright) == [1.0, 1.0, 2.0, 2.0]


@pytest.mark.parametrize(
    "draw",
    [
        lambda tables: figures.curves(tables, ARMS, ["train_loss"], log_scale=True)[0],
        lambda tables: figures.dots(tables, ARMS, "test_accuracy")[0],
        lambda tables: figures.learning_curves(tables, "probing")[0],
    ],
)
def test_the_same_tables_give_the_same_bytes(
    tables: StudyTables, draw: Callable[[StudyTables], Figure]
) -> None:
    first = figures.svg_of(draw(tables))
    assert first == figures.svg_of(draw(tables))
    assert "<svg" in first


def test_an_arm_that_was_not_run_is_left_out(tables: StudyTables) -> None:
    data = figures.curves(tables, [*ARMS, "not-selected"], ["train_loss"])[1]
    assert set(data["arm"]) == set(ARMS)


@pytest.mark.parametrize(
    "draw",
    [
        lambda tables: figures.curves(tables, ["not-selected"], ["train_loss"]),
        lambda tables: figures.dots(tables, ["not-selected"], "test_accuracy"),
        lambda tables: figures.learning_curves(tables, "not-selected"),
    ],
)
def test_a_figure_without_any_run_says_so(
    tables: StudyTables, draw: Callable[[StudyTables], tuple[Figure, pd.DataFrame]]
) -> None:
    drawn = draw(tables)
    assert "No arm" in drawn[0].texts[0].get_text()
    figures.show(tables, "nothing", drawn, alt="Nothing.", caption="Nothing.")


def test_a_figure_is_saved_with_its_data_and_names_its_runs(tables: StudyTables) -> None:
    drawn = figures.curves(tables, ARMS, ["train_loss"])
    shown = figures.show(tables, "losses", drawn, alt='Losses, "falling".', caption="All of them.").data
    assert (tables.folder / "figures/losses.svg").read_text(encoding="utf-8").startswith("<?xml")
    pd.testing.assert_frame_equal(read_table(tables.folder / "figures/losses.csv"), drawn[1])
    assert 'alt="Losses, &quot;falling&quot;."' in shown
    assert re.findall(r'href="#arm-tiny-(\w+)"', shown) == ARMS
