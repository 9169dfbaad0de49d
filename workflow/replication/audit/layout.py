"""Which files belong to a results folder, and which do not."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from replication.audit.findings import Findings
from replication.audit.run_checks import CheckedRun
from replication.errors import ResultsError
from replication.report.formatting import counted
from replication.runs.folder import CLASSES, RECORD
from replication.runs.record import read_sealed

# What the audit itself writes, and the page that it stamps: they are no part of what is audited.
AUDIT, PAGE, REPORT = "audit.json", "audit.html", "report.html"
SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
OWN = frozenset({AUDIT, PAGE, REPORT, SUMS, SIGNATURE})
# What other commands leave beside the results of `all`, sealed like a record; nothing depends on it.
OTHERS = frozenset({"recheck.json"})
LEFTOVER = re.compile(r"\.lock|\.checkpoint-\d+|\..*\.partial")
# What systems, editors and Jupyter leave in any folder that someone opens: no part of the results, and no fault.
JUNK = re.compile(
    r"\.DS_Store|\._.*|Thumbs\.db|desktop\.ini|\.#.*|\.~lock\..*#|\.nfs[0-9a-f]+|\.ipynb_checkpoints"
)
SNAKEMAKE = ".snakemake_timestamp"  # how Snakemake dates a folder: an empty file


def files_below(folder: Path) -> list[str]:
    """Return the paths of all files below `folder`, relative to it, in order."""
    found = (Path(place, name) for place, _, names in os.walk(folder, followlinks=True) for name in names)
    return sorted(path.relative_to(folder).as_posix() for path in found)


def is_leftover(path: str) -> bool:
    """Return whether a file is what an unfinished run or an interrupted write leaves behind."""
    return LEFTOVER.fullmatch(path.rpartition("/")[2]) is not None


def is_junk(path: str) -> bool:
    """Return whether a file, or a folder on the way to it, is one that systems and editors leave anywhere."""
    return any(JUNK.fullmatch(part) for part in path.split("/"))


def check_layout(
    results: Path, runs: Mapping[str, CheckedRun], derived: Iterable[str], findings: Findings
) -> list[str]:
    """Name every file that does not belong to the results, and return those that do, in order.

    Parameters
    ----------
    derived
        Outputs of the workflow, relative to `results`; a name that ends with a slash stands for all below it.
    """
    known = set(derived)
    folders = tuple(name for name in known if name.endswith("/"))
    good, strange = [], []
    for path in files_below(results):
        if is_junk(path):
            findings.warn(
                results / path, "left by a system or an editor, and no part of the results; delete it"
            )
            continue
        if path in OTHERS:
            _check_seal(results / path, findings)
        if _is_own(path) or path in OTHERS or _is_date(results, path):
            continue
        run = runs.get(_run_of(path))
        if run is not None and is_leftover(path):
            if run.record is not None:
                findings.warn(results / path, "left behind by a run that is complete; delete it")
        elif path in known or path.startswith(folders) or (run is not None and _is_of_run(path, run)):
            good.append(path)
        else:
            strange.append(path)
    _name_strangers(results, strange, findings)
    return good


def _is_own(path: str) -> bool:
    """Return whether a file belongs to the audit, or is what an interrupted audit has left of one."""
    return path in OWN or (is_leftover(path) and path.startswith(tuple(f".{name}." for name in OWN)))


def _check_seal(path: Path, findings: Findings) -> None:
    try:
        read_sealed(path)
    except ResultsError as error:
        findings.fail(path, f"{error}; delete it")


def _is_date(results: Path, path: str) -> bool:
    return path.rpartition("/")[2] == SNAKEMAKE and (results / path).stat().st_size == 0


def _run_of(path: str) -> str:
    """Return `study/arm/seed-n` of a file in a run's folder, and something else of any other."""
    top, _, rest = path.partition("/")
    return rest.rpartition("/")[0] if top == "runs" else ""


def _is_of_run(path: str, run: CheckedRun) -> bool:
    name = path.rpartition("/")[2]
    return run.record is None or name in (RECORD, CLASSES) or name in run.record.files


def _name_strangers(results: Path, strange: list[str], findings: Findings) -> None:
    extra = {_run_of(path) for path in strange if path.endswith(f"/{RECORD}")} - {""}
    inside = Counter(_run_of(path) for path in strange)
    for run_id in sorted(extra):
        findings.fail(
            results / "runs" / run_id,
            f"no such run is planned; delete the folder ({counted(inside[run_id], 'file')}), or plan it",
        )
    for path in strange:
        if _run_of(path) not in extra:
            what = "half-written: an interrupted write has left it" if is_leftover(path) else "unknown"
            findings.fail(
                results / path, f"{what}; it is not a file of the workflow: delete it, or move it away"
            )
