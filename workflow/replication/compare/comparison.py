"""Arm by arm, whether two results folders differ by more than chance, and what else differs between them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replication.analysis.comparisons import difference, holm
from replication.analysis.verdicts import CONTRADICTED, DECIDED
from replication.compare.results import COMPARED, Results, StoredRun, definition_of, surroundings_of
from replication.errors import ResultsError
from replication.runs.results import parts_of_run
from replication.system.missing import or_missing

LEVEL = 0.05  # of all tests together, by Holm's method; and of the two sides of each interval that is shown


@dataclass(frozen=True)
class Difference:
    """The difference of one measure, the second folder's minus the first's, over the seeds that both have.

    Attributes
    ----------
    low, high
        Welch's interval, at 95 %; NaN with fewer than two seeds.
    p_value
        Of the two-sided test that there is no difference; NaN likewise.
    beyond_chance
        Whether it is rejected, all tests of the comparison taken together.
    """

    measure: str
    first: float
    second: float
    low: float
    high: float
    p_value: float
    beyond_chance: bool = False


@dataclass(frozen=True)
class ComparedArm:
    """An arm that both folders have.

    Attributes
    ----------
    seeds
        That both have.
    identical
        How many of these runs are the same, bit for bit.
    unexpected
        Runs that are not, though settings, data, code, versions and machine are the same.
    changes
        What was run otherwise: a line for each setting, and for data and code.
    """

    name: str
    seeds: int
    identical: int
    unexpected: Sequence[str]
    changes: Sequence[str]
    differences: Sequence[Difference]


@dataclass(frozen=True)
class Comparison:
    """What differs between two results folders.

    Attributes
    ----------
    only
        Runs that only the first has, and only the second.
    surroundings
        Versions and facts of the machine that differ: for each the values in the first and in the second.
    verdicts
        Readings whose outcome differs: study and id, and the two outcomes.
    """

    folders: tuple[str, str]
    arms: Sequence[ComparedArm]
    only: tuple[Sequence[str], Sequence[str]]
    surroundings: Mapping[str, tuple[str, str]]
    verdicts: Sequence[tuple[str, str, str]]
    without_verdicts: Sequence[str]

    @property
    def differs(self) -> bool:
        """Whether anything differs beyond chance: a measure, runs that should be the same, or a verdict's direction."""
        measured = any(each.beyond_chance for arm in self.arms for each in arm.differences)
        return measured or any(arm.unexpected for arm in self.arms) or any(map(is_reversed, self.verdicts))


def is_reversed(change: tuple[str, str, str]) -> bool:
    """Say whether a verdict holds in one folder and is contradicted in the other; others change with more seeds."""
    outcomes = change[1:]
    return set(outcomes) <= set(DECIDED) and CONTRADICTED in outcomes


def compare(first: Results, second: Results) -> Comparison:
    """Compare two results folders.

    Raises
    ------
    ResultsError
        They have no run in common.
    """
    both = [run_id for run_id in first.runs if run_id in second.runs]
    if not both:
        raise ResultsError(
            f"{first.folder} and {second.folder} have no run in common: are they of the same studies?"
        )
    pairs: dict[str, list[tuple[StoredRun, StoredRun]]] = {}
    for run_id in both:
        study, arm, _ = parts_of_run(run_id)
        pairs.setdefault(f"{study}/{arm}", []).append((first.runs[run_id], second.runs[run_id]))
    changed, without = _verdicts(first, second)
    return Comparison(
        (str(first.folder), str(second.folder)),
        _judged([_arm(name, own) for name, own in pairs.items()]),
        (sorted(first.runs.keys() - second.runs.keys()), sorted(second.runs.keys() - first.runs.keys())),
        _surroundings([pair for own in pairs.values() for pair in own]),
        changed,
        without,
    )


def _arm(name: str, pairs: Sequence[tuple[StoredRun, StoredRun]]) -> ComparedArm:
    same = [one.computed == other.computed for one, other in pairs]
    unexpected = [
        one.record["run_id"]
        for (one, other), identical in zip(pairs, same, strict=True)
        if not identical and one.circumstances == other.circumstances
    ]
    differences = [] if all(same) else [found for each in COMPARED if (found := _difference(each, pairs))]
    return ComparedArm(name, len(pairs), sum(same), unexpected, _changes(*pairs[0]), differences)


