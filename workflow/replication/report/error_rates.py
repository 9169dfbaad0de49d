"""How often the rules of verdicts err, as simulated by `benchmarks/verdict_errors.py`: two small tables."""

from pathlib import Path
from typing import Any

import pandas as pd

from replication.system.tables import read_table

SHOWN_EFFECTS = (1.0, 2.0, 3.0)  # standard deviations of a seed


def error_rates(path: str | Path) -> dict[str, Any]:
    """Return what the page shows of the simulation.

    Parameters
    ----------
    path
        The table that the benchmark has written: one row a condition and number of seeds.

    Returns
    -------
    dict
        `seeds`, headings; `false`, for each condition without any effect its words and the shares of studies in which
        something is found so, and not so; `found`, for effects that are there the share of readings found so, where as
        many are judged together as `readings`; and `repetitions`.
    """
    table = read_table(path)
    orders = table[table["what"] == "order"]
    seeds = list(dict.fromkeys(orders["seeds"]))
    without, most = orders[orders["effect"] == 0], orders["readings"].max()
    powers = orders[(orders["readings"] == most) & (orders["noise"] == orders["noise"].iloc[0])]
    return {
        "seeds": seeds,
        "false": [
            (f"{noise}, {readings:g} {'reading' if readings == 1 else 'readings'}", _pairs(rows, seeds))
            for (noise, readings), rows in without.groupby(["noise", "readings"], sort=False)
        ],
        "found": [
            (
                f"{effect:g}",
                [f"{_cell(powers[powers['effect'] == effect], each, 'so'):.0%}" for each in seeds],
            )
            for effect in SHOWN_EFFECTS
        ],
        "readings": f"{most:g}",
        "repetitions": f"{orders['repetitions'].iloc[0]:,}",
    }


def _pairs(rows: pd.DataFrame, seeds: list[str]) -> list[str]:
    return [f"{_cell(rows, each, 'any_so'):.1%}, {_cell(rows, each, 'any_not_so'):.1%}" for each in seeds]


def _cell(rows: pd.DataFrame, seeds: str, column: str) -> float:
    return float(rows.loc[rows["seeds"] == seeds, column].item())
