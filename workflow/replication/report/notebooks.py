"""The notebooks of `reports/`: executed by papermill, turned into parts of the report by nbconvert."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from nbformat import NotebookNode

from replication.errors import ResultsError
from replication.system.files import PACKAGE, whole_file
from replication.system.logs import children_logged

# What papermill and the kernel record about one execution: times, paths, versions.
OF_ONE_EXECUTION = ("execution", "papermill")
LANGUAGE = {"name": "python"}
KERNEL_SECONDS = 600  # for a kernel to start: far more than it takes, as the machine may be busy with runs


def execute(
    notebook: str | Path, output: str | Path, tables: str | Path, folder: str | Path | None = None
) -> None:
    """Execute a notebook with the parameter `tables`, the folder of its study's tables, and save it at `output`.

    Equal tables give equal bytes: what is particular to one execution is not saved.

    Parameters
    ----------
    folder
        Where the kernel runs, which `tables` is relative to; None: the current folder.

    Raises
    ------
    papermill.PapermillExecutionError
        A cell has failed; what was executed so far is in `<output>.failed.ipynb`.
    ResultsError
        The kernel was killed.
    """
    # The kernel is a process of its own: it should find this package, and nothing of a user's own Jupyter.
    os.environ |= {"PYTHONPATH": str(PACKAGE.parent), "JUPYTER_NO_CONFIG": "1"}
    failed = Path(f"{output}.failed.ipynb")
    with whole_file(output) as temporary, TemporaryDirectory(prefix="notebook-") as scratch:
        executed = Path(scratch, "executed.ipynb")
        try:
            with children_logged():
                content = papermill.execute_notebook(
                    # Whole paths: papermill goes to `folder` meanwhile.
                    str(Path(notebook).resolve()),
                    str(executed),
                    {"tables": str(tables)},
                    kernel_name="python3",
                    language="python",
                    progress_bar=False,
                    start_timeout=KERNEL_SECONDS,
                    cwd=folder,
                )
        except papermill.PapermillExecutionError:
            shutil.copyfile(executed, failed)
            raise
        except DeadKernelError as error:
            raise ResultsError(
                f"{notebook}: its kernel was killed, by a signal or for lack of memory: make room for it, "
                "for example with fewer jobs at a time (--cores), and run again"
            ) from error
        nbformat.write(_repeatable(content), temporary)
        failed.unlink(missing_ok=True)


def _repeatable(content: NotebookNode) -> NotebookNode:
    """Remove what differs between two executions of one notebook."""
    content.metadata.pop("papermill", None)
    content.metadata["language_info"] = NotebookNode(LANGUAGE)
    for cell in content.cells:
        for key in OF_ONE_EXECUTION:
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"  # papermill draws it at random
    return content


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
