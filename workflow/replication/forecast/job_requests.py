"""What a run asks a batch system for: minutes, memory and a GPU."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from replication.errors import ConfigurationError
from replication.settings.config import Config
from replication.settings.study import Scale

# The forecast was measured on another processor than that of the run, and a request that is too small costs a whole
# attempt; the next one asks for twice as much.
TIMES_SECONDS = 3.0
TIMES_MEMORY = 1.5
# A run comes with two processes of Snakemake, which have to start and need memory; and it imports PyTorch itself, which
# a forecast for runs of one machine leaves out.
MORE_MINUTES = 2.0
MORE_MEMORY_MB = 500.0
# Without a forecast: enough for a run of any arm at that scale, on any processor (at paper scale: on any GPU).
DEFAULT_MINUTES: Mapping[Scale, int] = {"demo": 10, "laptop": 120, "paper": 1440}
DEFAULT_MEMORY_MB: Mapping[Scale, int] = {"demo": 2000, "laptop": 4000, "paper": 8000}
# A run that asks for no more may share a job of the batch system with others, one after the other.
SHORT_MINUTES = 10


@dataclass(frozen=True)
class Request:
    """What one run asks for at its first attempt: minutes, megabytes, and GPUs, of which there is one or none."""

    minutes: int
    memory_mb: int
    gpus: int

    @property
    def short(self) -> bool:
        """Whether the run may be packed with others."""
        return self.minutes <= SHORT_MINUTES


@dataclass(frozen=True)
class Requests:
    """What the runs of a plan ask for."""

    default: Request
    by_arm: Mapping[tuple[str, str], Request]

    def of(self, study: str, arm: str) -> Request:
        """Return what a run of `arm` asks for: as forecast, or, without a forecast, what is enough for any run."""
        return self.by_arm.get((study, arm), self.default)


def read_requests(config: Config, forecast: str | Path) -> Requests:
    """Return what runs ask for, given the table `forecast` that `snakemake forecast` has written, if there is one.

    Raises
    ------
    ConfigurationError
        The table is damaged.
    """
    gpus = gpus_of(config)
    default = Request(DEFAULT_MINUTES[config.scale], DEFAULT_MEMORY_MB[config.scale], gpus)
    path = Path(forecast)
    if not path.exists():
        return Requests(default, {})
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            by_arm = {(row["study"], row["arm"]): _request(row, gpus) for row in csv.DictReader(stream)}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{path}: not the table of a forecast ({error}): remove it, or make it again with `snakemake forecast`"
        ) from None
    return Requests(default, by_arm)


def gpus_of(config: Config) -> int:
    """Return how many GPUs a run asks for: `auto` asks for one at paper scale only, which is made for GPUs."""
    return int(config.device == "cuda" or (config.device == "auto" and config.scale == "paper"))


def _request(row: Mapping[str, str], gpus: int) -> Request:
    minutes = TIMES_SECONDS * float(row["seconds"]) / 60 + MORE_MINUTES
    memory_mb = TIMES_MEMORY * float(row["peak_memory_mb"]) + MORE_MEMORY_MB
    return Request(math.ceil(minutes), math.ceil(memory_mb), gpus)
