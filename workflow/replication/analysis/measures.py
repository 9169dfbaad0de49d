"""The value of a measure, run by run, from the tables of runs and of history."""

import math
from typing import Any

import pandas as pd

from replication.runs.results import run_identity

DERIVED = "derived"  # the outcome of rows that nobody trained
DERIVED_EPOCH = 1  # they have no others


def derived_key(study: str, arm: str, seed: int) -> dict[str, Any]:
    """Return what every row of a derived arm has in the table of runs."""
    facts = {"outcome": DERIVED, "epochs": DERIVED_EPOCH, "best_epoch": DERIVED_EPOCH}
    return {"run_id": run_identity(study, arm, seed), "study": study, "arm": arm, "seed": seed, **facts}


def at_epoch(runs: pd.DataFrame, history: pd.DataFrame, measure: str, epoch: str | int) -> pd.Series:
    """Return a measure of each run, as floats indexed by run identity; NaN where the run has none.

    Parameters
    ----------
    measure
        A column of `runs`, for which `epoch` does not matter, or of `history`.
    epoch
        `last`, `best` (the epoch of the lowest validation loss) or a number.
    """
    indexed = runs.set_index("run_id")
    if measure in runs.columns:
        return indexed[measure].astype(float)
    if measure not in history.columns:
        return pd.Series(math.nan, index=indexed.index)
    wanted = {"last": indexed.get("epochs"), "best": indexed.get("best_epoch")}.get(str(epoch), epoch)
    chosen = history[
        history["epoch"] == (history["run_id"].map(wanted) if isinstance(wanted, pd.Series) else wanted)
    ]
    return chosen.set_index("run_id")[measure].astype(float).reindex(indexed.index)
