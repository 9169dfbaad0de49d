from collections import Counter

import pytest

from places import ROOT
from project import inside
from replication.schedules import gallery
from replication.schedules.examples import EXAMPLES
from replication.schedules.from_settings import CURVES, SAMPLINGS, WARM_UPS
from replication.settings.schedule import EveryEpoch, OwnFunction, WarmUp

ROWS = gallery(points=5)


def test_every_schedule_sampling_and_warm_up_is_shown():
    assert {example.name for example in EXAMPLES.values()} == set(CURVES) - {"function"}
    assert {example.sampling.name for example in EXAMPLES.values()} == set(SAMPLINGS)
    assert {example.warm_up.name for example in EXAMPLES.values() if example.warm_up} == set(WARM_UPS)


def test_every_example_has_its_points_in_order():
    assert Counter(title for title, _, _ in ROWS) == dict.fromkeys(EXAMPLES, 5)
    for title in EXAMPLES:
        assert [progress for row, progress, _ in ROWS if row == title] == [0, 0.25, 0.5, 0.75, 1]


def test_functions_of_the_users_own_come_last_as_they_are():
    own = OwnFunction(
        name="function",
        file="schedules/wsd.py",
        function="warmup_stable_decay",
        stable=0.5,
        sampling=EveryEpoch(name="every_epoch"),
        warm_up=WarmUp(name="constant", epochs=1000, start=0.5),  # more than the gallery's budget
    )
    with inside(ROOT):
        rows = gallery(points=5, own=[own, own])
    assert rows[:-5] == ROWS
    assert {title for title, _, _ in rows[-5:]} == {"warmup_stable_decay (schedules/wsd.py), stable 0.5"}
    assert [multiplier for _, _, multiplier in rows[-5:]] == pytest.approx([0, 1, 1, 0.5, 2e-4])


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
