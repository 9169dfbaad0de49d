"""Two results folders compared, made the same or other than each other."""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recorded_runs import change_record, write_scale
from replication.__main__ import main
from replication.compare.comparison import Comparison, compare
from replication.compare.results import read_results
from replication.compare.text import comparison_json, comparison_text
from replication.errors import ResultsError
from replication.system.digests import digest_of_file
from replication.system.tables import read_table, write_table
from study_results import planned_study

SEEDS = (1, 2, 3, 4)
ARMS = ("cosine", "probing")
RUNS = [f"runs/tiny/{arm}/seed-{seed}" for arm in ARMS for seed in SEEDS]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return made-up results of the tiny study, which tests leave as they are."""
    folder = tmp_path_factory.mktemp("made")
    return write_scale(folder, planned_study(folder / "config/studies", seeds=len(SEEDS)))


@pytest.fixture
def both(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return two copies of them."""
    return Path(shutil.copytree(made, tmp_path / "a")), Path(shutil.copytree(made, tmp_path / "b"))


def compared(folders: tuple[Path, Path]) -> Comparison:
    return compare(read_results(folders[0]), read_results(folders[1]))


def shift(folder: Path, by: float, *, weights: str = "ff" * 32) -> None:
    """Give a run another accuracy at the end, as another computation would have."""
    history = pd.read_csv(folder / "history.csv")
    history.loc[history.index[-1], "test_accuracy"] += by
    history.to_csv(folder / "history.csv", index=False)
    files = json.loads((folder / "record.json").read_text())["files"]
    change_record(
        folder, weights_sha256=weights, files=files | {"history.csv": digest_of_file(folder / "history.csv")}
    )


def on_another_machine(folder: Path) -> None:
    machine = json.loads((folder / "record.json").read_text())["machine"]
    change_record(folder, machine=machine | {"processor": "Another Processor"})


def test_a_folder_is_identical_to_its_copy(both: tuple[Path, Path]) -> None:
    found = compared(both)
    assert not found.differs
    text = comparison_text(found)
    assert "8 runs of 2 arms in both: all identical, bit for bit" in text
    assert "Nothing differs beyond chance." in text
    assert "No verdict changed." in text
    assert "A / B" not in text


def test_how_long_a_run_took_makes_no_difference(both: tuple[Path, Path]) -> None:
    folder = both[1] / RUNS[0]
    (folder / "timings.csv").write_text("epoch\n")
    files = json.loads((folder / "record.json").read_text())["files"]
    change_record(folder, files=files | {"timings.csv": digest_of_file(folder / "timings.csv")})
    assert sum(arm.identical for arm in compared(both).arms) == len(RUNS)


def test_another_machine_may_differ_by_chance(both: tuple[Path, Path]) -> None:
    for run in RUNS:
        on_another_machine(both[1] / run)
    for run, by in zip(RUNS, (0.01, -0.01) * 4, strict=True):
        shift(both[1] / run, by)
    found = compared(both)
    assert not found.differs
    text = comparison_text(found)
    assert "none identical, bit for bit" in text
    assert "  processor: Some Processor / Another Processor" in text
    accuracy = found.arms[0].differences[0]
    assert (accuracy.measure, accuracy.beyond_chance) == ("test_accuracy", False)
    assert accuracy.low < 0 < accuracy.high


def test_a_measure_that_differs_beyond_chance_is_marked(both: tuple[Path, Path]) -> None:
    for run in RUNS:
        on_another_machine(both[1] / run)
    for run in RUNS[: len(SEEDS)]:
        shift(both[1] / run, -0.2)
    found = compared(both)
    assert found.differs
    cosine, probing = found.arms
    assert [each.measure for each in cosine.differences if each.beyond_chance] == ["test_accuracy"]
    assert cosine.differences[0].low < -0.2 < cosine.differences[0].high
    assert not probing.differences
    assert "* test_accuracy       -20.00 % [-2" in comparison_text(found)


def test_the_first_folder_is_the_one_that_is_subtracted(both: tuple[Path, Path]) -> None:
    shift(both[1] / RUNS[0], 0.1)
    ours, theirs = (compared(pair).arms[0].differences[0] for pair in (both, both[::-1]))
    assert ours.second - ours.first == pytest.approx(0.025)
    assert (theirs.low, theirs.high) == pytest.approx((-ours.high, -ours.low))


def test_of_equal_circumstances_other_results_are_no_chance(both: tuple[Path, Path]) -> None:
    shift(both[1] / RUNS[0], 0.0001)
    found = compared(both)
    assert found.differs
    assert (
        "1 run with the same settings, data, code, versions and machine, and other results"
        in comparison_text(found)
    )


