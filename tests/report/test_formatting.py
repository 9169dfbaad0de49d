"""Numbers as a reader sees them."""

import math

import numpy as np
import pytest

from replication.report.formatting import format_interval, format_value
from replication.settings.measures import MEASURES
from replication.system.missing import MISSING

NAN = math.nan


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("test_accuracy", 0.955, "95.50 %"),
        ("train_accuracy", 1.0, "100.00 %"),
        ("validation_accuracy", 0.000049, "0.00 %"),
        ("share_of_epochs_saved", 0.5, "50.00 %"),
        ("share_of_seconds_probing", 0.12345, "12.35 %"),
        ("test_loss", 0.12345, "0.1235"),
        ("validation_loss", -1, "-1.0000"),
        ("epochs", 10, "10.0"),
        ("best_epoch", 6.66, "6.7"),
        ("seconds", 1234.56, "1234.6"),
        ("learning_rate", 0.0005, "0.000500"),
        ("trial_losses_per_probe", 5, "5.0"),
        ("backward_passes_per_probe", 1, "1.0"),
        ("parameter_copies", 1.0, "1.0"),
        ("epochs", np.int64(3), "3.0"),
        ("test_accuracy", np.float64(0.5), "50.00 %"),
        ("test_accuracy", None, MISSING),
        ("test_accuracy", NAN, MISSING),
        ("seconds", math.inf, MISSING),
    ],
)
def test_a_value_has_its_unit_and_as_many_digits_as_mean_something(measure, value, text):
    assert format_value(measure, value) == text


@pytest.mark.parametrize(
    ("measure", "value", "text"),
    [
        ("test_accuracy", 0.0123, "+1.23 %"),
        ("test_accuracy", -0.0123, "-1.23 %"),
        ("test_loss", 0.0, "+0.0000"),
        ("epochs", 3, "+3.0"),
        ("test_loss", NAN, MISSING),
    ],
)
def test_a_difference_has_its_sign(measure, value, text):
    assert format_value(measure, value, sign=True) == text


@pytest.mark.parametrize(
    ("measure", "low", "high", "sign", "text"),
    [
        ("test_accuracy", 0.95, 0.96, False, "[95.00, 96.00]"),
        ("test_accuracy", -0.01, 0.02, True, "[-1.00, +2.00]"),
        ("test_loss", 0.25, 0.5, False, "[0.2500, 0.5000]"),
        ("epochs", 9, 11, False, "[9.0, 11.0]"),
        ("epochs", NAN, NAN, False, ""),
        ("epochs", 9, NAN, False, ""),
        ("epochs", -math.inf, 9, False, ""),
    ],
)
def test_an_interval_is_in_brackets_in_the_unit_of_its_value(measure, low, high, sign, text):
    assert format_interval(measure, low, high, sign=sign) == text


@pytest.mark.parametrize("measure", [m for m in MEASURES if "accuracy" in m or m.startswith("share_")])
def test_every_share_is_shown_in_percent(measure):
    assert format_value(measure, 0.5) == "50.00 %"
