"""Everything that the workflow makes of the runs, made again in a folder of its own.

The rules of `workflow/rules/aggregate.smk` and `report.smk` as one list of steps: the same functions, in the same
order. A step reads the runs and what earlier steps have made again, never what lies in `results/`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pandas as pd

from replication.analysis.study_tables import write_study_tables
from replication.analysis.verdicts import judge
from replication.audit.layout import REPORT
from replication.report.notebooks import execute
from replication.report.page import render
from replication.report.parts import FOLDER
from replication.runs.plan import PlannedStudy, own_functions
from replication.runs.results import STUDY_TABLES
from replication.schedules import gallery
from replication.system.tables import read_table, write_table

REPORTS = Path(FOLDER)
SCHEDULES = "tables/schedules.csv"


@dataclass(frozen=True)
class Step:
    """Something to make.

    Attributes
    ----------
    outputs, inputs
        Paths relative to the results folder; one that ends with a slash is a folder.
    make
        Makes it below the folder that it is given.
    """

    outputs: tuple[str, ...]
    inputs: tuple[str, ...]
    make: Callable[[Path], None]


def runs_of(study: str) -> str:
    """Return the name that stands for all runs of a study among the inputs of a step."""
    return f"runs/{study}/"


def steps(plan: Mapping[str, PlannedStudy], results: Path) -> Iterator[Step]:
    """Yield everything to make, each step after those that it needs."""
    for planned in plan.values():
        yield from _study_steps(planned, results)
    for name in (*STUDY_TABLES, "claims"):
        inputs = tuple(f"studies/{study}/{name}.csv" for study in plan)
        output = "claims.csv" if name == "claims" else f"tables/{name}.csv"
        yield Step((output,), inputs, partial(_combine, inputs, output))
    yield Step((SCHEDULES,), (), partial(_schedules, plan))
    tables = (f"tables/{name}.csv" for name in STUDY_TABLES)
    notebooks = (f"studies/{study}/notebook.ipynb" for study in plan)
    figures = (f"studies/{study}/figures/" for study in plan)
    yield Step((REPORT,), ("claims.csv", SCHEDULES, *tables, *notebooks, *figures), partial(_report, plan))


def _study_steps(planned: PlannedStudy, results: Path) -> Iterator[Step]:
    folder = f"studies/{planned.name}"
    tables = tuple(f"{folder}/{name}.csv" for name in STUDY_TABLES)
    claims = f"{folder}/claims.csv"
    yield Step(tables, (runs_of(planned.name),), partial(_study_tables, planned, results / "runs"))
    yield Step((claims,), tables, partial(_claims, planned))
    notebook = f"{folder}/notebook.ipynb"
    yield Step((notebook, f"{folder}/figures/"), (*tables, claims), partial(_notebook, planned.name, results))


def _study_tables(planned: PlannedStudy, runs: Path, made: Path) -> None:
    write_study_tables(planned, runs, made / "studies" / planned.name)


def _claims(planned: PlannedStudy, made: Path) -> None:
    folder = made / "studies" / planned.name
    runs, history = read_table(folder / "runs.csv"), read_table(folder / "history.csv")
    write_table(judge(planned, runs, history), folder / "claims.csv")


def _notebook(study: str, results: Path, made: Path) -> None:
    # The notebook's text contains this path, which is relative: the text is the same although the place is another.
    place = made.parents[len(results.parts) - 1]
    tables = results / "studies" / study
    execute(REPORTS / f"{study}.ipynb", place / tables / "notebook.ipynb", tables, place)


def _combine(inputs: tuple[str, ...], output: str, made: Path) -> None:
    write_table(pd.concat([read_table(made / path) for path in inputs]), made / output)


def _schedules(plan: Mapping[str, PlannedStudy], made: Path) -> None:
    rows = pd.DataFrame(gallery(own=own_functions(plan)), columns=["schedule", "progress", "multiplier"])
    write_table(rows, made / SCHEDULES)


def _report(plan: Mapping[str, PlannedStudy], made: Path) -> None:
    render(plan, made, REPORTS, made / REPORT)


@dataclass
class Derived:
    """What was made again.

    Attributes
    ----------
    folder
        Where it lies: what takes the place of `results/<scale>`.
    failed
        Outputs that could not be made, with the error.
    skipped
        Outputs that were not made because something that they depend on is missing, with that reason.
    """

    folder: Path
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def derive(
    plan: Mapping[str, PlannedStudy], results: Path, place: Path, broken: Mapping[str, str]
) -> Derived:
    """Make everything again that can be made.

    Parameters
    ----------
    results
        `results/<scale>`, a relative path.
    place
        An empty folder. What is made lies below it in `results/<scale>`.
    broken
        By `runs_of(study)`: why the runs of a study cannot be used.
    """
    derived = Derived(place / results)
    for step in steps(plan, results):
        reasons = {**broken, **derived.skipped}
        reason = next((reasons[name] for name in step.inputs if name in reasons), None)
        error = _error_of(step, derived.folder) if reason is None else None
        if error is not None:
            derived.failed[step.outputs[0]] = error
            reason = f"{step.outputs[0]} cannot be made"
        if reason is not None:
            derived.skipped |= dict.fromkeys(step.outputs, reason)
    return derived


def _error_of(step: Step, made: Path) -> str | None:
    """Make a step; return its error in words, or None."""
    try:
        step.make(made)
    except Exception as error:  # whatever it is, the other outputs should still be compared
        lines = [line for line in str(error).splitlines() if line.strip()]
        return f"{type(error).__name__}: {' '.join(lines[-1:])}"
    return None
