"""What the benchmarks share: interleaved measurements, what this machine can do at most, and their table."""

import csv
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "workflow"), str(ROOT / "tests"), str(ROOT / "tests/helpers")]
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Result:
    """One line of the table: the median of some repetitions, with their first and third quartile.

    Attributes
    ----------
    clock
        `processor` for seconds of processor time, which a busy machine changes least, or `wall`; `count` for none.
    """

    benchmark: str
    what: str
    unit: str
    clock: str
    median: float
    low: float
    high: float
    repetitions: int

    @classmethod
    def of(cls, benchmark: str, what: str, unit: str, clock: str, values: list[float]) -> "Result":
        """Sum repetitions up."""
        low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else values * 3
        return cls(benchmark, what, unit, clock, statistics.median(values), low, high, len(values))


def interleaved(work: Mapping[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """Return the processor seconds of each piece of work, done in turn, so that all meet the same machine."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for number in range(repetitions + 1):
        for name, function in work.items():
            start = time.process_time()
            function()
            if number:  # the first time also makes what later ones find
                seconds[name].append(time.process_time() - start)
    return seconds


def matrix_limit(precision: str = "float32", size: int = 512) -> float:
    """Return the largest GFLOP/s that a product of square matrices reaches here on one core."""
    import torch

    torch.set_num_threads(1)
    one, other = (torch.randn(size, size).to(getattr(torch, precision)) for _ in range(2))
    seconds = interleaved({"product": lambda: one @ other}, 7)["product"]
    return 2 * size**3 / min(seconds) / 1e9


def multiplies_in_bfloat16() -> bool:
    """Return whether this processor does: others are some hundred times slower than in float32."""
    return matrix_limit("bfloat16") > matrix_limit("float32")


def machine() -> str:
    """Return what kind of machine this is, and how busy it is with other work."""
    from replication.runs.provenance import machine as kind

    load = os.getloadavg()[0]
    return f"{kind()['processor']}, {os.cpu_count()} cores, {platform.system()}, load {load:.1f} at the start"


def write(name: str, results: Iterable[Result]) -> None:
    """Print results, and write them to `results/<name>.csv`, below a line that names the machine."""
    rows = [asdict(result) for result in results]
    for row in rows:
        print(
            f"{row['what']:<52}{row['median']:>12.4g} {row['unit']} ({row['low']:.4g} to {row['high']:.4g})"
        )
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    (RESULTS / f"{name}.machine.txt").write_text(machine() + "\n", encoding="utf-8")
