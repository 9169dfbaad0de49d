"""`snakemake figures` where no run is there; and a kernel that dies where there are figures."""

import re
from collections.abc import Callable

import pytest

from project import Project

pytestmark = pytest.mark.workflow


def test_without_any_run_there_is_a_page_that_says_so(
    fresh: Project, copy_of: Callable[[Project], Project]
) -> None:
    project = copy_of(fresh)
    project.snakemake("figures")
    page = (project.folder / "results/demo/report.html").read_text(encoding="utf-8")
    assert "no run is there yet, of 4 planned" in page
    assert "no number here can be compared" not in page
    read = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    assert not re.search(r">[^<]*\b(nan|None|inf)\b[^<]*<", read)


def test_a_kernel_that_dies_takes_no_figures_with_it(
    finished: Project, copy_of: Callable[[Project], Project]
) -> None:
    project = copy_of(finished)
    study = project.folder / "results/demo/studies/tiny"

    def there() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in [study / "notebook.ipynb", *study.glob("figures/*")]}

    before = there()
    assert {"notebook.ipynb", "losses.svg"} <= before.keys()
    project.edit("reports/tiny.ipynb", "from replication", "import os; os.abort()\\nfrom replication")
    assert project.snakemake("figures", check=False).returncode
    assert there() == before
    # It is known to be outdated.
    assert {"execute_notebook", "notebook", "report"} <= project.jobs("figures").keys()
    project.edit("reports/tiny.ipynb", "import os; os.abort()\\n", "")
    project.snakemake("figures")
    assert there().keys() == before.keys()
