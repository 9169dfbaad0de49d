"""What runs ask a batch system for."""

from pathlib import Path

import pytest

from replication.errors import ConfigurationError
from replication.forecast.job_requests import (
    DEFAULT_MEMORY_MB,
    DEFAULT_MINUTES,
    Request,
    gpus_of,
    read_requests,
)
from replication.settings.config import Config

HEADER = "study,arm,runs,seconds,peak_memory_mb\n"


def requests_of(path: Path, table: str, **config: str) -> Request:
    path.write_text(table)
    return read_requests(Config(**config), path).of("mnist", "cosine")


def test_a_forecast_is_asked_for_with_a_margin(tmp_path: Path) -> None:
    asked = requests_of(tmp_path / "demo.forecast.csv", HEADER + "mnist,cosine,5,61.0,700.0\n")
    assert asked == Request(minutes=6, memory_mb=1550, gpus=0)  # 3 x 61 s + 2 min, 1.5 x 700 MB + 500 MB


@pytest.mark.parametrize("scale", ["demo", "laptop", "paper"])
def test_without_a_forecast_what_surely_suffices(tmp_path: Path, scale: str) -> None:
    asked = read_requests(Config(scale=scale), tmp_path / "none.csv").of("mnist", "cosine")
    assert (asked.minutes, asked.memory_mb) == (DEFAULT_MINUTES[scale], DEFAULT_MEMORY_MB[scale])


def test_an_arm_that_the_forecast_does_not_know_asks_for_the_default(tmp_path: Path) -> None:
    asked = requests_of(tmp_path / "demo.forecast.csv", HEADER + "mnist,linear,5,61.0,700.0\n")
    assert asked == read_requests(Config(), tmp_path / "none.csv").default


@pytest.mark.parametrize(("seconds", "short"), [(160, True), (161, False)])
def test_a_run_of_more_than_ten_minutes_is_not_packed(tmp_path: Path, seconds: int, short: bool) -> None:
    asked = requests_of(tmp_path / "demo.forecast.csv", HEADER + f"mnist,cosine,5,{seconds},700.0\n")
    assert asked.short is short


@pytest.mark.parametrize(
    ("device", "scale", "gpus"),
    [("cuda", "demo", 1), ("cpu", "paper", 0), ("auto", "paper", 1), ("auto", "laptop", 0)],
)
def test_who_asks_for_a_gpu(device: str, scale: str, gpus: int) -> None:
    assert gpus_of(Config(device=device, scale=scale)) == gpus


@pytest.mark.parametrize(
    "table",
    [
        "study,arm\nmnist,cosine\n",
        HEADER + "mnist,cosine,5,x,1\n",
        HEADER + "mnist,cosine,5,nan,1\n",
        HEADER + "mnist\n",
    ],
)
def test_a_damaged_forecast_is_refused(tmp_path: Path, table: str) -> None:
    with pytest.raises(ConfigurationError, match=r"demo\.forecast\.csv: not the table of a forecast"):
        requests_of(tmp_path / "demo.forecast.csv", table)
