"""How long a schedule runs."""

from dataclasses import dataclass
from fractions import Fraction


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
    Fraction(5, 2)
    """

    steps: int
    steps_per_epoch: int

    def __post_init__(self) -> None:
        if self.steps < 1 or self.steps_per_epoch < 1:
            raise ValueError(f"a budget needs at least one step and one step per epoch: {self}")

    @property
    def epochs(self) -> Fraction:
        """Length in epochs, exactly."""
        return Fraction(self.steps, self.steps_per_epoch)

    @property
    def epochs_to_last_step(self) -> Fraction:
        """Time in epochs at which the last step begins: for what should have come to its end with that step.

        That of one step is a whole step away, as there is no time before it in which to come anywhere.
        """
        return Fraction(max(self.steps - 1, 1), self.steps_per_epoch)
