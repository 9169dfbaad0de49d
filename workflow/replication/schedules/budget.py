"""How long a schedule runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Budget:
    """Length of a schedule in optimizer steps, and the number of steps in an epoch.

    Both are whole numbers, so that positions can be compared exactly; epochs are derived from them.

    Parameters
    ----------
    steps
        Optimizer steps, at least 1. They need not make whole epochs.
    steps_per_epoch
        Optimizer steps in one pass over the training images, at least 1.

    Raises
    ------
    ValueError
        If either is below 1.

    Examples
    --------
    >>> Budget(steps=250, steps_per_epoch=100).epochs
    2.5
    """

    steps: int
    steps_per_epoch: int

    def __post_init__(self) -> None:
        if self.steps < 1 or self.steps_per_epoch < 1:
            raise ValueError(f"a budget needs at least one step and one step per epoch: {self}")

    @property
    def epochs(self) -> float:
        """Length in epochs."""
        return self.steps / self.steps_per_epoch
