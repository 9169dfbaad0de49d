"""What results have cost: hours of cores, and the energy that such cores take."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from replication.runs.folder import TIMINGS
from replication.runs.record import Record
from replication.system.tables import read_table

HOUR = 3600
# An assumption, not a measurement: a server's processor of 8 cores takes 65 W, and its building 1.4 times that (PUE).
WATTS_OF_A_CORE = 65 / 8 * 1.4


def cost_of(results: Path, files: Iterable[str], records: Sequence[Record]) -> dict[str, Any]:
    """Return the cost of runs: hours of training, evaluation and probing by study, processors, and energy.

    Sums are of what each run has measured of itself, so that a run that was interrupted and went on counts once.
    """
    by_study: dict[str, float] = {}
    for path in files:
        if path.endswith(f"/{TIMINGS}"):
            seconds = read_table(results / path).filter(like="seconds").to_numpy().sum()
            study = path.split("/")[1]
            by_study[study] = by_study.get(study, 0.0) + float(seconds) / HOUR
    hours = sum(by_study.values())
    return {
        "runs": len(records),
        "core_hours": hours,
        "core_hours_by_study": by_study,
        "processors": sorted({record.machine.processor for record in records}),
        "devices": sorted({record.machine.device for record in records}),
        "kilowatt_hours": hours * WATTS_OF_A_CORE / 1000,
        "watts_of_a_core": WATTS_OF_A_CORE,
    }
