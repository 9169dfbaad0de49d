"""Normalisation constants of a set of images."""

import math

import numpy as np
from numpy.typing import NDArray

# So few at a time that the 64-bit copy of the pixels being summed is small compared with the images themselves.
IMAGES_AT_A_TIME = 64


def channel_statistics(images: NDArray[np.uint8]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    r"""Return the mean and the standard deviation of each channel, on the scale where 255 is 1.

    With :math:`n` pixels :math:`x_i` in a channel, :math:`S = \sum x_i` and :math:`Q = \sum x_i^2`, the mean
    is :math:`S / (255 n)` and the (population) standard deviation :math:`\sqrt{(n Q - S^2) / (255 n)^2}`.
    All sums are integers, each quotient and root is rounded once, so every machine gives the same.

    Parameters
    ----------
    images
        Shape (images, height, width, channels), at least one image.
    """
    pixels = images.size // images.shape[-1]
    sums, squares = _integer_sums(images)
    scale = 255 * pixels
    means = tuple(total / scale for total in sums)
    deviations = tuple(
        math.sqrt((pixels * square - total**2) / scale**2)
        for total, square in zip(sums, squares, strict=True)
    )
    return means, deviations


def _integer_sums(images: NDArray[np.uint8]) -> tuple[list[int], list[int]]:
    """Return the sum of the values, and of their squares, of each channel."""
    channels = images.shape[-1]
    sums = np.zeros(channels, np.uint64)
    squares = np.zeros(channels, np.uint64)
    for start in range(0, len(images), IMAGES_AT_A_TIME):
        values = images[start : start + IMAGES_AT_A_TIME].reshape(-1, channels).astype(np.uint64)
        sums += values.sum(axis=0)
        squares += (values * values).sum(axis=0)
    return sums.tolist(), squares.tolist()
