"""Things that a run either shows or does not, read off its curves."""

import math
from collections.abc import Sequence


def second_descent(losses: Sequence[float], threshold: float) -> bool:
    """Say whether a loss curve falls, rises, and falls below where it was: epoch-wise double descent.

    There must be epochs a < b < c such that the loss at b is above the lowest loss up to a by more than the
    share `threshold` of it, and the loss at c is below that lowest loss. (Nakkiran et al., arXiv:1912.02292,
    describe the phenomenon; this criterion is ours.) Values that are not finite are ignored.
    """
    lowest = math.inf
    risen = False
    for loss in losses:
        if not math.isfinite(loss):
            continue
        if loss < lowest:
            if risen:
                return True
            lowest = loss
        risen = risen or loss > lowest * (1 + threshold)
    return False


def no_convergence(value: float, reference: float, threshold: float) -> bool:
    """Say whether a run's accuracy is below the share `threshold` of that of its reference run.

    A value that is not finite has not converged.
    """
    return not (math.isfinite(value) and value >= threshold * reference)


def stopped_too_early(stopped: Sequence[float], whole: Sequence[float], threshold: float) -> bool:
    """Say whether longer training would have helped: the run that was not stopped falls further than the stopped one.

    After the last epoch of the stopped curve, the whole one must have a loss below the lowest of the stopped one by
    more than the share `threshold` of it. Values that are not finite are ignored; if the stopped curve has only such
    values, any finite loss of the whole one counts as lower.

    Parameters
    ----------
    stopped, whole
        Losses after each epoch, of a run with early stopping and of the same run without it.
    """
    lowest = min((loss for loss in stopped if math.isfinite(loss)), default=math.inf)
    later = [loss for loss in whole[len(stopped) :] if math.isfinite(loss)]
    return any(loss < lowest * (1 - threshold) for loss in later)
