"""The figure of range tests."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.report.figures import StudyTables, svg_of
from replication.report.range_test_figure import range_test_curves
from study_results import planned_study, write_results

LOSSES = {("cosine", 1): [2.0, 1.0, 4.0], ("cosine", 2): [2.2, 1.4], ("probing", 1): [3.0, 2.0, 1.0]}
RATES = [0.1, 0.2, 0.3]
SUGGESTED = {("cosine", 1): (0.1, 0.2), ("cosine", 2): (0.12, 0.18), ("probing", 1): (np.nan, np.nan)}


@pytest.fixture
def tables(tmp_path: Path) -> StudyTables:
    tables = StudyTables.read(write_results(tmp_path, planned_study(tmp_path / "studies-of-config")))
    rows = [
        {
            "run_id": f"tiny/{arm}/seed-{seed}",
            "arm": arm,
            "seed": seed,
            "step": step,
            "learning_rate": RATES[step],
            "smoothed_loss": loss,
            "suggested_minimum_rate": SUGGESTED[arm, seed][0],
            "suggested_maximum_rate": SUGGESTED[arm, seed][1],
        }
        for (arm, seed), losses in LOSSES.items()
        for step, loss in enumerate(losses)
    ]
    return dataclasses.replace(tables, range_tests=pd.DataFrame(rows))


def test_lines_are_means_up_to_the_first_divergence(tables: StudyTables) -> None:
    figure, data = range_test_curves(tables, ["cosine"])
    line = figure.axes[0].get_lines()[0]
    np.testing.assert_allclose(line.get_xydata(), [[0.1, 2.1], [0.2, 1.2]])
    losses = data[data["measure"] == "smoothed_loss"]
    assert losses["mean"].tolist() == pytest.approx([2.1, 1.2])
    assert losses["n"].tolist() == [2, 2]


def test_each_seeds_suggestion_is_marked_and_their_mean_told(tables: StudyTables) -> None:
    figure, data = range_test_curves(tables, ["cosine"])
    marked = [line.get_xdata()[0] for line in figure.axes[0].get_lines()[1:]]
    assert marked == [0.1, 0.12, 0.2, 0.18]
    means = data.dropna(subset="mean").set_index("measure")["mean"]
    assert means["suggested_minimum_rate"] == pytest.approx(0.11)
    assert means["suggested_maximum_rate"] == pytest.approx(0.19)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["mean over seeds", "suggested minimum (each seed)", "suggested maximum (each seed)"]


def test_one_panel_an_arm_also_where_nothing_is_suggested(tables: StudyTables) -> None:
    figure, data = range_test_curves(tables, ["probing", "cosine"], log_scale=True)
    assert [axis.get_title() for axis in figure.axes] == [tables.titles["probing"], tables.titles["cosine"]]
    assert [len(axis.get_lines()) for axis in figure.axes] == [1, 5]
    assert {axis.get_xscale() for axis in figure.axes} == {"log"}
    assert set(data["arm"]) == {"probing", "cosine"}


@pytest.mark.slow
def test_it_is_the_same_bytes_each_time(tables: StudyTables) -> None:
    one, other = (svg_of(range_test_curves(tables, ["cosine"])[0]) for _ in range(2))
    assert one == other


def test_arms_without_a_test_give_a_note(tables: StudyTables) -> None:
    figure, data = range_test_curves(tables, ["step"])
    assert "No arm" in figure.texts[0].get_text()
    assert data.empty
