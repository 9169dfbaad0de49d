"""Pseudo-random integers that are the same with every version of numpy, on every machine.

NumPy promises that for the raw output of a bit generator, but not for what `Generator` makes of it
(NEP 19), so nothing but `random_raw` is used here.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


class Draws:
    """A stream of draws.

    Parameters
    ----------
    seed
        Non-negative integers; streams of different seeds are independent.
    """

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def below(self, bound: int | Integers, count: int) -> Integers:
        """Return `count` integers from 0 up to, not including, `bound` (one for all, or one for each).

        The remainder of 64 random bits: for bounds below a million, no value is likelier than another by more
        than one part in 10**13.
        """
        return (self._bits.random_raw(count) % np.asarray(bound, np.uint64)).astype(np.int64)

    def shuffled(self, values: Integers) -> Integers:
        """Return `values` in random order."""
        return values[np.argsort(self._bits.random_raw(len(values)), kind="stable")]
