"""A comparison for a reader at a terminal, and for a program."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from replication.compare.comparison import ComparedArm, Comparison, Difference, is_reversed
from replication.report.formatting import counted, format_interval, format_value

NAME = 48


def comparison_text(found: Comparison) -> str:
    """Return a comparison in words: what differs beyond chance first of all."""
    sections = [_summary(found), _arms(found), _verdicts(found), _changes(found), _surroundings(found)]
    return "\n\n".join("\n".join(lines) for section in sections if (lines := list(section)))


def comparison_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values; what is not known is None."""
    plain: dict[str, Any] = _plain(asdict(found) | {"differs": found.differs})
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _summary(found: Comparison) -> Iterator[str]:
    first, second = found.folders
    runs, same = sum(arm.seeds for arm in found.arms), sum(arm.identical for arm in found.arms)
    yield f"A: {first}"
    yield f"B: {second}"
    yield f"{counted(runs, 'run')} of {counted(len(found.arms), 'arm')} in both: {_identical(runs, same)}"
    for name, only in zip("AB", found.only, strict=True):
        if only:
            yield f"Only in {name}: {counted(len(only), 'run')}, such as {only[0]}"
    beyond = [each for arm in found.arms for each in arm.differences if each.beyond_chance]
    yield "Something differs beyond chance." if found.differs else "Nothing differs beyond chance."
    if beyond:
        yield f"  {counted(len(beyond), 'measure')} of arms (Welch's t test, at 5 % for all together)"
    unexpected = [run for arm in found.arms for run in arm.unexpected]
    if unexpected:
        yield (
            f"  {counted(len(unexpected), 'run')} with the same settings, data, code, versions and machine, and other "
            f"results, such as {unexpected[0]}"
        )
    if reversed_ := [change[0] for change in found.verdicts if is_reversed(change)]:
        yield f"  {counted(len(reversed_), 'verdict')} reversed, such as {reversed_[0]}"


def _identical(runs: int, same: int) -> str:
    if runs == same:
        return "all identical, bit for bit, but for how long they took"
    return f"{same or 'none'} identical, bit for bit" if same != 1 else "one identical, bit for bit"


def _arms(found: Comparison) -> Iterator[str]:
    shown = [arm for arm in found.arms if arm.identical < arm.seeds]
    if shown:
        yield f"{'B minus A, with its 95 % interval; * beyond chance':<{NAME}}{'seeds':>7}{'identical':>11}"
    for arm in shown:
        yield f"{arm.name:<{NAME}}{arm.seeds:>7}{arm.identical:>11}"
        yield from (f"  {_difference(each)}" for each in arm.differences)


def _difference(each: Difference) -> str:
    change = format_value(each.measure, each.second - each.first, sign=True)
    interval = format_interval(each.measure, each.low, each.high, sign=True) or "(one seed: no interval)"
    values = f"{format_value(each.measure, each.first)} / {format_value(each.measure, each.second)}"
    return f"{'*' if each.beyond_chance else ' '} {each.measure:<16}{change:>12} {interval:<24} {values}"


def _verdicts(found: Comparison) -> Iterator[str]:
    if found.without_verdicts:
        yield f"No verdicts to compare: {' and '.join(found.without_verdicts)} without claims.csv"
    elif not found.verdicts:
        yield "No verdict changed."
    else:
        yield "Verdicts that changed, A / B"
        yield from (f"  {name:<{NAME - 2}} {ours} / {theirs}" for name, ours, theirs in found.verdicts)


def _changes(found: Comparison) -> Iterator[str]:
    """Yield what was run otherwise, once for all the arms of which it is true."""
    arms: Counter[str] = Counter(change for arm in found.arms for change in arm.changes)
    if arms:
        yield "What was run otherwise, A / B"
    for change, count in arms.items():
        yield f"  {change}  ({_where(found.arms, change, count)})"


def _where(arms: Sequence[ComparedArm], change: str, count: int) -> str:
    if count == len(arms):
        return "all arms"
    first = next(arm.name for arm in arms if change in arm.changes)
    return first if count == 1 else f"{first} and {count - 1} more"


def _surroundings(found: Comparison) -> Iterator[str]:
    if found.surroundings:
        yield "Versions and machines that differ, A / B"
    yield from (f"  {key}: {one} / {other}" for key, (one, other) in found.surroundings.items())
