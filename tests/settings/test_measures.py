"""The registry of measures: what else must know them, and does."""

from typing import get_args

import pytest

from replication.audit.expected import HISTORY_COLUMNS
from replication.report.formatting import format_value
from replication.settings.measures import EPOCH_MEASURES, MEASURES, EpochMeasureName, MeasureName, measure_of


def test_the_names_that_a_study_may_use_are_those_of_the_registry():
    assert get_args(MeasureName) == tuple(MEASURES)
    assert get_args(EpochMeasureName) == EPOCH_MEASURES


def test_measures_of_an_epoch_are_columns_of_a_runs_history():
    assert set(EPOCH_MEASURES) <= set(HISTORY_COLUMNS)


@pytest.mark.parametrize("name", MEASURES)
def test_each_can_be_shown(name):
    measure = MEASURES[name]
    assert measure.title
    assert measure.title[0].isupper()
    shown = format_value(name, 0.25)
    assert shown == ("25.00 %" if measure.percent else f"{0.25:.{measure.decimals}f}")


def test_other_columns_are_shown_as_plain_numbers():
    assert format_value("seconds_training", 1.0) == "1.0000"
    assert not measure_of("seconds_training").summarised


def test_a_unit_follows_the_title():
    assert MEASURES["peak_memory_mb"].label == "Peak memory (MB)"
    assert MEASURES["epochs"].label == "Epochs"