def _changes(one: StoredRun, other: StoredRun) -> list[str]:
    """Return how the runs of an arm were defined otherwise, by its first seed."""
    lines = []
    for key, value in definition_of(one.record).items():
        theirs = definition_of(other.record)[key]
        if value == theirs:
            continue
        if key == "settings":
            lines += _changed_settings(one.record["settings"], other.record["settings"])
        elif key == "data":
            names = (each.record["dataset"]["name"] for each in (one, other))
            lines.append(f"data: {next(names)} ({value[:8]}) / {next(names)} ({theirs[:8]})")
        else:
            lines.append(f"{key}: {value[:8]} / {theirs[:8]}")
    return lines


def _changed_settings(one: Mapping[str, Any], other: Mapping[str, Any], prefix: str = "") -> list[str]:
    lines = []
    for key in dict.fromkeys([*one, *other]):
        ours, theirs = one.get(key), other.get(key)
        if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
            lines += _changed_settings(ours, theirs, f"{prefix}{key}.")
        elif ours != theirs:
            lines.append(f"{prefix}{key}: {or_missing(ours)} / {or_missing(theirs)}")
    return lines


def _difference(measure: str, pairs: Sequence[tuple[StoredRun, StoredRun]]) -> Difference | None:
    """Return the difference of a measure; None where no seed has it in both folders."""
    values = [(one.values[measure], other.values[measure]) for one, other in pairs]
    found = [pair for pair in values if all(map(math.isfinite, pair))]
    if not found:
        return None
    first, second = ([pair[place] for pair in found] for place in (0, 1))
    means = math.fsum(first) / len(first), math.fsum(second) / len(second)
    if len(found) == 1:
        return Difference(measure, *means, math.nan, math.nan, math.nan)
    estimate = difference(second, first, 0.0)
    low, high = estimate.bounds(LEVEL / 2)
    p_value = min(2 * min(estimate.p_above(0.0), estimate.p_below(0.0)), 1.0)
    return Difference(measure, *means, low, high, p_value)


def _judged(arms: Iterable[ComparedArm]) -> list[ComparedArm]:
    """Judge all differences together: with hundreds of arms, some would pass a test each by chance."""
    arms = list(arms)
    tested = [each.p_value for arm in arms for each in arm.differences if math.isfinite(each.p_value)]
    levels = iter(holm(tested, LEVEL)) if tested else iter(())

    def judged(each: Difference) -> Difference:
        beyond = math.isfinite(each.p_value) and each.p_value < next(levels)
        return replace(each, beyond_chance=beyond)

    return [replace(arm, differences=[judged(each) for each in arm.differences]) for arm in arms]


def _surroundings(pairs: Sequence[tuple[StoredRun, StoredRun]]) -> dict[str, tuple[str, str]]:
    """Return the versions, facts of the machine and commits that differ, all values of each folder's runs in words."""
    sides = [_values(pair[place] for pair in pairs) for place in (0, 1)]
    keys = dict.fromkeys([*sides[0], *sides[1]])
    words = {
        key: tuple(", ".join(sorted(side.get(key, {or_missing(None)}))) for side in sides) for key in keys
    }
    return {key: (one, other) for key, (one, other) in words.items() if one != other}


def _values(runs: Iterable[StoredRun]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for run in runs:
        for key, value in {**surroundings_of(run.record), "commit": run.record["git"]["commit"]}.items():
            found.setdefault(key, set()).add(or_missing(value))
    return found


def _verdicts(first: Results, second: Results) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Return the readings whose outcome differs, and the folders that hold no verdicts."""
    without = [str(each.folder) for each in (first, second) if each.verdicts is None]
    if first.verdicts is None or second.verdicts is None:
        return [], without
    changed = [
        (f"{study}/{name}", str(row["outcome"]), str(second.verdicts[study, name]["outcome"]))
        for (study, name), row in first.verdicts.items()
        if (study, name) in second.verdicts and second.verdicts[study, name]["outcome"] != row["outcome"]
    ]
    return changed, without
