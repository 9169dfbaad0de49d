"""Which reading explains the numbers of a report best: the likelihood of each, from the arms that stand for it.

Where the report leaves a setting unsaid, a grid has an axis of it, and the statements that give a number have a reading
for each of its values. Under a reading the number is one further run of its arm: normal, with the mean of ours, and
with the variance of a prediction and that of what is unsaid beyond the axis, a margin being two standard deviations.
Several readings of a statement under one value, such as after 3 epochs and at the end, are as likely as each other.
Only direct evidence can answer: other data, or less budget, have other numbers whatever was left unsaid.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from replication.analysis.kinds_of_evidence import DIRECT, evidence_for
from replication.analysis.observations import Observations, further_run
from replication.analysis.verdicts import margin_around
from replication.runs.plan import PlannedStudy
from replication.settings.claims import ValueClaim
from replication.settings.study import Study

COLUMNS = ["study", "question", "title", "answer", "choice", "log_likelihood", "numbers"]
Values = tuple[str, ...]  # one of each axis, in their order


@dataclass(frozen=True)
class Explanation:
    """How well one choice of what is unsaid explains the numbers.

    Attributes
    ----------
    choice
        One of each axis.
    log_likelihood
        Natural logarithm, of all numbers together.
    numbers
        Ids of the statements whose numbers these are, the same ones for all choices.
    """

    choice: Values
    log_likelihood: float
    numbers: tuple[str, ...]


def explanations(
    planned: PlannedStudy,
    observations: Observations,
    axes: Sequence[str],
    numbers: Collection[str] | None = None,
) -> list[Explanation]:
    """Return all values of some axes, the best explanation first.

    Statements count that have a reading for each of the values, all of direct evidence and with two runs or more;
    without any, there is no explanation.

    Parameters
    ----------
    numbers
        Ids of the statements that may count, where not all do: a table's entry and its difference from another one are
        not two numbers. None: all.
    """
    places = _places(planned.study, axes)
    by_statement: dict[str, dict[Values, list[float]]] = {}
    for statement in planned.study.statements:
        if numbers is not None and statement.id not in numbers:
            continue
        found: dict[Values, list[float]] = defaultdict(list)
        for claim in statement.readings:
            if isinstance(claim, ValueClaim) and claim.arm in places:
                direct = evidence_for(planned, claim)[0] == DIRECT
                density = _log_density(claim, observations) if direct else math.nan
                found[places[claim.arm]].append(density)
        by_statement[statement.id] = found
    asked = {values for found in by_statement.values() for values in found}
    complete = {
        name: found
        for name, found in by_statement.items()
        if asked
        and found.keys() == asked
        and all(math.isfinite(each) for of in found.values() for each in of)
    }
    if not complete:
        return []
    totals = {values: sum(_log_mean(found[values]) for found in complete.values()) for values in asked}
    best_first = sorted(asked, key=lambda values: (-totals[values], values))
    return [Explanation(values, totals[values], tuple(complete)) for values in best_first]


def explanation_table(planned: PlannedStudy, runs: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return what explains the numbers of a report: for each question of its study a row for each choice, best first.

    Returns
    -------
    DataFrame
        `study`, `question`, `title` and its `answer` in words; the `choice`, such as `batch 32`, and the
        `log_likelihood` of all `numbers` (ids of statements). A question that has no answer here has one row, without
        a choice.
    """
    observations = Observations(planned, runs, history)
    rows: list[dict[str, object]] = []
    for question in planned.study.questions:
        found = explanations(planned, observations, question.axes, question.statements)
        asked: dict[str, object] = {
            "study": planned.name,
            "question": question.id,
            "title": question.title,
            "answer": answer(found, question.axes),
        }
        rows += [
            {
                **asked,
                "choice": _written(each.choice, question.axes),
                "log_likelihood": each.log_likelihood,
                "numbers": " ".join(each.numbers),
            }
            for each in found
        ] or [asked]
    return pd.DataFrame(rows, columns=COLUMNS)


def answer(found: Sequence[Explanation], axes: Sequence[str]) -> str:
    """Return in one sentence which of several explanations is best, and by how much."""
    if len(found) < 2:
        return "Cannot be told here: it takes direct evidence for each choice, and two seeds of it."
    best, second = found[:2]
    more = times(best.log_likelihood - second.log_likelihood)
    numbers = "number" if len(best.numbers) == 1 else f"{len(best.numbers)} numbers"
    return (
        f"Of the readings, {_written(best.choice, axes)} explains the report's {numbers} best: "
        f"{more} times as likely as with {_written(second.choice, axes)}."
    )


def times(log_factor: float) -> str:
    """Return how many times, given its logarithm: two digits, and words where digits say nothing."""
    if log_factor >= math.log(1e6):
        return "more than a million"
    return f"{float(f'{math.exp(log_factor):.2g}'):,.7g}"


def _written(values: Values, axes: Sequence[str]) -> str:
    return ", ".join(f"{axis} {value}" for axis, value in zip(axes, values, strict=True))


def _places(study: Study, axes: Sequence[str]) -> dict[str, Values]:
    """Return for each arm of a grid that has all of some axes its values of them."""
    return {
        grid.arm.format_map(chosen): tuple(chosen[axis] for axis in axes)
        for grid in study.grids
        if set(axes) <= grid.axes.keys()
        for chosen in grid.combinations()
    }


def _log_density(claim: ValueClaim, observations: Observations) -> float:
    """Return the logarithm of the density of a report's number under a reading; NaN with fewer than two runs."""
    samples = observations.samples(claim)
    counts = {len(sample.found) for sample in samples}
    if len(counts) > 1 or min(counts) < 2:
        return math.nan
    estimate = further_run(samples)
    deviation = math.hypot(estimate.error, margin_around(claim.margin, claim.expected) / 2)
    if deviation == 0:
        return math.nan
    return -((claim.expected - estimate.mean) ** 2) / (2 * deviation**2) - math.log(
        deviation * math.sqrt(2 * math.pi)
    )


def _log_mean(logarithms: Sequence[float]) -> float:
    """Return the logarithm of the mean of what some logarithms are of."""
    highest = max(logarithms)
    return highest + math.log(math.fsum(math.exp(each - highest) for each in logarithms) / len(logarithms))
