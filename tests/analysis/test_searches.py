"""Searches over runs that are already there, against searches that are carried out."""

import doctest
import itertools
import math

import numpy as np
import pandas as pd
import pytest

from replication.analysis import searches
from replication.analysis.searches import (
    SEARCHES,
    random_search,
    search_in_order,
    search_rows,
    successive_halving,
)
from replication.settings.searches import Search

CURVES = np.random.default_rng(0).random((5, 8))


def test_examples_print_what_they_say():
    assert doctest.testmod(searches).failed == 0


@pytest.mark.parametrize("target", [0.1, 0.5, 0.8])
def test_random_search_is_search_in_order_in_every_order(target):
    orders = [search_in_order(CURVES[list(order)], target) for order in itertools.permutations(range(5))]
    assert random_search(CURVES, target) == pytest.approx(np.mean(orders))


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_a_target_that_none_reaches_costs_infinitely_much(search):
    assert search(CURVES, 1.1) == math.inf
    assert search(np.full((3, 4), np.nan), 0.5) == math.inf


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_a_single_setting_costs_its_budget(search):
    assert search(CURVES[:1], 0.0) == 8


def test_halving_counts_each_epoch_once_and_goes_by_what_it_has_seen():
    rising = np.linspace(0, 1, 8)
    curves = [rising * 0.4, rising * 0.6, rising * 0.8, rising]  # the best is ahead all the time
    assert successive_halving(curves, 0.9) == 4 * 2 + 2 * 2 + 1 * 4
    late = [*curves[:3], np.where(rising < 1, 0.0, 1.0)]  # the best is behind until the end
    assert successive_halving(late, 0.9) == math.inf
    assert search_in_order(late, 0.9) == 32


def test_a_run_that_has_ended_is_the_worst():
    curves = [[0.9, np.nan, np.nan, np.nan], [0.1, 0.2, 0.3, 0.4]]
    assert search_in_order(curves, 0.4) == 8
    assert successive_halving(curves, 0.4) == 2 * 2 + 2


ARMS = ["a", "b", "c", "d"]


def history_of(seeds=(1, 2), arms=ARMS):
    rows = [
        {"arm": arm, "seed": seed, "epoch": epoch + 1, "validation_accuracy": CURVES[place][epoch] / seed}
        for seed in seeds
        for place, arm in enumerate(arms)
        for epoch in range(8)
    ]
    return pd.DataFrame([*rows, {"arm": "another", "seed": 1, "epoch": 1, "validation_accuracy": 9.0}])


def search_of(method="successive_halving", **fields):
    given = {
        "title": "T",
        "method": method,
        "arms": ARMS,
        "measure": "validation_accuracy",
        "direction": "higher",
    }
    return Search.model_validate(given | {"tolerance": 0.05} | fields)


@pytest.mark.parametrize("method", SEARCHES)
def test_the_rows_of_a_search_are_its_costs_seed_by_seed(method):
    rows = search_rows(search_of(method), "study", "found", history_of(), [1, 2]).set_index("seed")
    assert rows.loc[1, "run_id"] == "study/found/seed-1"
    assert rows.loc[2, "made_of"] == " ".join(f"study/{arm}/seed-2" for arm in ARMS)
    for seed in (1, 2):
        curves = CURVES[:4] / seed
        wanted = SEARCHES[method](curves, curves[:, -1].max() - 0.05)
        assert rows.loc[seed, "search_epochs"] == (wanted if math.isfinite(wanted) else curves.size)


def test_without_tolerance_the_best_setting_is_found():
    assert search_rows(search_of("in_order", tolerance=0), "s", "n", history_of(), [1])["search_epochs"][
        0
    ] == 8 * (1 + CURVES[:4, -1].argmax())


def test_lower_may_be_better():
    rows = search_rows(search_of("in_order", direction="lower", tolerance=0), "s", "n", history_of(), [1])
    assert rows["search_epochs"][0] == 8 * (1 + CURVES[:4, -1].argmin())


def test_a_search_that_misses_is_charged_everything():
    late = history_of(seeds=[1])
    first = late["arm"] == "a"
    late.loc[first & (late["epoch"] < 8), "validation_accuracy"] = -1.0
    late.loc[first & (late["epoch"] == 8), "validation_accuracy"] = 2.0
    assert search_rows(search_of(), "s", "n", late, [1])["search_epochs"][0] == 4 * 8


def test_a_search_of_which_a_run_is_missing_has_no_cost():
    rows = search_rows(search_of(), "s", "n", history_of(arms=ARMS[:3]), [1])
    assert math.isnan(rows["search_epochs"][0])
    assert rows["made_of"][0] == "s/a/seed-1 s/b/seed-1 s/c/seed-1"