def test_settings_data_and_code_that_differ_are_named_once(both: tuple[Path, Path]) -> None:
    for run in RUNS:
        record = json.loads((both[1] / run / "record.json").read_text())
        settings = record["settings"] | {"batch_size": 64}
        data = record["dataset"] | {"identity": "ee" * 32}
        change_record(
            both[1] / run, settings=settings, settings_sha256="aa" * 32, code_sha256="bb" * 32, dataset=data
        )
    text = comparison_text(compared(both))
    assert "  batch_size: 32 / 64  (all arms)" in text
    assert "  data: digits (d1d1d1d1) / digits (eeeeeeee)  (all arms)" in text
    assert "  code: c0c0c0c0 / bbbbbbbb  (all arms)" in text


def test_versions_and_commits_that_differ_are_named(both: tuple[Path, Path]) -> None:
    change_record(both[1] / RUNS[0], versions={"torch": "3.0"}, git={"commit": "f" * 40, "dirty": False})
    text = comparison_text(compared(both))
    assert "  torch: 2.14.1 / 2.14.1, 3.0" in text
    assert "  commit: 0123456789abcdef" in text


def change_verdict(results: Path, outcome: str) -> None:
    claims = read_table(results / "claims.csv")
    claims.loc[1, "outcome"] = outcome
    write_table(claims, results / "claims.csv")


@pytest.mark.parametrize(
    ("ours", "theirs", "differs"),
    [
        ("supported", "contradicted", True),
        ("contradicted", "reproduced", True),
        ("undecided", "contradicted", False),
        ("supported", "reproduced", False),
    ],
)
def test_verdicts_that_changed(both: tuple[Path, Path], ours: str, theirs: str, differs: bool) -> None:
    change_verdict(both[0], ours)
    change_verdict(both[1], theirs)
    found = compared(both)
    assert found.verdicts == [("tiny/cosine-better", ours, theirs)]
    assert found.differs == differs
    assert f"{ours} / {theirs}" in comparison_text(found)


def test_runs_of_one_folder_only_are_counted(both: tuple[Path, Path]) -> None:
    shutil.rmtree(both[1] / RUNS[0])
    (both[1] / "claims.csv").unlink()
    text = comparison_text(compared(both))
    assert "Only in A: 1 run, such as tiny/cosine/seed-1" in text
    assert f"No verdicts to compare: {both[1]} without claims.csv" in text


def test_one_seed_has_no_interval(both: tuple[Path, Path]) -> None:
    for run in RUNS[1 : len(SEEDS)]:
        shutil.rmtree(both[1] / run)
    on_another_machine(both[1] / RUNS[0])
    shift(both[1] / RUNS[0], 0.3)
    found = compared(both)
    assert not found.differs
    assert "(one seed: no interval)" in comparison_text(found)


def test_a_run_without_a_value_takes_no_part(both: tuple[Path, Path]) -> None:
    shift(both[1] / RUNS[0], float("nan"))
    first = compared(both).arms[0].differences[0]
    assert first.measure == "test_accuracy"
    assert first.first == first.second


def test_json_holds_what_the_text_says(both: tuple[Path, Path]) -> None:
    for run in RUNS[1 : len(SEEDS)]:
        shutil.rmtree(both[1] / run)
    shift(both[1] / RUNS[0], 0.3)
    plain: dict[str, Any] = json.loads(json.dumps(comparison_json(compared(both)), allow_nan=False))
    assert plain["differs"] is True
    assert plain["arms"][0]["differences"][0]["low"] is None


def test_the_exit_status_tells(both: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(folder) for folder in both]
    assert main(["compare", *folders]) == 0
    assert "all identical" in capsys.readouterr().out
    shift(both[1] / RUNS[0], 0.0001)
    assert main(["compare", *folders, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["folders"] == folders
    assert main(["compare", folders[0], f"{folders[1]}/tables"]) == 2
    assert "holds no finished run" in capsys.readouterr().err


def test_results_of_other_studies_cannot_be_compared(both: tuple[Path, Path]) -> None:
    for run in RUNS:
        record = json.loads((both[1] / run / "record.json").read_text())
        change_record(both[1] / run, run_id=record["run_id"].replace("tiny", "other"))
    with pytest.raises(ResultsError, match="have no run in common"):
        compared(both)


def test_a_damaged_run_is_named(both: tuple[Path, Path]) -> None:
    change_record(both[1] / RUNS[0], seal=False, epochs=7)
    with pytest.raises(ResultsError, match=r"seed-1: damaged"):
        compared(both)


def test_a_record_that_lacks_something_is_named(both: tuple[Path, Path]) -> None:
    from replication.system.digests import sealed
    from replication.system.files import write_json

    path = both[1] / RUNS[0] / "record.json"
    record = {
        key: value for key, value in json.loads(path.read_text()).items() if key not in ("sha256", "machine")
    }
    write_json(path, sealed(record))
    with pytest.raises(ResultsError, match=r"record\.json: lacks machine"):
        compared(both)
