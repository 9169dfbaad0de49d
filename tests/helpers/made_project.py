"""A project with results of runs that were never trained, for the tests of what reads results."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from made_runs import made_dataset, make_run, write_made_dataset
from places import ROOT
from project import STUDY, inside, write_notebook
from replication.audit import derivation
from replication.audit.derivation import derive
from replication.report.parts import PARTS
from replication.runs.plan import PlannedStudy, load_plan
from replication.settings.config import Config


def write_project(folder: Path) -> None:
    """Write the files that a project's author writes: the study, its notebook, the report's parts."""
    for name in (*PARTS, "audit.html.j2"):
        (folder / "reports" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "reports" / name, folder / "reports" / name)
    (folder / "config/studies").mkdir(parents=True)
    shutil.copy(ROOT / "tests/workflow/tiny-study.yaml", folder / f"config/studies/{STUDY}.yaml")
    write_notebook(folder / f"reports/{STUDY}.ipynb")


def tiny_plan() -> PlannedStudy:
    """Return the plan of the tiny study of the current folder."""
    return load_plan(Config(), "config/studies")[STUDY]


def make_results(runs: int | None = None) -> None:
    """Make data, runs, or only so many of them, and all that is derived, in the current folder."""
    planned = tiny_plan()
    dataset = made_dataset("digits")
    write_made_dataset(dataset, Path("resources/datasets"))
    for run_id in planned.run_ids[:runs]:
        make_run(Path("results/demo/runs"), planned, run_id, dataset)
    derived = derive({STUDY: planned}, Path("results/demo"), Path.cwd() / "made", {})
    assert not derived.failed, derived.failed
    shutil.copytree("made/results/demo", "results/demo", dirs_exist_ok=True)
    shutil.rmtree("made")


def remember_derivations(patch: pytest.MonkeyPatch) -> None:
    """Execute the notebook and render the report once, of the first inputs, and make tables once of any.

    They take seconds. Of other inputs, what notebook and report give is made up: something else.
    """
    execute, render, schedules = derivation.execute, derivation.render, derivation._schedules
    write_study_tables = derivation.write_study_tables
    notebooks: dict[str, dict[str, bytes]] = {}
    pages: dict[str, bytes] = {}
    tables: dict[str, dict[str, bytes]] = {}
    curves: dict[str, bytes] = {}

    def remembered_execute(notebook: Path, output: Path, tables: Path, folder: Path) -> None:
        place = folder / tables
        key = digest([notebook, *sorted(place.glob("*.csv"))])
        if not notebooks:
            execute(notebook, output, tables, folder)
            made = [output, *(place / "figures").iterdir()]
            notebooks[key] = {str(path.relative_to(place)): path.read_bytes() for path in made}
        first = next(iter(notebooks.values()))
        ending = b"" if key in notebooks else b" "
        restored(place, {name: content + ending for name, content in first.items()})

    def remembered_render(plan: Any, results: Path, parts: Path, output: Path) -> None:
        inputs = sorted(path for path in results.rglob("*") if path.is_file())
        inputs += sorted(path for path in parts.rglob("*") if path.is_file())
        key = digest(inputs) + "".join(study.digest for study in plan.values())
        if not pages:
            render(plan, results, parts, output)
            pages[key] = output.read_bytes()
        output.write_bytes(pages.get(key, b"another page"))

    def remembered_tables(planned: PlannedStudy, runs: Path, folder: Path) -> None:
        key = digest(sorted(path for path in runs.rglob("*.[cj]s*") if path.is_file())) + planned.digest
        if key not in tables:
            write_study_tables(planned, runs, folder)
            tables[key] = {path.name: path.read_bytes() for path in folder.glob("*.csv")}
        restored(folder, tables[key])

    def remembered_schedules(plan: Mapping[str, PlannedStudy], made: Path) -> None:
        path = made / derivation.SCHEDULES
        if not curves:
            schedules(plan, made)
            curves[path.name] = path.read_bytes()
        restored(path.parent, curves)

    patch.setattr(derivation, "execute", remembered_execute)
    patch.setattr(derivation, "render", remembered_render)
    patch.setattr(derivation, "_schedules", remembered_schedules)
    patch.setattr(derivation, "write_study_tables", remembered_tables)


def restored(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files below `folder`."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def digest(paths: Sequence[Path]) -> str:
    """Return the hash of the content of some files."""
    return sha256(b"".join(sha256(path.read_bytes()).digest() for path in paths)).hexdigest()


@contextmanager
def project_with_results(folder: Path) -> Iterator[Path]:
    """Give a project that has results, in which what they are derived by is remembered."""
    folder.mkdir()
    write_project(folder)
    with pytest.MonkeyPatch.context() as patch:
        remember_derivations(patch)
        with inside(folder):
            make_results()
        yield folder
