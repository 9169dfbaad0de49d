"""The notebooks of `reports/`: executed by papermill, turned into parts of the report by nbconvert."""

import os
from pathlib import Path

import nbformat
import papermill
from nbconvert import HTMLExporter

from replication.files import whole_file


def execute(notebook: str | Path, output: str | Path, tables: str | Path) -> None:
    """Execute a notebook with the parameter `tables`, the folder of its study's tables, and save it at `output`.

    Raises
    ------
    papermill.PapermillExecutionError
        A cell has failed; what was executed so far is in `<output>.failed.ipynb`.
    """
    # The kernel is a process of its own: it should find this package, and nothing of a user's own Jupyter.
    os.environ |= {"PYTHONPATH": str(Path(__file__).parents[1]), "JUPYTER_NO_CONFIG": "1"}
    failed = Path(f"{output}.failed.ipynb")
    with whole_file(output) as temporary:
        executed = temporary.with_suffix(".ipynb")
        try:
            papermill.execute_notebook(
                str(notebook),
                str(executed),
                {"tables": str(tables)},
                kernel_name="python3",
                language="python",
                progress_bar=False,
            )
        except papermill.PapermillExecutionError:
            executed.replace(failed)
            raise
        executed.replace(temporary)
        failed.unlink(missing_ok=True)


def notebook_html(notebook: str | Path) -> str:
    """Return the text and the results of an executed notebook as HTML, without its code."""
    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    content = nbformat.read(notebook, as_version=4)
    body: str = exporter.from_notebook_node(content)[0]
    return body
