"""Derived arms: rows of a study's tables that are computed from the runs of other arms, and not trained.

They are listed with the trained arms, so that claims, tables and figures can name both in the same way.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from replication.analysis.ensembles import ensemble_rows
from replication.analysis.measures import DERIVED_EPOCH, derived_key
from replication.analysis.rankings import ranking_rows
from replication.analysis.searches import search_rows
from replication.settings.study import Scale, Study


def with_derived_arms(
    study: Study, name: str, scale: Scale, runs: pd.DataFrame, history: pd.DataFrame, folder: str | Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of a study's runs and history with the rows of its derived arms appended.

    Parameters
    ----------
    runs, history
        As returned by `replication.analysis.study_tables.collect`.
    folder
        The folder that holds `<run_id>/predictions.safetensors`.

    Returns
    -------
    runs, history
        A derived row of `runs` has the outcome `derived`, one epoch, and `made_of`: the runs that it is
        computed from. A derived arm has no rows if none of its trained arms is planned.
    """
    seeds = [int(seed) for seed in runs["seed"].unique()]
    of_ensembles, epochs = _of_ensembles(study, name, seeds, runs, folder)
    of_rankings = [ranking_rows(contest, name, runs, history, seeds) for contest in study.contests_at(scale)]
    left_out = study.left_out(scale)
    of_searches = [
        search_rows(search, name, arm, history, seeds)
        for arm, search in study.searches.items()
        if arm not in left_out
    ]
    derived = (of_ensembles, *of_rankings, *of_searches)
    return (
        pd.concat([runs, *(rows for rows in derived if len(rows))], ignore_index=True),
        pd.concat([history, epochs], ignore_index=True) if len(epochs) else history,
    )


def _of_ensembles(
    study: Study, name: str, seeds: Sequence[int], runs: pd.DataFrame, folder: str | Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    indexed = runs.set_index("run_id")
    rows, epochs = [], []
    for arm, ensemble in study.ensembles.items():
        if set(ensemble.arms).isdisjoint(runs["arm"]):
            continue
        for seed in seeds:
            run, epoch = ensemble_rows(ensemble, name, seed, indexed, folder)
            row = derived_key(name, arm, seed)
            rows.append(row | run)
            key = {column: row[column] for column in ("run_id", "study", "arm", "seed")}
            epochs.append(key | {"epoch": DERIVED_EPOCH} | epoch)
    return pd.DataFrame(rows), pd.DataFrame(epochs)
