"""What a forecast says: hours by place, the error, and what fits into a budget."""

from pathlib import Path

import pandas as pd
import pytest

from replication.forecast import estimates as module
from replication.forecast.costs import Cost
from replication.forecast.estimates import Machine, actual_seconds
from replication.forecast.text import budget, describe, plans_of, write_forecast
from replication.settings.config import Config
from replication.system.tables import read_table
from study_results import planned_study
from tabulated import NAME, ORDER, stated, write_study

COST = Cost(
    start_seconds=10,
    step_seconds=0.5,
    probe_seconds=4,
    image_seconds=0.01,
    memory_mb=300,
    weights_mb=2,
    import_seconds=5,
)


def table_of(*seconds: float, runs: int = 2, done: int = 0) -> pd.DataFrame:
    """Return the forecast of arms whose runs take `seconds` each, and half an hour more if they start by themselves."""
    return pd.DataFrame(
        {
            "study": "tiny",
            "arm": [f"arm-{number}" for number in range(len(seconds))],
            "runs": runs,
            "done": done,
            "epochs": 1,
            "steps": 1,
            "seconds": seconds,
            "import_seconds": 1800.0,
            "shared_imports": True,
            "hours": [runs * each / 3600 for each in seconds],
            "peak_memory_mb": 1.0,
            "disk_mb": 1.0,
            "checkpoints_mb": 1.0,
            "error": float("nan"),
        }
    )


@pytest.fixture
def studies(tmp_path: Path) -> Path:
    """Return a folder with a study."""
    planned_study(tmp_path / "studies", scale="demo")
    return tmp_path / "studies"


def test_the_text_and_the_table_say_the_same(tmp_path, studies, monkeypatch):
    monkeypatch.setattr(module, "measure", lambda kinds, *_args, **_named: dict.fromkeys(kinds, COST))
    table = tmp_path / "results/demo.forecast.csv"

    def said(**settings) -> str:
        config = Config(device="cpu", seeds=2, **settings)
        return write_forecast(plans_of(config, studies), config, tmp_path / "none", 2, table)

    text = said()
    rows = read_table(table)
    assert rows["runs"].sum() == 4
    assert f"4 runs, {rows['hours'].sum():.2f} hours of one core" in text
    assert "budget" not in text
    assert "Of a budget of 1 hours" in said(budget_hours=1.0)
    assert describe(actual_seconds(rows, tmp_path), Machine(2), []).count("Wall time") == 1
    assert text.count("Wall time") == 3
    assert said(forecast_places=[3]).count("Wall time") == 2


def test_a_part_is_named_that_fits(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "measure", lambda kinds, *_args, **_named: dict.fromkeys(kinds, COST))
    write_study(tmp_path, {"statements": stated(ORDER)})
    table = tmp_path / "results/paper.forecast.csv"

    def said(hours: float) -> str:
        config = Config(device="cpu", scale="paper", budget_hours=hours)
        return write_forecast(plans_of(config, tmp_path), config, tmp_path / "none", 1, table)

    said(1.0)
    hours = read_table(table)["hours"]
    named = f"1 of 1 statements:\n  --config scale=paper 'only=[{NAME}/a,{NAME}/b]'\n"
    assert named in said(hours[:2].sum() * 1.01)
    assert "statements" not in said(hours[:2].sum() * 0.99)
    assert "statements" not in said(hours.sum() * 1.01)


def test_wall_times_say_of_what():
    text = describe(table_of(3600.0, 7200.0), Machine(2), [4])
    assert "Wall time on this machine (2 cores): 3.00 hours" in text
    # 6 hours of cores; 2 hours more where each of 4 runs imports for half an hour, and the longest takes 2.5 hours
    assert (
        "Wall time on 4 cores like these: 2.00 hours; "
        "as 4 SLURM jobs at a time, each of which starts by itself: 2.50 hours"
    ) in text
    assert "no less than 2.00 hours, the longest run (tiny/arm-1)" in text
    gpus = describe(table_of(3600.0, 7200.0), Machine(cores=8, gpus=1, runs_per_gpu=2), [2])
    assert "hours of one GPU, at most" in gpus
    assert "this machine (1 GPUs): 3.00 hours" in gpus
    assert "on 2 GPUs like these: 2.00 hours" in gpus


def test_a_budget_says_of_each_scale_whether_it_fits():
    tables = {
        "demo": table_of(3600.0, runs=0, done=2),
        "laptop": table_of(7200.0, 3600.0, runs=3),
        "paper": table_of(36000.0),
    }
    lines = budget(tables, "demo", Machine(1), 9.0)
    assert [" ".join(line.split()) for line in lines[1:4]] == [
        "demo 0 runs take 0.00 hours: fits; 11 seeds of each arm do",
        "laptop 6 runs take 9.00 hours: fits; 3 seeds of each arm do",
        "paper 2 runs take 20.00 hours: does not fit; not even one seed of each arm does",
    ]
    assert lines[-1] == "The largest scale that fits: --config scale=laptop, up to seeds=3"


@pytest.mark.parametrize(
    ("hours", "chosen", "advice"),
    [
        (1.5, "demo", "of this one do fewer: --config seeds=1"),
        (1.5, "paper", "smaller scale with fewer seeds: --config scale=demo seeds=1"),
        (0.5, "paper", "Not even one seed fits at any scale: take a part with `only`"),
    ],
)
def test_advice_where_nothing_fits_whole(hours, chosen, advice):
    lines = budget({"demo": table_of(3600.0), "paper": table_of(36000.0)}, chosen, Machine(1), hours)
    assert lines[-1].endswith(advice)
    assert any(line.split()[0] == "laptop" and "`only`" in line for line in lines)


def test_other_scales_are_planned_for_a_budget_only(studies):
    assert [*plans_of(Config(scale="laptop"), studies)] == ["laptop"]
    plans = plans_of(Config(scale="laptop", budget_hours=1.0), studies)
    assert [*plans] == ["demo", "laptop", "paper"]
    assert [plan["tiny"].scale for plan in plans.values()] == [*plans]
