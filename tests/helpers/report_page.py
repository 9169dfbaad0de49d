"""The report's page of made-up results of the tiny study."""

from pathlib import Path

import nbformat
import pandas as pd
import pytest

from places import REPORTS
from replication.report.figures import FIGURES_FOLDER, StudyTables, curves, show
from replication.report.page import render
from replication.runs.plan import PlannedStudy
from replication.schedules import gallery
from replication.system.tables import write_table
from study_results import write_results


def write_notebook(study: Path) -> None:
    """Write an executed notebook of words and a figure of curves."""
    tables = StudyTables.read(study)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(FIGURES_FOLDER, raising=False)
        shown = show(
            tables,
            "losses",
            curves(tables, ["cosine", "probing"], ["train_loss"]),
            'Losses, "falling".',
            "All.",
        )
    output = nbformat.v4.new_output("execute_result", {"text/html": shown.data}, execution_count=1)
    cells = [
        nbformat.v4.new_markdown_cell("Words of the *notebook*."),
        nbformat.v4.new_code_cell("show(...)", outputs=[output], execution_count=1),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), study / "notebook.ipynb")


def rendered(folder: Path, planned: PlannedStudy, **tables: pd.DataFrame) -> str:
    """Write results and page of the study to a folder, some combined tables as given, and return the page."""
    study = write_results(folder, planned)
    for name, table in tables.items():
        write_table(table, folder / f"tables/{name}.csv")
    schedules = pd.DataFrame(gallery(11), columns=["schedule", "progress", "multiplier"])
    # Each has a picture of its own: two are drawn as all are, in a tenth of the time.
    schedules = schedules[schedules["schedule"].isin(schedules["schedule"].unique()[:2])]
    write_table(schedules, folder / "tables/schedules.csv")
    write_notebook(study)
    output = folder / "report.html"
    render({"tiny": planned}, folder, REPORTS, output)
    return output.read_text(encoding="utf-8")
