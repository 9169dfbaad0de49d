"""What it costs to find a setting that is good enough: three searches over runs that are already there.

Each setting is an arm, each run a curve of one value for each epoch. A search decides by validation, and is charged for
every epoch that it trains until a setting has reached the target after its whole budget:

- grid search trains one setting after the other, in their order, each for the whole budget;
- random search does so in an order drawn at random, without repeats: its cost is the mean over all orders, of n
  settings of which k are good (n + 1) / (k + 1) budgets;
- successive halving (Jamieson & Talwalkar, arXiv:1502.07943) trains all settings for a share of the budget, keeps the
  better half (of an odd number, the larger one), and goes on with these for twice as long, until one has had the whole.

Curves may be read so only if the schedule does not depend on the budget: a run that is stopped early is then the
beginning of one that is not. A search that does not reach the target costs infinitely much.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Curves = NDArray[np.float64]  # of shape (settings, epochs): higher is better, NaN where a run has ended


def grid_search(curves: ArrayLike, target: float) -> float:
    """Return the epochs that are trained until the first setting, in their order, reaches the target.

    >>> grid_search([[0.1, 0.2], [0.5, 0.9], [0.4, 0.8]], target=0.8)
    4.0
    """
    values = _values(curves)
    good = np.flatnonzero(values[:, -1] >= target)
    return float((good[0] + 1) * values.shape[1]) if len(good) else math.inf


def random_search(curves: ArrayLike, target: float) -> float:
    """Return the mean of the epochs that are trained, over all orders of the settings.

    >>> random_search([[0.1, 0.2], [0.5, 0.9], [0.4, 0.8]], target=0.8)
    2.6666666666666665
    """
    values = _values(curves)
    good = int((values[:, -1] >= target).sum())
    return (len(values) + 1) / (good + 1) * values.shape[1] if good else math.inf


def successive_halving(curves: ArrayLike, target: float) -> float:
    """Return the epochs that are trained until one setting is left, if that reaches the target.

    >>> successive_halving([[0.1, 0.2], [0.5, 0.9]], target=0.8)
    3.0
    """
    values = _values(curves)
    kept, trained, cost = np.arange(len(values)), 0, 0
    for share in _shares(len(values)):
        epochs = max(trained, math.ceil(values.shape[1] * share))
        cost += len(kept) * (epochs - trained)
        trained = epochs
        order = np.argsort(-values[kept, trained - 1], kind="stable")  # of equals, the earlier one
        kept = kept[order[: -(-len(kept) // 2)]]
    return float(cost) if values[kept[0], -1] >= target else math.inf


def _shares(settings: int) -> list[float]:
    """Return the share of the budget that each round ends with: twice the one before, and at last the whole."""
    rounds = max(settings - 1, 0).bit_length() + 1
    return [0.5**later for later in range(rounds - 1, -1, -1)]


def _values(curves: ArrayLike) -> Curves:
    """Return the curves, the worst that there can be in the place of what is not finite."""
    values = np.asarray(curves, dtype=float)
    return np.where(np.isfinite(values), values, -math.inf)


SEARCHES = {"Grid": grid_search, "Random": random_search, "Successive halving": successive_halving}


def search_costs(
    history: pd.DataFrame, arms: Sequence[str], measure: str, targets: Sequence[float]
) -> pd.DataFrame:
    """Return one row for each search, target and seed: the epochs that it costs.

    Parameters
    ----------
    history
        Of a study: one row for each run and epoch.
    arms
        The settings, in the order of the grid, all of one budget.
    measure
        A column of history of which more is better.
    """
    rows = []
    for seed, runs in history[history["arm"].isin(arms)].groupby("seed"):
        by_epoch = runs.pivot_table(index="arm", columns="epoch", values=measure)
        curves = by_epoch.reindex(list(arms)).to_numpy()
        rows += [
            {"search": name, "target": target, "seed": seed, "epochs": search(curves, target)}
            for name, search in SEARCHES.items()
            for target in targets
        ]
    return pd.DataFrame(rows, columns=["search", "target", "seed", "epochs"])
