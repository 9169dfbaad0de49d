from collections import Counter

import pytest

from replication.schedules import gallery
from replication.schedules.examples import EXAMPLES
from replication.schedules.from_settings import CURVES, SAMPLINGS, WARM_UPS

ROWS = gallery(points=5)


def test_every_schedule_sampling_and_warm_up_is_shown():
    assert {example.name for example in EXAMPLES.values()} == set(CURVES)
    assert {example.sampling.name for example in EXAMPLES.values()} == set(SAMPLINGS)
    assert {example.warm_up.name for example in EXAMPLES.values() if example.warm_up} == set(WARM_UPS)


def test_every_example_has_its_points_in_order():
    assert Counter(title for title, _, _ in ROWS) == dict.fromkeys(EXAMPLES, 5)
    for title in EXAMPLES:
        assert [progress for row, progress, _ in ROWS if row == title] == [0, 0.25, 0.5, 0.75, 1]


def test_multipliers_are_between_0_and_1():
    assert all(0 <= multiplier <= 1 + 1e-12 for _, _, multiplier in gallery())


@pytest.mark.parametrize(
    ("title", "values"),
    [
        ("Constant", [1, 1, 1, 1, 1]),
        ("REX", [1, 6 / 7, 2 / 3, 2 / 5, 2 / 10001]),
        ("REX, sampled at 50 % and 75 %", [1, 1, 2 / 3, 2 / 5, 2 / 5]),
        ("Linear", [1, 0.75, 0.5, 0.25, 1e-4]),
    ],
)
def test_curves_are_the_schedules_own(title, values):
    assert [multiplier for row, _, multiplier in ROWS if row == title] == pytest.approx(values)
