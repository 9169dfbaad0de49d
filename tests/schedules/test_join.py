import pytest
from hypothesis import given
from hypothesis import strategies as some

from replication.schedules.join import join_schedules, scaled


def counting(step):
    return float(step)


def negative(step):
    return -float(step)


def test_later_schedules_count_steps_from_their_boundary():
    schedule = join_schedules([counting, negative, counting], [3, 5])
    assert [schedule(step) for step in range(8)] == [0, 1, 2, 0, -1, 0, 1, 2]


@given(step=some.integers(0, 1000))
def test_one_schedule_joined_to_nothing_is_itself(step):
    assert join_schedules([negative], [])(step) == negative(step)


@given(step=some.integers(0, 200), first=some.integers(1, 50), second=some.integers(1, 50))
def test_joining_is_associative(step, first, second):
    flat = join_schedules([counting, negative, counting], [first, first + second])
    nested = join_schedules([counting, join_schedules([negative, counting], [second])], [first])
    assert flat(step) == nested(step)


@pytest.mark.parametrize(
    ("boundaries", "message"),
    [
        ([], "3 schedules need 2 boundaries, not 0"),
        ([1, 2, 3], "3 schedules need 2 boundaries, not 3"),
        ([5, 5], "increase from above 0"),
        ([5, 4], "increase from above 0"),
        ([0, 4], "increase from above 0"),
    ],
)
def test_boundaries_that_do_not_fit_are_refused(boundaries, message):
    with pytest.raises(ValueError, match=message):
        join_schedules([counting, counting, counting], boundaries)


def test_scaled_multiplies_every_value():
    assert [scaled(counting, 0.5)(step) for step in range(3)] == [0, 0.5, 1]
