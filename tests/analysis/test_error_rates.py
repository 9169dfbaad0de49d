"""The rules of verdicts keep their error rates: a short run of the simulation in `benchmarks/`."""

import math

import numpy as np
import pytest
import verdict_errors
from verdict_errors import FIRST_SEED, LOOKS, NOISES, READINGS, decided, drawn, numbers

STUDIES = 120
# One in twenty claims, or studies, judged again after each seed; and two standard errors of this simulation.
MOST = 0.05 + 2 * math.sqrt(0.05 * 0.95 / STUDIES)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("readings", READINGS)
def test_where_means_are_equal_few_studies_find_anything(noise, readings):
    generator = np.random.default_rng(FIRST_SEED)
    found = np.array(
        [
            [decided(*arms, count) for count in LOOKS]
            for arms in (drawn(generator, readings, 0.0, noise) for _ in range(STUDIES))
        ]
    )
    assert (found == 1).any(axis=(1, 2)).mean() <= MOST
    assert (found == -1).any(axis=(1, 2)).mean() <= MOST


def test_a_number_of_a_run_like_ours_is_seldom_contradicted():
    rows = [row for row in numbers(STUDIES) if row["effect"] == 0]
    assert len(rows) > 3
    assert all(row["not_so"] <= MOST for row in rows)


def test_a_laxer_rule_would_be_noticed(monkeypatch):
    monkeypatch.setattr(verdict_errors, "LOOK_LEVEL", 0.05)
    with pytest.raises(AssertionError):
        test_where_means_are_equal_few_studies_find_anything("equal spread", 1)
