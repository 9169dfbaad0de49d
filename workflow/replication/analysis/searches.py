"""What it costs to find a setting that is good enough: searches over runs that are already there.

Each setting is an arm, each run a curve of one value for each epoch. A search decides by validation, and is charged for
every epoch that it trains until a setting has reached the target after its whole budget:

- exhaustive search, grid search as it is defined, trains all settings for the whole budget and takes the best;
- search in order trains one setting after the other, each for the whole budget;
- random search does so in an order drawn at random, without repeats: its cost is the mean over all orders, of n
  settings of which k are good (n + 1) / (k + 1) budgets;
- successive halving (Jamieson & Talwalkar, arXiv:1502.07943) trains all settings for a share of the budget, keeps the
  better half (of an odd number, the larger one), and goes on with these for twice as long, until one has had the whole.

Curves may be read so only if the schedule does not depend on the budget: a run that is stopped early is then the
beginning of one that is not. A search that does not reach the target costs infinitely much: `search_rows` charges it
the whole grid.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from replication.analysis.measures import derived_key
from replication.runs.results import run_identity
from replication.settings.searches import Search

Curves = NDArray[np.float64]  # of shape (settings, epochs): higher is better, NaN where a run has ended


def exhaustive_search(curves: ArrayLike, target: float) -> float:
    """Return the epochs of all settings, if one reaches the target.

    >>> exhaustive_search([[0.1, 0.2], [0.5, 0.9], [0.4, 0.8]], target=0.8)
    6.0
    """
    values = _values(curves)
    return float(values.size) if (values[:, -1] >= target).any() else math.inf


def search_in_order(curves: ArrayLike, target: float) -> float:
    """Return the epochs that are trained until the first setting, in their order, reaches the target.

    >>> search_in_order([[0.1, 0.2], [0.5, 0.9], [0.4, 0.8]], target=0.8)
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


SEARCHES = {
    "exhaustive": exhaustive_search,
    "in_order": search_in_order,
    "random": random_search,
    "successive_halving": successive_halving,
}


def search_rows(
    search: Search, study: str, name: str, history: pd.DataFrame, seeds: Sequence[int]
) -> pd.DataFrame:
    """Return the rows of the table of runs for a search: one for each seed.

    The target of a seed is the last value of its best setting, but for the tolerance: only halving can miss it.
    A search that does not is charged all epochs of all settings, which then have to be trained.

    Parameters
    ----------
    name
        Of the derived arm.
    history
        As returned by `replication.analysis.study_tables.collect`.

    Returns
    -------
    DataFrame
        The key; `search_epochs`, NaN if a run is missing or none has a last value; and `made_of`, the runs.
    """
    rows = []
    for seed in seeds:
        runs = history[history["arm"].isin(search.arms) & (history["seed"] == seed)]
        found = [arm for arm in search.arms if arm in set(runs["arm"])]
        curves = runs.pivot_table(index="arm", columns="epoch", values=search.measure).reindex(found)
        sign = 1.0 if search.direction == "higher" else -1.0
        complete = len(found) == len(search.arms)
        rows.append(
            derived_key(study, name, seed)
            | {"search_epochs": _cost(search, sign * curves.to_numpy()) if complete else math.nan}
            | {"made_of": " ".join(run_identity(study, arm, seed) for arm in found)}
        )
    return pd.DataFrame(rows)


def _cost(search: Search, curves: Curves) -> float:
    last = _values(curves)[:, -1]
    if not np.isfinite(last.max()):
        return math.nan
    # One rounding error of the target must not make the best setting miss it.
    target = math.nextafter(float(last.max()) - search.tolerance, -math.inf)
    return min(SEARCHES[search.method](curves, target), float(curves.size))
