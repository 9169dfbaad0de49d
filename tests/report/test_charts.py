"""What the page's script is given of a figure of curves."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from replication.errors import ResultsError
from replication.report.charts import chart_library, chart_of
from replication.report.figures import StudyTables, curves, dots
from replication.system.tables import write_table
from study_results import planned_study, write_results

ARMS = ["cosine", "probing"]


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> StudyTables:
    folder = tmp_path_factory.mktemp("study")
    return StudyTables.read(write_results(folder, planned_study(folder / "config")))


def test_curves_have_means_and_single_seeds_by_epoch(tables: StudyTables, tmp_path: Path) -> None:
    _, data = curves(tables, ARMS, ["train_loss", "test_accuracy"])
    write_table(data, tmp_path / "losses.csv")
    chart = chart_of(tmp_path / "losses.csv", tables.history, tables.titles)
    assert chart is not None
    assert chart["arms"] == ["Cosine", "Loss probing"]
    loss, accuracy = chart["panels"]
    assert (loss["title"], loss["percent"], accuracy["percent"]) == ("Training loss", False, True)
    assert loss["arms"][1]["mean"] == [0.82, 0.41]
    assert loss["arms"][1]["seeds"] == [[0.8, 0.4], [0.84, 0.42]]
    low, high = loss["arms"][0]["low"], loss["arms"][0]["high"]
    assert low[0] < 0.91 < high[0]


def test_an_epoch_that_an_arm_has_not_reached_is_a_gap(tables: StudyTables, tmp_path: Path) -> None:
    _, data = curves(tables, ARMS, ["train_loss"])
    write_table(data[(data["arm"] != "probing") | (data["epoch"] == 1)], tmp_path / "losses.csv")
    short = tables.history[(tables.history["arm"] != "probing") | (tables.history["epoch"] == 1)]
    chart = chart_of(tmp_path / "losses.csv", short, tables.titles)
    assert chart is not None
    assert chart["panels"][0]["arms"][1]["mean"] == [0.82, None]
    assert chart["panels"][0]["arms"][1]["seeds"] == [[0.8, None], [0.84, None]]


def test_seeds_that_share_a_curve_carry_it_once(tables: StudyTables, tmp_path: Path) -> None:
    _, data = curves(tables, ARMS, ["train_loss"])
    write_table(data, tmp_path / "losses.csv")
    history = tables.history.assign(train_loss=tables.history["epoch"].map({1: 0.5, 2: None}))
    chart = chart_of(tmp_path / "losses.csv", history, tables.titles)
    assert chart is not None
    assert [arm["seeds"] for arm in chart["panels"][0]["arms"]] == [[[0.5, None]], [[0.5, None]]]


def test_other_figures_are_no_curves(tables: StudyTables, tmp_path: Path) -> None:
    write_table(dots(tables, ARMS, "test_accuracy")[1], tmp_path / "dots.csv")
    write_table(pd.DataFrame(columns=["arm"]), tmp_path / "empty.csv")
    for name in ("dots", "empty"):
        assert chart_of(tmp_path / f"{name}.csv", tables.history, tables.titles) is None


def test_the_library_comes_with_its_licence_and_without_an_end_of_script() -> None:
    script, style = chart_library()
    assert "MIT Licensed" in script
    assert "</script" not in script.lower()
    assert ".u-over" in style


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(ResultsError, match=r"uplot-python is not installed.*make setup"):
        chart_library()
