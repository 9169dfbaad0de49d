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
    grid_search,
    random_search,
    search_costs,
    successive_halving,
)

CURVES = np.random.default_rng(0).random((5, 8))


def test_examples_print_what_they_say():
    assert doctest.testmod(searches).failed == 0


@pytest.mark.parametrize("target", [0.1, 0.5, 0.8])
def test_random_search_is_grid_search_in_every_order(target):
    orders = [grid_search(CURVES[list(order)], target) for order in itertools.permutations(range(5))]
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
    assert grid_search(late, 0.9) == 32


def test_a_run_that_has_ended_is_the_worst():
    curves = [[0.9, np.nan, np.nan, np.nan], [0.1, 0.2, 0.3, 0.4]]
    assert grid_search(curves, 0.4) == 8
    assert successive_halving(curves, 0.4) == 2 * 2 + 2


def test_costs_of_a_study_are_those_of_each_seed():
    rows = [
        {"arm": arm, "seed": seed, "epoch": epoch + 1, "validation_accuracy": CURVES[seed + place][epoch]}
        for seed in (1, 2)
        for place, arm in enumerate(["a", "b"])
        for epoch in range(8)
    ]
    costs = search_costs(pd.DataFrame(rows), ["a", "b"], "validation_accuracy", [0.3])
    assert len(costs) == 2 * len(SEARCHES)
    found = costs.set_index(["search", "seed"])["epochs"]
    assert found["Grid", 2] == grid_search(CURVES[2:4], 0.3)
    assert found["Successive halving", 1] == successive_halving(CURVES[1:3], 0.3)
