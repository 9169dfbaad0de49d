"""Normalisation constants against their definition."""

from fractions import Fraction

import numpy as np
import pytest

from replication.data.statistics import IMAGES_AT_A_TIME, channel_statistics


@pytest.mark.parametrize("count", [1, IMAGES_AT_A_TIME, 2 * IMAGES_AT_A_TIME + 1])
@pytest.mark.parametrize("channels", [1, 3])
def test_are_the_exact_mean_and_population_deviation(count: int, channels: int) -> None:
    images = np.random.default_rng(count).integers(0, 256, (count, 3, 5, channels), np.uint8)
    means, deviations = channel_statistics(images)
    for channel in range(channels):
        values = [Fraction(int(value), 255) for value in images[..., channel].ravel()]
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        assert means[channel] == float(mean)
        assert deviations[channel] == pytest.approx(float(variance) ** 0.5, rel=1e-15)


def test_large_sums_do_not_overflow() -> None:
    images = np.full((300, 128, 128, 1), 255, np.uint8)
    images[0, 0, 0, 0] = 0
    pixels = images.size
    means, deviations = channel_statistics(images)
    assert means == ((pixels - 1) / pixels,)
    assert deviations == pytest.approx(((pixels - 1) ** 0.5 / pixels,), rel=1e-15)
