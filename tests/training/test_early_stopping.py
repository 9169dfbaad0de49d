import itertools
import math

import pytest

from replication.errors import ConfigurationError
from replication.settings.run import EarlyStopping
from replication.training.early_stopping import JUDGED_EPOCHS, Stopper, build_stopper
from support import last_epoch_in_keras, run_settings, through_a_checkpoint

NAN, INFINITY = math.nan, math.inf
ACCURACY = {"monitor": "validation_accuracy"}


def settings(**fields):
    return EarlyStopping(**{"monitor": "validation_loss", "patience": 2, **fields})


def last_epoch(values, **fields):
    """Give the epoch, counted from 1, after which `Stopper` ends a run; None if it never does."""
    stopper = Stopper(settings(**fields))
    monitor = settings(**fields).monitor
    other = {"validation_loss", "validation_accuracy"} - {monitor}
    for epoch, value in enumerate(values, start=1):
        # What is not monitored gets worse all the time, and should not matter.
        unmonitored = {name: -epoch if name == "validation_accuracy" else epoch for name in other}
        if stopper.should_stop({monitor: value, **unmonitored}):
            return epoch
    return None


TABLE = [
    ("patience 1: the first epoch without improvement is the last", [3, 2, 2, 1], {"patience": 1}, 3),
    ("patience 2", [3, 2, 2, 2, 1], {}, 4),
    ("patience 3 as the report's model 1: best at 7, last is 10", [9, 8, 7, 6, 5, 4, 3, 4, 4, 4], {"patience": 3}, 10),
    ("an improvement starts the count anew", [3, 4, 2, 3, 1, 2, 0], {}, None),
    ("the best value counts, not the one before", [1, 3, 2, 0], {}, 3),
    ("equal is no improvement", [1, 1, 1], {}, 3),
    ("too short to tell", [1, 2], {}, None),
    ("an improvement by the minimum delta itself is none", [2, 1.5, 1.5], {"minimum_delta": 0.5}, 3),
    ("an improvement by more than it is one", [2, 1.25, 1.25, 1.25], {"minimum_delta": 0.5}, 4),
    ("small steps add up to an improvement over the best", [2, 1.75, 1.25, 1.0, 1.0], {"minimum_delta": 0.5}, 5),
    ("accuracy should rise", [0.5, 0.6, 0.7, 0.8, 0.8, 0.7], ACCURACY, 6),
    ("accuracy that falls", [0.5, 0.4, 0.3], ACCURACY, 3),
    ("accuracy and a minimum delta", [0.5, 0.75, 0.75], {**ACCURACY, "minimum_delta": 0.25}, 3),
    ("accuracy from nothing", [0.0, 0.0, 0.0], ACCURACY, 3),
    ("not a number is no improvement", [2, NAN, NAN, 1], {}, 3),
    ("nor a worse best value", [2, NAN, 1, 2, 2], {}, 5),
    ("nor is infinity", [INFINITY, INFINITY, 1], {}, 2),
    ("only numbers that are none", [NAN, NAN, NAN], {}, 2),
    ("the first epoch is never the last", [NAN, 1, 1], {"patience": 1}, 3),
    ("but the second may be", [NAN, NAN, 1], {"patience": 1}, 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "fields", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_training_stops_where_it_should(values, fields, expected):
    assert last_epoch(values, **fields) == expected
    assert last_epoch_in_keras(values, **fields) == expected


@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy"])
@pytest.mark.parametrize("patience", [1, 2, 3])
@pytest.mark.parametrize("minimum_delta", [0.0, 0.25])
def test_every_short_sequence_stops_where_keras_does(monitor, patience, minimum_delta):
    fields = {"monitor": monitor, "patience": patience, "minimum_delta": minimum_delta}
    for values in itertools.product([0.25, 0.5, 1.0, NAN], repeat=5):
        assert last_epoch(values, **fields) == last_epoch_in_keras(values, **fields), values


@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy"])
@pytest.mark.parametrize("images", [100, 60, 12_000, 7])
def test_equal_changes_count_alike(monitor, images):
    """Every change by the minimum delta itself is none, be it in hundredths or in shares of images; more is one."""
    sign = -1 if monitor == "validation_loss" else 1
    for first in range(images // 2, images // 2 + 3):
        for change in range(1, min(first, images - first, 200)):
            fields = {"monitor": monitor, "patience": 1, "minimum_delta": change / images}
            at_delta = [first / images, (first + sign * change) / images]
            above = [first / images, (first + sign * (change + 1)) / images]
            assert last_epoch(at_delta, **fields) == 2, (first, change)
            assert last_epoch(above, **fields) is None, (first, change)


@pytest.mark.parametrize("fields", [{}, {"patience": 1}, {"minimum_delta": 0.1}, ACCURACY])
def test_one_that_goes_on_from_a_state_stops_where_the_first_would(fields):
    fields = {"patience": 3, **fields}
    for values in itertools.product([0.5, 0.45, NAN], repeat=6):
        for cut in range(len(values)):
            first, second = Stopper(settings(**fields)), Stopper(settings(**fields))
            rows = [dict.fromkeys(("validation_loss", "validation_accuracy"), value) for value in values]
            for row in rows[:cut]:
                first.should_stop(row)
            second.load_state_dict(first.state_dict())
            assert [second.should_stop(row) for row in rows[cut:]] == [
                first.should_stop(row) for row in rows[cut:]
            ]


def test_its_state_is_of_plain_values():
    stopper = Stopper(settings())
    stopper.should_stop({"validation_loss": 1.5})
    assert through_a_checkpoint(stopper.state_dict()) == stopper.state_dict()


# --- at the ends of cycles -------------------------------------------------------------------------------------

CYCLES = {"name": "triangular", "half_cycle_epochs": 1.0, "minimum": 0.1}  # ends with epochs 2, 4, 6, ...


def stopper_of(judged, schedule=CYCLES, epochs=12, budget_percent=100, **fields):
    stopping = {"monitor": "validation_loss", "patience": 1, "judged": judged, **fields}
    return build_stopper(
        run_settings(
            schedule=schedule, epochs=epochs, budget_percent=budget_percent, early_stopping=stopping
        ),
        steps_per_epoch=10,
    )


def stops_after(stopper, losses):
    stopped = (
        epoch for epoch, loss in enumerate(losses, 1) if stopper.should_stop({"validation_loss": loss})
    )
    return next(stopped, None)


@pytest.mark.parametrize(
    ("losses", "fields", "plain", "at_ends"),
    [
        # Between its ends a cycle is worse, and a plain patience stops there.
        ([9, 8, 9, 7, 8, 6, 7, 6.5, 9, 9, 9, 9], {}, 3, 8),
        ([9, 8, 9, 7, 8, 8, 9, 7.5, 9, 9, 9, 9], {}, 3, 6),
        ([9, 8, 9, 7, 8, 6, 7, 5, 6, 4, 5, 3], {}, 3, None),
        # What is better between the ends is not seen.
        ([9, 8, 1, 7, 2, 6, 3, 5, 4, 4, 5, 3], {}, 4, None),
        ([9, 8, 9, 9, 9, 9, 9, 7, 9, 9, 9, 9], {"patience": 2}, 4, 6),
        ([9, 8, 9, 9, 9, 7, 9, 8, 9, 8, 9, 6], {"patience": 2}, 4, 10),
        ([9, NAN, 9, 8, 9, NAN, 9, 9, 9, 9, 9, 9], {}, 2, 2),
        ([9, 8, 7, 7.5, 7, 7, 7, 7, 7, 7, 7, 7], {"minimum_delta": 1}, 2, 4),
    ],
)
def test_patience_is_counted_in_cycles(losses, fields, plain, at_ends):
    assert stops_after(stopper_of("every_epoch", **fields), losses) == plain
    assert stops_after(stopper_of("cycle_ends", **fields), losses) == at_ends


def test_only_the_ends_count_as_if_there_were_no_other_epochs():
    for losses in itertools.product([0.5, 0.45, 0.55], repeat=4):
        for patience in (1, 2):
            stopper = stopper_of("cycle_ends", patience=patience)
            whole = [value for loss in losses for value in (9.0, loss)]
            alone = last_epoch(losses, patience=patience)
            assert stops_after(stopper, whole) == (None if alone is None else 2 * alone)


def test_one_that_judges_cycles_goes_on_from_a_state():
    losses = [9, 8, 9, 7, 8, 6, 7, 6.5]
    for cut in range(len(losses)):
        first, second = stopper_of("cycle_ends"), stopper_of("cycle_ends")
        rows = [{"validation_loss": loss} for loss in losses]
        for row in rows[:cut]:
            first.should_stop(row)
        second.load_state_dict(through_a_checkpoint(first.state_dict()))
        assert [second.should_stop(row) for row in rows[cut:]] == [row is rows[-1] for row in rows[cut:]]


def test_the_ends_are_those_within_the_share_of_the_budget():
    # 25 % of 12 epochs are 3, and only one cycle ends within them.
    assert stops_after(stopper_of("cycle_ends", budget_percent=25), [9, 8, 9, 9, 9, 9, 9]) is None
    with pytest.raises(ConfigurationError, match="no cycle ends within the budget of 1 epochs"):
        stopper_of("cycle_ends", budget_percent=10)


def test_a_schedule_without_cycles_has_nothing_to_judge_at():
    with pytest.raises(ConfigurationError, match="the schedule cosine has no cycles"):
        stopper_of("cycle_ends", schedule={"name": "cosine"})
    assert stopper_of("every_epoch", schedule={"name": "cosine"}) is not None


def test_without_early_stopping_there_is_no_stopper():
    assert build_stopper(run_settings(), steps_per_epoch=10) is None


def test_every_way_to_judge_is_known():
    assert set(JUDGED_EPOCHS) == set(EarlyStopping.model_fields["judged"].annotation.__args__)
