"""The whole cost of a run, in forward and backward passes over training batches."""

import pytest

from replication.analysis.passes import passes
from support import schedule_of, trained

PROBING = {"name": "loss_probing", "factors": [2, 1, 0.5]}


def record_of(costs, epochs=3, **schedule):
    return {"costs": costs, "epochs": epochs, "settings": {"schedule": schedule}}


@pytest.mark.parametrize(
    ("costs", "forward", "backward"),
    [
        ({}, 30, 30),
        ({"trial_forward_passes": 50, "trial_backward_passes": 20}, 80, 50),
        ({"learning_forward_passes": 8, "learning_backward_passes": 6, "trial_forward_passes": 1}, 39, 36),
        ({"range_test_steps": 7, "suggested_minimum_rate": 0.1}, 37, 37),
        ({"calibration_forward_passes": 15}, 45, 30),
        ({"parameter_copies": 4, "candidates": 9}, 30, 30),
    ],
)
def test_what_counts(costs, forward, backward):
    found = passes(record_of(costs), 30)
    assert found == {"forward_passes": forward, "backward_passes": backward}


@pytest.mark.parametrize(
    ("batches", "interval", "forward", "backward"),
    [
        # Of each probe: three trials, and one pass with its gradient.
        (1, 1, 9 + 3 * 4, 9 + 3),
        (2, 1, 9 + 3 * 4 * 2, 9 + 3 * 2),
        # An epoch has no more than three batches to probe with.
        (50, 1, 9 + 3 * 4 * 3, 9 + 3 * 3),
        (1, 2, 9 + 2 * 4, 9 + 2),
    ],
)
def test_probes_cost_the_batches_that_they_average(batches, interval, forward, backward):
    result = trained(schedule=PROBING | {"batches": batches, "interval_epochs": interval})
    record = record_of(result.costs, batches=batches)
    assert passes(record, 9) == {"forward_passes": forward, "backward_passes": backward}


def test_a_search_costs_what_all_its_candidates_do():
    result = trained(schedule=schedule_of("beam_search"), epochs=2)
    # 2 and 4 candidates of three batches each, every one with its loss over three batches.
    assert passes(record_of(result.costs), 6) == {"forward_passes": 36, "backward_passes": 18}
