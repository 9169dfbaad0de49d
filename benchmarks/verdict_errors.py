"""How often the rules of verdicts err, and how much they find: simulated studies, judged by the package's own tests.

    PYTHONPATH=workflow python benchmarks/verdict_errors.py [REPETITIONS]

writes `reports/verdict-errors.csv`, a table of the report, with seeds of its own from 1001 on. A study here is a number
of orders of two arms each, of which none is so (means equal) or all are, by a number of standard deviations of a seed.
It is judged with 3, 5 and 10 seeds, and again after each of 3 to 12, as by someone who adds seeds until something is
decided. Also numbers: the reported one is a run like ours, or one of a process that differs.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from replication.analysis.comparisons import Estimate, difference, holm, one_mean
from replication.analysis.verdicts import LOOK_LEVEL, PREDICTION_TAIL, WIDEST_PREDICTION

RESULT = Path(__file__).parents[1] / "reports" / "verdict-errors.csv"
FIRST_SEED = 1001
COUNTS = (3, 5, 10)
LOOKS = range(3, 13)
# Standard deviation of the second arm, in those of the first; correlation of the two arms of one seed.
NOISES = {"equal spread": (1.0, 0.0), "four times the spread": (4.0, 0.0), "seeds go together": (1.0, 0.5)}
READINGS = (1, 10)
EFFECTS = (0.0, 1.0, 2.0, 3.0)
MARGINS = (1.0, 2.0, 4.0)  # of a number, in standard deviations of a seed
SHIFTS = (0.0, 3.0, 6.0)  # of the reported process, in margins
Arms = np.ndarray


def drawn(generator: np.random.Generator, readings: int, effect: float, noise: str) -> tuple[Arms, Arms]:
    """Return the values of both arms of each reading, of shape (readings, seeds)."""
    spread, together = NOISES[noise]
    shape = (readings, LOOKS[-1])
    common, ours, theirs = (generator.normal(size=shape) for _ in range(3))
    ours, theirs = (np.sqrt(together) * common + np.sqrt(1 - together) * own for own in (ours, theirs))
    return ours + effect * np.sqrt((1 + spread**2) / 2), spread * theirs


def decided(ours: Arms, theirs: Arms, count: int) -> np.ndarray:
    """Return for each reading of a study 1, -1 or 0: found so, found not to be so, undecided."""
    estimates = [
        difference(a[:count].tolist(), b[:count].tolist(), 0.0) for a, b in zip(ours, theirs, strict=True)
    ]
    found = np.zeros(len(estimates), dtype=int)
    for sign, p_values in (
        (1, [estimate.p_above(0) for estimate in estimates]),
        (-1, [estimate.p_below(0) for estimate in estimates]),
    ):
        found[np.array(p_values) < np.array(holm(p_values, LOOK_LEVEL))] = sign
    return found


def orders(repetitions: int) -> Iterator[dict[str, object]]:
    """Simulate studies of orders; one row for each condition and number of seeds."""
    for noise in NOISES:
        for readings in READINGS:
            for effect in EFFECTS:
                generator = np.random.default_rng(FIRST_SEED)
                found = np.array(
                    [
                        [decided(*arms, count) for count in LOOKS]
                        for arms in (drawn(generator, readings, effect, noise) for _ in range(repetitions))
                    ]
                )  # of shape (repetitions, looks, readings)
                for name, looks in [
                    *((str(count), found[:, [count - LOOKS[0]]]) for count in COUNTS),
                    ("each of 3 to 12", found),
                ]:
                    yield {
                        "what": "order",
                        "noise": noise,
                        "readings": readings,
                        "effect": effect,
                        "seeds": name,
                        "so": (looks == 1).any(axis=1).mean(),
                        "not_so": (looks == -1).any(axis=1).mean(),
                        "any_so": (looks == 1).any(axis=(1, 2)).mean(),
                        "any_not_so": (looks == -1).any(axis=(1, 2)).mean(),
                    }


def judged_number(ours: Estimate, reported: float, margin: float) -> int:
    """Return 1, -1 or 0 for a number alone in its study, as the rule for values has it."""
    p = 2 * min(ours.p_below(reported - margin), ours.p_above(reported + margin))
    if p < LOOK_LEVEL:
        return -1
    low, high = ours.bounds(PREDICTION_TAIL)
    precise = (high - low) / 2 <= WIDEST_PREDICTION * margin
    return int(precise and low <= reported + margin and high >= reported - margin)


def numbers(repetitions: int) -> Iterator[dict[str, object]]:
    """Simulate numbers that are reported of one run."""
    for margin in MARGINS:
        for shift in SHIFTS:
            generator = np.random.default_rng(FIRST_SEED)
            found = []
            for _ in range(repetitions):
                values, reported = generator.normal(size=LOOKS[-1]), generator.normal() + shift * margin
                found.append(
                    [
                        judged_number(one_mean(values[:count].tolist(), 0.0, predicts=True), reported, margin)
                        for count in LOOKS
                    ]
                )
            table = np.array(found)
            for name, looks in [
                *((str(count), table[:, [count - LOOKS[0]]]) for count in COUNTS),
                ("each of 3 to 12", table),
            ]:
                yield {
                    "what": "number",
                    "margin": margin,
                    "effect": shift,
                    "seeds": name,
                    "so": (looks == 1).any(axis=1).mean(),
                    "not_so": (looks == -1).any(axis=1).mean(),
                }


def table(repetitions: int) -> pd.DataFrame:
    """Return the shares of studies in which something is found, so or not so, by condition and number of seeds."""
    return pd.DataFrame([*orders(repetitions), *numbers(repetitions)]).assign(repetitions=repetitions)


if __name__ == "__main__":
    table(int(sys.argv[1]) if len(sys.argv) > 1 else 2000).to_csv(RESULT, index=False)
