"""Copies of the project, in which tests run whole workflows."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat

from edits import edited
from places import ROOT

STUDY = "tiny"
NOTEBOOK = """
from replication.report.figures import StudyTables, curves, show

study = StudyTables.read(tables)
show(study, "losses", curves(study, ["cosine", "probing"], ["train_loss"]), alt="Training losses.", caption="Losses.")
"""


@dataclass(frozen=True)
class Project:
    """A copy of the project, with its own results."""

    folder: Path

    def snakemake(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run snakemake there, and return what it printed in `stdout`."""
        return self._run("snakemake", "--cores", "2", *arguments, check=check)

    def command(self, *arguments: str) -> str:
        """Run a command of the package there, and return what it printed."""
        return self._run("replication", *arguments, check=True).stdout

    def _run(self, module: str, *arguments: str, check: bool) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", module, *arguments]
        # The package of the copy: the environment knows that of the checkout in which it is called.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert not check or done.returncode == 0, done.stdout
        return done

    def jobs(self, *arguments: str) -> dict[str, int]:
        """Return how many jobs of each rule a call would run."""
        printed = self.snakemake("--quiet", "rules", "--dry-run", *arguments).stdout
        lines = printed.partition("Job stats:")[2].partition("\n\n")[0].splitlines()
        rows = [line.split() for line in lines if len(line.split()) == 2]
        return {rule: int(count) for rule, count in rows if count.isdigit()}

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace the one occurrence of `old` in a file."""
        file = self.folder / path
        file.write_text(edited(file.read_text(encoding="utf-8"), old, new), encoding="utf-8")

    def trained(self) -> dict[str, int]:
        """Return when each run's record was written, in nanoseconds."""
        records = (self.folder / "results").glob("*/runs/**/record.json")
        return {json.loads(path.read_text())["run_id"]: path.stat().st_mtime_ns for path in records}


def copy_of_project(folder: Path) -> Project:
    """Copy the project's own files, with the tiny study in place of the real ones."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        text=True,
        capture_output=True,
    ).stdout.splitlines()
    for name in listed:
        if not name.startswith("tests/") and (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for study in (folder / "config/studies").glob("*.yaml"):
        study.unlink()
    shutil.copy(ROOT / "tests/workflow/tiny-study.yaml", folder / f"config/studies/{STUDY}.yaml")
    write_notebook(folder / f"reports/{STUDY}.ipynb")
    return Project(folder)


def write_notebook(path: Path) -> None:
    """Write the notebook of the tiny study."""
    parameters = nbformat.v4.new_code_cell("tables = None", metadata={"tags": ["parameters"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(NOTEBOOK)]), path)


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Make `folder` the current one for the block."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
