"""The simulated errors on the page: each cell from its row, and none of the published ones above one in twenty."""

import pandas as pd
import pytest

from places import REPORTS
from replication.report import parts
from replication.report.error_rates import error_rates
from replication.system.tables import read_table, write_table

PATH = REPORTS / parts.ERROR_RATES


@pytest.fixture
def table():
    rows = [
        {
            "what": "order",
            "noise": noise,
            "readings": readings,
            "effect": effect,
            "seeds": seeds,
            "so": effect / 10,
            "not_so": 0.0,
            "any_so": readings / 1000 + (noise == "unequal") / 100,
            "any_not_so": seeds == "3",
            "repetitions": 1500,
        }
        for noise in ("equal", "unequal")
        for readings in (1.0, 10.0)
        for effect in (0.0, 1.0, 2.0, 3.0)
        for seeds in ("3", "each of 3 to 12")
    ]
    return pd.DataFrame(rows)


def test_each_cell_is_that_of_its_row(tmp_path, table):
    write_table(table, tmp_path / "errors.csv")
    found = error_rates(tmp_path / "errors.csv")
    assert found["seeds"] == ["3", "each of 3 to 12"]
    assert found["false"] == [
        ("equal, 1 reading", ["0.1%, 100.0%", "0.1%, 0.0%"]),
        ("equal, 10 readings", ["1.0%, 100.0%", "1.0%, 0.0%"]),
        ("unequal, 1 reading", ["1.1%, 100.0%", "1.1%, 0.0%"]),
        ("unequal, 10 readings", ["2.0%, 100.0%", "2.0%, 0.0%"]),
    ]
    assert found["found"] == [("1", ["10%", "10%"]), ("2", ["20%", "20%"]), ("3", ["30%", "30%"])]
    assert (found["readings"], found["repetitions"]) == ("10", "1,500")


def test_false_alarms_are_below_one_in_twenty_in_what_is_shown():
    table = read_table(PATH)
    without = table[(table["what"] == "order") & (table["effect"] == 0)]
    assert len(without) > 10
    assert without[["so", "not_so", "any_so", "any_not_so"]].max().max() < 0.05
    numbers = table[(table["what"] == "number") & (table["effect"] == 0)]
    assert numbers["not_so"].max() < 0.05
