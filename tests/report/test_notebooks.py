"""Notebooks: executed with their parameter, stripped in git, and shown without code."""

import ast
import json
import re
from pathlib import Path

import nbformat
import papermill
import pytest

from places import REPORTS, SCRIPTS
from replication.report.notebook_html import notebooks_html
from replication.report.notebooks import execute
from replication.system.code_digest import reached_definitions

pytestmark = pytest.mark.slow


def write_notebook(path: Path, *cells: str) -> Path:
    parameters = nbformat.v4.new_code_cell("tables = None", metadata={"tags": ["parameters"]})
    code = [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=[parameters, *code]), path)
    return path


def test_a_notebook_gets_the_folder_and_the_package(tmp_path: Path) -> None:
    notebook = write_notebook(
        tmp_path / "in.ipynb",
        "import replication.system.tables\nfrom IPython.display import HTML\nHTML(f'<b>{tables}</b>')",
    )
    execute(notebook, tmp_path / "out.ipynb", "some/folder")
    page = notebooks_html([tmp_path / "out.ipynb"])[0]
    assert "<b>some/folder</b>" in page
    assert "import replication" not in page


def test_a_failing_cell_leaves_what_was_executed_and_no_output(tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "in.ipynb", "1 / 0")
    with pytest.raises(papermill.PapermillExecutionError, match="ZeroDivisionError"):
        execute(notebook, tmp_path / "out.ipynb", "tables")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.ipynb", "out.ipynb.failed.ipynb"]


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebooks_are_kept_without_output(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert any("parameters" in cell["metadata"].get("tags", []) for cell in code)


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_words_about_a_figure_do_not_count_its_arms(path: Path) -> None:
    """A scale, or a call's `only`, draws fewer of them."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = "".join(line for cell in cells for line in cell["source"] if cell["cell_type"] == "code")
    counted = re.search(
        r"\b(?:two|three|four|five|six|seven|eight|nine|ten) (?:\w+ )?(?:arms|rates|schedul\w+|searches|lengths|"
        r"samplings|budgets|policies|rules|readings|combinations|batch sizes|forms|baselines|maps)\b",
        source,
        re.IGNORECASE,
    )
    assert counted is None, counted and counted[0]


def test_every_study_has_its_notebook() -> None:
    studies = {path.stem for path in (REPORTS.parent / "config/studies").glob("*.yaml")}
    assert studies == {path.stem for path in REPORTS.glob("*.ipynb")}


def imports_of(code: str) -> set[tuple[str, str]]:
    """Return what a program takes from this package, as pairs of module and name."""
    found = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)]
    return {
        (node.module, alias.name)
        for node in found
        if node.module and node.module.split(".")[0] == "replication"
        for alias in node.names
    }


@pytest.mark.parametrize("path", sorted(REPORTS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_what_a_notebook_calls_counts_in_the_digest_of_its_rule(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    called = imports_of("\n".join(cell.source for cell in cells if cell.cell_type == "code"))
    assert called
    assert called <= reached_definitions(SCRIPTS / "execute_notebook.py")
