"""Tables on disk: every digit comes back."""

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from replication.system.tables import read_table, write_table


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "made" / "table.csv"


@settings(max_examples=50)
@given(numbers=some.lists(some.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_come_back_as_they_were_written(path, numbers):
    write_table(pd.DataFrame({"x": numbers}), path)
    assert [float(number).hex() for number in read_table(path)["x"]] == [
        float(number).hex() for number in numbers
    ]


def test_a_table_comes_back_whole(path):
    table = pd.DataFrame(
        {
            "run_id": ["a/b/seed-1", "a/b/seed-2"],
            "seed": [1, 2],
            "loss": [1 / 3, math.nan],
            "quote": ['it "stopped", after\n3 epochs', "é, <b>"],
            "dirty": [True, False],
        }
    )
    write_table(table, path)
    pd.testing.assert_frame_equal(read_table(path), table)


def test_a_table_without_rows_keeps_its_columns(path):
    write_table(pd.DataFrame(columns=["run_id", "epoch"]), path)
    assert read_table(path).columns.tolist() == ["run_id", "epoch"]
    assert read_table(path).empty


def test_a_table_that_cannot_be_written_leaves_the_old_one(path):
    class Unwritable(pd.DataFrame):
        def to_csv(self, target, **options):
            super().to_csv(target, **options)
            raise OSError("no space left")

    write_table(pd.DataFrame({"x": [1]}), path)
    with pytest.raises(OSError, match="no space"):
        write_table(Unwritable({"x": [2]}), path)
    assert read_table(path)["x"].tolist() == [1]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


ODD = ["NA", "null", "None", "nan", "N/A", "inf", "16", "007", "1e3", "True"]


def test_text_comes_back_whatever_it_looks_like(tmp_path: Path) -> None:
    written = pd.DataFrame(
        {"arm": ODD, "commit": ODD[::-1], "title": [*ODD[1:], None], "mean": range(len(ODD))}
    )
    write_table(written, tmp_path / "table.csv")
    found = read_table(tmp_path / "table.csv")
    assert found["arm"].tolist() == ODD
    assert found["commit"].tolist() == ODD[::-1]
    assert found["title"].tolist()[:-1] == ODD[1:]
    assert found["title"].isna().tolist() == [False] * (len(ODD) - 1) + [True]


def test_a_text_is_no_number_even_where_all_of_them_could_be(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"arm": ["1", "02"], "n": [1, 2]}), tmp_path / "table.csv")
    assert read_table(tmp_path / "table.csv")["arm"].tolist() == ["1", "02"]


def test_an_empty_cell_is_a_missing_number(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"mean": [0.5, math.nan]}), tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_text() == 'mean\n0.5\n""\n'
    assert read_table(tmp_path / "table.csv")["mean"].isna().tolist() == [False, True]
