"""Showing that changed code trains to the same bytes: runs executed with the code before and after, compared."""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from replication.compare.results import StoredRun, read_results, surroundings_of
from replication.errors import ResultsError
from replication.runs.folder import RECORD, seconds_of_run
from replication.runs.results import RUNS
from replication.runs.same_code import COLUMNS, read_same_code
from replication.system.files import whole_file


def cheapest_runs(folder: Path) -> list[Path]:
    """Return, for each code by which runs of a results folder were made, the record of the shortest of them.

    Raises
    ------
    ResultsError
        It is no results folder.
    """
    cheapest: dict[str, tuple[float, str]] = {}
    for run_id, run in read_results(folder).runs.items():
        found = (seconds_of_run(folder / RUNS / run_id), run_id)
        code = run.record["code_sha256"]
        cheapest[code] = min(found, cheapest.get(code, found))
    return [folder / RUNS / run_id / RECORD for _, run_id in sorted(cheapest.values())]


def note_same_code(before: Path, after: Path, path: Path) -> int:
    """Note in the table `path` which code has come to the same bytes; return how many lines are new.

    A line of earlier code that has become other code since gives way to its new one.

    Parameters
    ----------
    before, after
        Results folders with the same runs, by the code before and after a change, on one kind of machine.

    Raises
    ------
    ResultsError
        They have no run in common, one differs, or it shows nothing, since it had other settings, data or surroundings;
        or code is the same as two of different names. The table is left as it was.
    """
    runs, again = read_results(before).runs, read_results(after).runs
    common = sorted(runs.keys() & again.keys())
    if not common:
        raise ResultsError(
            f"{before} and {after}: have no run in common: execute the same runs with both codes"
        )
    problems = [
        f"{run_id}: {problem}" for run_id in common if (problem := _problem(runs[run_id], again[run_id]))
    ]
    if problems:
        raise ResultsError("the code is not shown to be the same:\n" + "\n".join(problems))
    rows = {row["same_as"]: row for row in read_same_code(path)}
    new = {row["same_as"]: row for row in _rows(runs, again, common)}
    lines = (rows | new).values()
    code, count = Counter(line["code_sha256"] for line in lines).most_common(1)[0] if lines else ("", 0)
    if count > 1:
        raise ResultsError(
            f"the code {code[:12]} is the same as {count} of different names, and can go by one alone"
        )
    _write(path, lines)
    return len(new)


def _problem(run: StoredRun, again: StoredRun) -> str | None:
    """Return why two runs do not show that their code is the same; None if they do."""
    for what, of in {
        "settings": lambda record: record["settings_sha256"],
        "data": lambda record: record["dataset"]["identity"],
        "versions or machine": surroundings_of,
    }.items():
        if of(run.record) != of(again.record):
            return (
                f"has other {what}, so it shows nothing: execute both on one machine, from one configuration"
            )
    return None if run.computed == again.computed else "has come to other bytes"


def _rows(
    runs: Mapping[str, StoredRun], again: Mapping[str, StoredRun], common: Iterable[str]
) -> Iterable[dict[str, Any]]:
    for run_id in common:
        code, earlier = (each[run_id].record["code_sha256"] for each in (again, runs))
        if code != earlier:
            values = (code, earlier, run_id, runs[run_id].record["weights_sha256"])
            yield dict(zip(COLUMNS, values, strict=True))


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    with whole_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: row["run_id"]))
