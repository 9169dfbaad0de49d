"""What the runs of a study give for its claims: samples of a measure, curves, and runs that are the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from replication.analysis.comparisons import Estimate, difference, one_mean
from replication.analysis.events import no_convergence, second_descent, stopped_too_early
from replication.analysis.measures import at_epoch
from replication.data import DATASETS
from replication.runs.plan import PlannedStudy
from replication.settings.claims import Claim, EventClaim
from replication.settings.measures import EPOCH_MEASURES, MEASURES
from replication.settings.run import RunSettings

# What a run computes, epoch by epoch; the learning rate is what it is told.
COMPUTED = [name for name in EPOCH_MEASURES if name != "learning_rate"]


@dataclass(frozen=True)
class Sample:
    """The values of an arm over seeds.

    Attributes
    ----------
    found
        One value for each seed that has a finite value, in the order of the seeds.
    grain
        The steps in which the measure moves, in its unit; 0 where it does not.
    """

    arm: str
    measure: str
    epoch: str | int
    found: list[float]
    grain: float

    @property
    def mean(self) -> float:
        """The mean over seeds; NaN without any."""
        return math.fsum(self.found) / len(self.found) if self.found else math.nan


class Observations:
    """The tables of one study, asked for the values of its arms by seed."""

    def __init__(self, planned: PlannedStudy, runs: pd.DataFrame, history: pd.DataFrame) -> None:
        self._planned = planned
        self._runs = runs
        self._history = history

    def samples(self, claim: Claim) -> list[Sample]:
        """Return the sample of a claim's arm, and those of the arms that it is compared with."""
        other = getattr(claim, "minus_epoch", None) or getattr(claim, "than_epoch", None) or claim.epoch
        return [
            self.sample(arm, claim.measure, other if place else claim.epoch)
            for place, arm in enumerate(claim.arms)
        ]

    def sample(self, arm: str, measure: str, epoch: str | int) -> Sample:
        """Return the values of one arm."""
        found = [value for value in self.values(arm, measure, epoch) if math.isfinite(value)]
        return Sample(arm, measure, epoch, found, self._grain(arm, measure))

    def values(self, arm: str, measure: str, epoch: str | int) -> list[float]:
        """Return the values of an arm, one for each planned seed, NaN where there is none."""
        runs = self._runs[self._runs["arm"] == arm]
        values = at_epoch(self._runs, self._history, measure, epoch)
        by_seed = {
            seed: values.loc[run_id] for seed, run_id in zip(runs["seed"], runs["run_id"], strict=True)
        }
        return [float(by_seed.get(seed, math.nan)) for seed in self._planned.seeds]

    def curves(self, arm: str, measure: str) -> list[list[float]]:
        """Return the values over epochs of an arm, one list for each planned seed, empty where there is none."""
        history = self._by_arm.get(arm, self._history.iloc[:0])
        by_seed = {seed: rows[measure].tolist() for seed, rows in history.groupby("seed")}
        return [by_seed.get(seed, []) for seed in self._planned.seeds]

    @cached_property
    def _by_arm(self) -> dict[str, pd.DataFrame]:
        return {str(arm): rows.sort_values("epoch") for arm, rows in self._history.groupby("arm")}

    def identical(self, ours: Sample, theirs: Sample) -> bool:
        """Say whether two arms computed the same in all that is compared, seed by seed.

        A measure read after some epoch needs the same epochs up to it, any other one all epochs. Derived arms, which
        compute nothing, are never identical.
        """
        if ours.arm == theirs.arm or ours.epoch != theirs.epoch:
            return False
        if not {ours.arm, theirs.arm} <= self._planned.study.arms.keys():
            return False
        first, second = (self._computed(arm, ours) for arm in (ours.arm, theirs.arm))
        return first is not None and second is not None and first.equals(second)

    def _computed(self, arm: str, sample: Sample) -> pd.DataFrame | None:
        """Return what an arm computed, by seed and epoch, as far as a sample depends on it."""
        if arm not in self._by_arm:
            return None
        rows = self._by_arm[arm].sort_values(["seed", "epoch"])
        if sample.measure in EPOCH_MEASURES and isinstance(sample.epoch, int):
            rows = rows[rows["epoch"] <= sample.epoch]
        return rows[["seed", "epoch", *rows.columns.intersection(COMPUTED)]].reset_index(drop=True)

    def _grain(self, arm: str, measure: str) -> float:
        """Return the steps in which a measure of an arm moves, of a derived arm those of what stands behind it."""
        of = MEASURES[measure].moves_by
        if of == "setting":
            contest = next(
                c for c in self._planned.study.contests_at(self._planned.scale) if arm in c.contestants
            )
            return 1 / len(contest.settings)
        if of in ("test image", "validation image", "training image"):
            behind = self._planned.study.trained_arms(arm)
            counts = [
                _images(self._planned.at_scale[each], of) for each in behind if each in self._planned.at_scale
            ]
            return 1 / max(counts) if all(counts) and counts else 0.0
        return 1.0 if of == "epoch" else 0.0

    def shown(self, claim: EventClaim) -> list[bool | None]:
        """Return for each planned seed whether its run shows the event; None where there is no run."""
        curves = self.curves(claim.arm, claim.measure)
        if claim.event == "second_descent":
            return [second_descent(curve, claim.threshold) if curve else None for curve in curves]
        assert claim.reference is not None
        if claim.event == "stopped_too_early":
            whole = self.curves(claim.reference, claim.measure)
            return [
                stopped_too_early(curve, other, claim.threshold) if curve and other else None
                for curve, other in zip(curves, whole, strict=True)
            ]
        ours = self.values(claim.arm, claim.measure, claim.epoch)
        references = self.values(claim.reference, claim.measure, claim.epoch)
        return [
            no_convergence(value, reference, claim.threshold) if curve and math.isfinite(reference) else None
            for curve, value, reference in zip(curves, ours, references, strict=True)
        ]


def further_run(samples: Sequence[Sample]) -> Estimate:
    """Return what one further run of an arm would have, or the difference of those of two arms, equally many seeds."""
    ours, *others = samples
    if not others:
        return one_mean(ours.found, ours.grain, predicts=True)
    return difference(ours.found, others[0].found, max(ours.grain, others[0].grain), predicts=True)


def _images(settings: RunSettings, split: str) -> int:
    """Return how many images a share is of; 0 where that is known only to whoever has prepared them."""
    wanted = settings.data
    known = DATASETS.get(wanted.dataset)
    if split == "test image":
        return wanted.test_images or (known.shape.test_images if known else 0)
    train = wanted.train_images or (known.shape.train_images if known else 0)
    validation = wanted.held_out(train)
    return validation if split == "validation image" else train - validation
