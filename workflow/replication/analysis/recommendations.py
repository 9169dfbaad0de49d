"""Which schedule for which budget: the practitioner's question, answered from a study's own runs.

For each setting of a ranking, the contestant with the best mean is listed with all that the runs cannot distinguish
from it: those that Welch's t test does not find behind it, at 5 % after Holm's correction over the comparisons of the
setting. The best of many looks better than it is; the list of those that are as good says which choices do not matter.
"""

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from replication.analysis.comparisons import difference, holm
from replication.analysis.intervals import t_interval
from replication.analysis.measures import at_epoch
from replication.runs.plan import PlannedStudy
from replication.runs.results import run_identity
from replication.settings.rankings import Contest

ERROR_RATE = 0.05
COLUMNS = [
    "study",
    "ranking",
    "setting",
    "measure",
    "best",
    "n",
    "mean",
    "low",
    "high",
    "compared",
    "as_good",
    "largest_loss",
]
Values = Mapping[str, Sequence[float]]


def recommendations(planned: PlannedStudy, runs: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return the best contestant of each setting of a study's rankings, one row per setting.

    Parameters
    ----------
    runs, history
        As returned by `replication.analysis.study_tables.collect`.

    Returns
    -------
    DataFrame
        `study`, `ranking`, `setting` and `measure`; `best`, an arm, with the mean of its `n` seeds and the 95 % t
        interval, `low` and `high`; how many others it was `compared` with; `as_good`, those arms that the runs cannot
        distinguish from it; and `largest_loss`, by how much the worst contestant's mean is behind. A setting with a
        missing run has no row, and a study without rankings none at all.
    """
    rows = []
    for contest in planned.study.contests_at(planned.scale):
        values = at_epoch(runs, history, contest.ranking.measure, contest.ranking.epoch)
        for setting, arms in zip(
            contest.settings, zip(*contest.contestants.values(), strict=True), strict=True
        ):
            found = {arm: _of_arm(values, planned, arm) for arm in arms}
            if all(math.isfinite(value) for of_arm in found.values() for value in of_arm):
                key = {"study": planned.name, "ranking": contest.ranking.id, "setting": setting}
                rows.append(key | {"measure": contest.ranking.measure} | _best(contest, found))
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_arm(values: pd.Series, planned: PlannedStudy, arm: str) -> list[float]:
    run_ids = [run_identity(planned.name, arm, seed) for seed in planned.seeds]
    return [float(value) for value in values.reindex(run_ids)]


def _best(contest: Contest, values: Values) -> dict[str, object]:
    sign = 1 if contest.ranking.direction == "higher" else -1
    means = {arm: sign * sum(of_arm) / len(of_arm) for arm, of_arm in values.items()}
    best = max(means, key=lambda arm: means[arm])
    interval = t_interval(values[best], 1 - ERROR_RATE)
    others = [arm for arm in values if arm != best]
    p_values = [_p_behind(values[arm], values[best], sign) for arm in others]
    levels = holm(p_values, ERROR_RATE)
    as_good = [arm for arm, p, level in zip(others, p_values, levels, strict=True) if p >= level]
    return {
        "best": best,
        "n": interval.count,
        "mean": interval.mean,
        "low": interval.low,
        "high": interval.high,
        "compared": len(others),
        "as_good": " ".join(as_good),
        "largest_loss": max(means.values()) - min(means.values()),
    }


def _p_behind(arm: Sequence[float], best: Sequence[float], sign: int) -> float:
    """Return the p value of the test that an arm is behind the best; 1 with a single seed."""
    if len(arm) == 1:
        return 1.0
    return difference([sign * value for value in best], [sign * value for value in arm], 0.0).p_above(0.0)
