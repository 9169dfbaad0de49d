"""What stands behind one value of one run: where it is read, and hashes as recorded and as they are now."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replication.analysis.study_tables import SECONDS
from replication.analysis.verdicts import NOT_RUN
from replication.runs.folder import HISTORY, RECORD, TIMINGS
from replication.settings.claims import Claim, DifferenceClaim, EventClaim, OrderClaim, ValueClaim
from replication.settings.measures import EPOCH_MEASURES, measure_of
from replication.system.digests import canonical_json, digest_of_file, digest_of_text

EPOCH_WORDS = {
    "last": "after the last epoch trained",
    "best": "after the epoch of the lowest validation loss",
}
_ROWS = {"timings": "sum over all epochs", "largest timing": "largest of all epochs"}
_RECORDED = (
    "seed",
    "outcome",
    "epochs",
    "best_epoch",
    "code_sha256",
    "study",
    "dataset",
    "git",
    "versions",
    "lock_sha256",
    "installed_sha256",
    "machine",
    "determinism",
    "started",
    "ended",
    "sessions",
    "weights_sha256",
)


def evidence_of(folder: Path, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the record of a run says, each hash that can be computed again beside what it is now."""
    unsealed = {key: value for key, value in record.items() if key != "sha256"}
    settings = digest_of_text(canonical_json(record["settings"]))
    return {
        **{key: record[key] for key in _RECORDED},
        "record_sha256": _compared(record["sha256"], digest_of_text(canonical_json(unsealed))),
        "settings_sha256": _compared(record["settings_sha256"], settings),
        "files": {
            name: _compared(recorded, _digest_now(folder / name))
            for name, recorded in sorted(record["files"].items())
        },
    }


def _digest_now(path: Path) -> str | None:
    return digest_of_file(path) if path.exists() else None


def _compared(recorded: str, now: str | None) -> dict[str, Any]:
    return {"recorded": recorded, "now": now, "agrees": recorded == now}


def hashes_of(run: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return all hashes of a run that were computed again, by what they are of."""
    if "files" not in run:  # missing, or derived from others
        return {}
    return {**run["files"], RECORD: run["record_sha256"], "settings": run["settings_sha256"]}


def source_of(record: Mapping[str, Any], measure: str, epoch: str | int) -> dict[str, Any]:
    """Return the file, and for a history the row, in which a run's value stands."""
    source = "timings" if measure in SECONDS else measure_of(measure).source
    if source in _ROWS:
        return {"file": TIMINGS, "row": _ROWS[source], "column": measure}
    if source == "passes":
        return {"file": HISTORY, "row": f"last epoch, with the costs in {RECORD}", "column": "steps"}
    if source != "epoch":
        return {"file": RECORD, "column": measure}
    number = {"last": record["epochs"], "best": record["best_epoch"]}.get(str(epoch), epoch)
    if number is None:
        return {"file": HISTORY, "row": "none: the run has no best epoch", "column": measure}
    # The first epoch is on the second line of the file.
    return {
        "file": HISTORY,
        "row": f"epoch {int(number)}",
        "line": int(number) + 1,
        "column": measure,
    }


def words(measure: str, epoch: str | int) -> str:
    """Return what is measured and when, as `test_accuracy after epoch 3`."""
    if measure not in EPOCH_MEASURES:
        return f"{measure} of each run"
    return f"{measure} {EPOCH_WORDS.get(str(epoch), f'after epoch {epoch}')}"


def formula_of(claim: Claim, facts: Mapping[str, Any]) -> str:
    """Return how the estimate of a claim comes from its runs; `facts` is its row in claims.csv."""
    if facts["outcome"] == NOT_RUN:
        return "none: the study leaves out an arm of the reading at this scale"
    measured = words(claim.measure, claim.epoch)
    if isinstance(claim, EventClaim):
        against = f", against {claim.reference} of the same seed" if claim.reference else ""
        when = measured if claim.event == "no_convergence" else claim.measure
        return f"share of {facts['n']} seeds that show {claim.event} in {when}{against} (threshold {claim.threshold:g})"
    computed, interval = _estimate_and_interval(claim, facts["n"])
    return f"{measured}: {computed}" + ("" if facts["low"] is None else f", with {interval}")


def _estimate_and_interval(claim: ValueClaim | DifferenceClaim | OrderClaim, seeds: int) -> tuple[str, str]:
    """Return how the estimate is computed, and what its interval is where the runs give one."""
    match claim:
        case OrderClaim():
            others = claim.than[0] if len(claim.than) == 1 else f"each of {', '.join(claim.than)}"
            return (
                f"mean of {claim.arm} − mean of {others}, counted positive where {claim.arm} is {claim.direction}; "
                "the comparison that decides",
                "Welch's t interval",
            )
        case DifferenceClaim():
            return f"mean of {claim.arm} − mean of {claim.minus}", "Welch's t interval"
        case ValueClaim():
            of = f"the difference {claim.arm} − {claim.minus}" if claim.minus else "its value"
            return f"mean over {seeds} seeds of {of}", "the t interval of one further run"


def plain(value: Any) -> Any:
    """Return a cell of a table as a plain value, None where it is empty."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def same(stored: Any, again: Any) -> bool:
    """Say whether a value in a table is the one that the runs give now."""
    return bool(stored == again)
