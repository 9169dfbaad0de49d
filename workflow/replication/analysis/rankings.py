"""Rankings: which contestant wins over the settings of a grid, as derived rows of a study's tables.

Within each setting, and separately for each seed, the contestants are ranked by one value of their runs. Equal
values share the ranks that they take up, each getting the mean of these. A run without a finite value, such as one that
has diverged, is ranked after all others. A run that is missing leaves its seed without any ranks.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.analysis.measures import at_epoch, derived_key
from replication.runs.results import run_identity
from replication.settings.measures import MEASURES
from replication.settings.rankings import Contest

Array = NDArray[np.float64]
OF_CONTESTANTS = tuple(name for name, measure in MEASURES.items() if measure.source == "ranking")


def ranking_rows(
    contest: Contest, study_name: str, runs: pd.DataFrame, history: pd.DataFrame, seeds: Sequence[int]
) -> pd.DataFrame:
    """Return the rows of the table of runs for the contestants of a ranking.

    Parameters
    ----------
    contest
        Who is compared where, at the scale of the runs: of `Study.contests_at`.
    runs, history
        As returned by `replication.analysis.study_tables.collect`.

    Returns
    -------
    DataFrame
        For each contestant and seed: the key; `average_rank` (1 is best), `share_of_top_1` and `share_of_top_3`
        over the settings, NaN if a run of the contest is missing or not selected; and `made_of`, the contestant's own
        runs, which are ranked among those of the other rows. A contestant of whose arms none is selected has no row.
    """
    values = at_epoch(runs, history, contest.ranking.measure, contest.ranking.epoch)
    values = values[(runs["outcome"] != "missing").to_numpy()]
    selected = set(runs["arm"])
    rows = []
    for seed in seeds:
        run_ids = {
            name: [run_identity(study_name, arm, seed) for arm in arms]
            for name, arms in contest.contestants.items()
        }
        measures = _measures_of_seed(contest, values, run_ids)
        for name, arms in contest.contestants.items():
            if not selected.isdisjoint(arms):
                made_of = " ".join(run_id for run_id in run_ids[name] if run_id in values.index)
                rows.append(derived_key(study_name, name, seed) | measures[name] | {"made_of": made_of})
    return pd.DataFrame(rows)


def _measures_of_seed(
    contest: Contest, values: pd.Series, run_ids: Mapping[str, list[str]]
) -> dict[str, dict[str, float]]:
    """Return the measures of each contestant; `values` holds those of the existing runs."""
    if any(run_id not in values.index for of_one in run_ids.values() for run_id in of_one):
        return {name: dict.fromkeys(OF_CONTESTANTS, math.nan) for name in run_ids}
    if not run_ids:
        return {}
    found = np.array([values.loc[of_one] for of_one in run_ids.values()])
    measures = _measures(found if contest.ranking.direction == "higher" else -found)
    return {
        name: {measure: float(of_all[number]) for measure, of_all in measures.items()}
        for number, name in enumerate(run_ids)
    }


def _measures(values: Array) -> dict[str, Array]:
    """Return the mean over settings of ranks and finishes; `values` has the shape (contestants, settings)."""
    return {
        "average_rank": ranks(values).mean(axis=1),
        "share_of_top_1": top_shares(values, 1).mean(axis=1),
        "share_of_top_3": top_shares(values, 3).mean(axis=1),
    }


def ranks(values: Array) -> Array:
    """Rank the contestants within each setting, 1 being the highest value.

    Parameters
    ----------
    values
        Shape (contestants, settings). What is not finite comes last.

    Returns
    -------
    array
        The same shape. Equal values have the mean of the ranks that they take up.
    """
    comparable = np.where(np.isfinite(values), values, -np.inf)
    return pd.DataFrame(-comparable).rank(method="average").to_numpy()


def top_shares(values: Array, places: int) -> Array:
    """Return the share, from 0 to 1, that each contestant has in the first `places` places of each setting.

    Contestants with equal values share the places that they take up: two that are first have half of the first place
    each, which is the chance of each if ties are broken at random. A value that is not finite has no share. Shapes as
    for `ranks`.
    """
    comparable = np.where(np.isfinite(values), values, -np.inf)
    first, last = (pd.DataFrame(-comparable).rank(method=which).to_numpy() for which in ("min", "max"))
    share = np.clip(places + 1 - first, 0, last - first + 1) / (last - first + 1)
    return np.where(np.isfinite(values), share, 0.0)
