"""The notebooks of `reports/`, executed by papermill."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from replication.errors import ResultsError
from replication.report.drawing import write_font_list
from replication.report.surroundings import FIGURES_FOLDER, KERNEL, PDF_FOLDER, own_surroundings
from replication.system.files import replace_folder, whole_file
from replication.system.logs import children_logged

# What papermill and the kernel record about one execution: times, paths, versions.
OF_ONE_EXECUTION = ("execution", "papermill")
LANGUAGE = {"name": "python"}
KERNEL_SECONDS = 600  # for a kernel to start: far more than it takes, as the machine may be busy with runs


def execute(
    notebook: str | Path,
    output: str | Path,
    tables: str | Path,
    folder: str | Path | None = None,
    failed: str | Path | None = None,
) -> None:
    """Execute a notebook with the parameter `tables`, the folder of its study's tables, and save it at `output`.

    The figures that it draws come into the folder `figures` beside `output`. Equal tables give equal bytes, in
    whatever surroundings: what is particular to one execution is not saved. Both replace what was there at the end,
    and only if all went well.

    Parameters
    ----------
    folder
        Where the kernel runs, which `tables` is relative to; None: the current folder.
    failed
        Where to leave what was executed until a cell failed; None: `<output>.failed.ipynb`.

    Raises
    ------
    papermill.PapermillExecutionError
        A cell has failed.
    ResultsError
        The kernel was killed.
    """
    failed = Path(failed or f"{output}.failed.ipynb")
    with TemporaryDirectory(prefix="notebook-") as scratch:
        executed, figures = Path(scratch, "executed.ipynb"), Path(scratch, "figures")
        try:
            content = _executed(notebook, executed, tables, folder, figures)
        except papermill.PapermillExecutionError:
            failed.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(executed, failed)
            raise
        except (DeadKernelError, RuntimeError) as error:  # the second: it has died before it answered
            raise ResultsError(
                f"{notebook}: its kernel was killed, by a signal or for lack of memory: make room for it, "
                "for example with fewer jobs at a time (--cores), and run again"
            ) from error
        with whole_file(output) as temporary:
            nbformat.write(_repeatable(content), temporary)
            replace_folder(Path(output).parent / "figures", figures)
        failed.unlink(missing_ok=True)


def draw_pdfs(notebook: str | Path, tables: str | Path, folder: Path) -> None:
    """Draw the figures of a notebook as PDF into `folder`, as `<study>-<figure>.pdf`; nothing else is kept."""
    with TemporaryDirectory(prefix="notebook-") as scratch:
        figures = Path(scratch, "figures")
        _executed(
            notebook, Path(scratch, "executed.ipynb"), tables, None, figures, **{PDF_FOLDER: str(folder)}
        )


def _executed(
    notebook: str | Path,
    executed: Path,
    tables: str | Path,
    folder: str | Path | None,
    figures: Path,
    **variables: str,
) -> NotebookNode:
    """Execute a notebook in our own surroundings."""
    with own_surroundings(**{FIGURES_FOLDER: str(figures)}, **variables) as home, children_logged():
        write_font_list(home / "matplotlib")
        content: NotebookNode = papermill.execute_notebook(
            # Whole paths: papermill goes to `folder` meanwhile.
            str(Path(notebook).resolve()),
            str(executed),
            {"tables": str(tables)},
            kernel_name=KERNEL,
            language="python",
            progress_bar=False,
            start_timeout=KERNEL_SECONDS,
            cwd=folder,
        )
    return content


def _repeatable(content: NotebookNode) -> NotebookNode:
    """Remove what differs between two executions of one notebook."""
    content.metadata.pop("papermill", None)
    content.metadata["language_info"] = NotebookNode(LANGUAGE)
    for cell in content.cells:
        for key in OF_ONE_EXECUTION:
            cell.metadata.pop(key, None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = "injected-parameters"  # papermill draws it at random
        if "outputs" in cell:
            _move_warnings(cell)
    return content


def _move_warnings(cell: NotebookNode) -> None:
    """Move what a cell wrote to standard error to that of this process: warnings name files of this machine."""
    for output in cell.outputs:
        if output.get("name") == "stderr":
            sys.stderr.write(output.text)
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
