"""The surroundings in which notebooks are executed and shown: ours, whatever a user has set up for himself.

Jupyter, IPython, matplotlib and Python itself look into a user's environment variables and home folder, at kernels,
templates, start-up files, styles and fonts there. The same tables should give everybody the same bytes.
"""

import json
import os
import site
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from replication.runs.forks.client import KERNELS, OFF, VARIABLE
from replication.system.files import PACKAGE

KERNEL = "python3"
# Variables: where a kernel's figures go, if not beside the tables; and where they go as PDF too, if anywhere.
FIGURES_FOLDER, PDF_FOLDER = "REPLICATION_FIGURES", "REPLICATION_PDF_FIGURES"
# What a process needs in order to start at all; any other variable is left out, those that we do not know too.
KEPT = (
    *("PATH", "TMPDIR", "TEMP", "TMP", "USER", "LOGNAME", "SYSTEMROOT"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"),
    *("VIRTUAL_ENV", "CONDA_PREFIX"),
)
OURS = {
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "TZ": "UTC",
    "JUPYTER_NO_CONFIG": "1",
    "MATPLOTLIBRC": os.devnull,
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
    # Files of the current folder, such as a random.py, are no modules.
    "PYTHONSAFEPATH": "1",
    # Drawing needs no more, and some machines allow no more.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# A kernel is started with the interpreter that runs this.
ARGUMENTS = (
    *(str(PACKAGE.parent / "scripts" / "kernel.py"), "-f", "{connection_file}"),
    *("--IPKernelApp.ignore_cwd=True", "--IPKernelApp.exec_PYTHONSTARTUP=False"),
)


@contextmanager
def own_surroundings(**more: str) -> Iterator[Path]:
    """Give this process, and those that it starts in the block, an environment with an empty home folder.

    There, the kernel called `KERNEL` is the interpreter of this process.

    Parameters
    ----------
    more
        Further environment variables.

    Yields
    ------
    Path
        The home folder, which is removed at the end of the block.
    """
    before = dict(os.environ)
    with TemporaryDirectory(prefix="surroundings-") as folder:
        home = Path(folder)
        _write_kernel(home / "jupyter" / "kernels" / KERNEL)
        try:
            _become(environment(before, home) | {VARIABLE: before.get(KERNELS, OFF)} | more)
            yield home
        finally:
            _become(before)


def environment(before: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the variables of a process whose home folder is `home`; of those `before`, it has what is in `KEPT`."""
    folders = {
        "HOME": home,
        "XDG_CONFIG_HOME": home / "config",
        "XDG_CACHE_HOME": home / "cache",
        "XDG_DATA_HOME": home / "data",
        "IPYTHONDIR": home / "ipython",
        "JUPYTER_PATH": home / "jupyter",
        "JUPYTER_DATA_DIR": home / "jupyter",
        "JUPYTER_CONFIG_DIR": home / "jupyter-config",
        "JUPYTER_CONFIG_PATH": home / "jupyter-config",
        "JUPYTER_RUNTIME_DIR": home / "jupyter-runtime",
        "MPLCONFIGDIR": home / "matplotlib",
        "PYTHONPATH": PACKAGE.parent,
    }
    kept = {name: before[name] for name in KEPT if name in before}
    return kept | OURS | _user_packages() | {name: str(folder) for name, folder in folders.items()}


def _user_packages() -> dict[str, str]:
    """Return what lets another process import what this one can: packages in the user's folder, if it sees these."""
    if site.ENABLE_USER_SITE:
        return {"PYTHONUSERBASE": site.getuserbase()}
    return {"PYTHONNOUSERSITE": "1"}


def _write_kernel(folder: Path) -> None:
    folder.mkdir(parents=True)
    spec = {"argv": [sys.executable, *ARGUMENTS], "display_name": "Python 3", "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _become(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
