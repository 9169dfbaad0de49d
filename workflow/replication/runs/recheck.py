"""Runs executed again from scratch, and compared with what is on record."""

import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from replication.errors import ResultsError
from replication.runs.folder import CLASSES, HISTORY, PREDICTIONS, RECORD
from replication.runs.job import run
from replication.runs.plan import PlannedStudy
from replication.system.clock import now
from replication.system.digests import canonical_json, digest_of_file, sealed
from replication.system.files import write_json
from replication.system.tables import read_table
from replication.training.predictions import read_predictions

# Elsewhere sums are rounded differently, and training drifts apart as if the seed were another. So there the test
# accuracies of both are compared as those of two models, each measured on the same number of images.
TOLERANCE_STANDARD_ERRORS = 3.0
SAME_KIND = ("system", "architecture", "processor", "device", "driver", "threads")


@dataclass(frozen=True)
class Rechecked:
    """One run, executed again.

    Attributes
    ----------
    same_kind
        Whether machine and versions are those on record, so that every bit should be the same.
    agrees
        Bit for bit on the same kind of machine, else within the tolerance.
    detail
        What was compared, in words.
    """

    run_id: str
    weights_sha256: str
    same_kind: bool
    agrees: bool
    detail: str


def recheck(
    plan: Mapping[str, PlannedStudy],
    results: str | Path,
    datasets: str | Path,
    count: int,
    device: str,
    log: IO[str] | None = None,
) -> list[Rechecked]:
    """Execute `count` runs of a scale again, chosen at random among those on record, and compare.

    Runs whose data set is not prepared here are passed over: whoever reviews results need not have all data. The
    results are left as they are; what was found is written to `recheck.json` beside them.

    Parameters
    ----------
    results
        The folder `results/<scale>`.
    datasets
        The folder of the prepared data sets.
    device
        `auto`, `cpu` or `cuda`.

    Raises
    ------
    ResultsError
        There is no run on record, or none whose data set is prepared.
    """
    results = Path(results)
    planned = [run_id for study in plan.values() for run_id in study.run_ids]
    recorded = [run_id for run_id in planned if (results / "runs" / run_id / RECORD).is_file()]
    if not recorded:
        raise ResultsError(f"{results}: holds no run to execute again: run `snakemake --cores all` first")
    data = {run_id: _dataset(results / "runs" / run_id, Path(datasets)) for run_id in recorded}
    held = [run_id for run_id in recorded if data[run_id].is_file()]
    if not held:
        names = ", ".join(sorted({path.stem for path in data.values()}))
        raise ResultsError(
            f"{results}: no run to execute again has its data here ({names}): run `snakemake data` with the same "
            "configuration; `only` leaves out studies whose data you do not have"
        )
    chosen = random.SystemRandom().sample(held, min(count, len(held)))
    found = [_again(results / "runs" / run_id, run_id, data[run_id], device, log) for run_id in chosen]
    report = {
        "checked": now(),
        "runs": [asdict(one) for one in found],
        "of": len(held),
        "without_data": len(recorded) - len(held),
    }
    write_json(results / "recheck.json", sealed(report))
    return found


def _dataset(folder: Path, datasets: Path) -> Path:
    """Return where the data set of a run on record would be, prepared."""
    return datasets / f"{_record(folder)['dataset']['name']}.safetensors"


def _record(folder: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    return record


def _again(folder: Path, run_id: str, dataset: Path, device: str, log: IO[str] | None) -> Rechecked:
    record = _record(folder)
    with TemporaryDirectory(prefix="recheck-") as temporary:
        fresh = Path(temporary)
        settings = canonical_json(record["settings"])
        run(run_id, settings, dataset, fresh, device, code=record["code_sha256"], log=log)
        return compare(folder, fresh)


def compare(recorded: Path, fresh: Path) -> Rechecked:
    """Compare two folders of one run: the one on record, and the one of its repetition."""
    old, new = _record(recorded), _record(fresh)
    changed = [key for key in SAME_KIND if old["machine"][key] != new["machine"][key]]
    changed += [name for name in old["versions"] if old["versions"][name] != new["versions"].get(name)]
    if changed:
        agrees, detail = _close(recorded, fresh)
        detail = f"on another kind of machine ({', '.join(changed)}): {detail}"
    else:
        different = _different(recorded, fresh, old, new)
        agrees = not different
        detail = f"differs in {', '.join(different)}" if different else "the same, bit for bit"
    return Rechecked(old["run_id"], old["weights_sha256"], not changed, agrees, detail)


def _different(recorded: Path, fresh: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    files = [name for name in (HISTORY, PREDICTIONS) if not _same(recorded, fresh, name, old["files"])]
    facts = ("outcome", "epochs", "best_epoch", "weights_sha256", "costs")
    return [*files, *(key for key in facts if old[key] != new[key])]


def _same(recorded: Path, fresh: Path, name: str, digests: Mapping[str, str]) -> bool:
    """Compare a file, or what its record says of it where the runs are published without it."""
    if not (recorded / name).exists() and (recorded / CLASSES).is_file():
        return digest_of_file(fresh / name) == digests[name]
    return _bytes(recorded / name) == _bytes(fresh / name)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _close(recorded: Path, fresh: Path) -> tuple[bool, str]:
    """Compare the test accuracies at the end, as shares of the same number of images."""
    ours, theirs = (float(read_table(f / HISTORY)["test_accuracy"].iloc[-1]) for f in (recorded, fresh))
    test = read_predictions(fresh / PREDICTIONS).by_split["test"]
    images = len(test[max(test)].classes)
    pooled = (ours + theirs) / 2
    tolerance = TOLERANCE_STANDARD_ERRORS * math.sqrt(2 * pooled * (1 - pooled) / images)
    difference = abs(ours - theirs)
    return difference <= tolerance, f"test accuracies differ by {difference:.4f}, tolerance {tolerance:.4f}"


def summary(found: Sequence[Rechecked]) -> str:
    """Return one line for each run, and a verdict."""
    lines = [f"{one.run_id}: {one.detail}" for one in found]
    if not found:
        return "Recheck: no run was executed again"
    bad = sum(not one.agrees for one in found)
    verdict = f"{bad} of {len(found)} runs do not repeat" if bad else f"all {len(found)} runs repeat"
    return "\n".join([*lines, f"Recheck: {verdict}"])
