"""Changed code shown to train to the same bytes: what is noted of it, and what shows nothing."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from recorded_runs import change_record, write_scale
from replication.__main__ import main
from replication.compare.same_code import cheapest_runs, note_same_code
from replication.errors import ResultsError
from replication.runs import same_code
from replication.runs.same_code import read_same_code
from study_results import planned_study

RUNS = [f"tiny/{arm}/seed-{seed}" for arm in ("cosine", "probing") for seed in (1, 2)]
NEW = "0e" * 32


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return made-up results of the tiny study, which tests leave as they are."""
    folder = tmp_path_factory.mktemp("made")
    return write_scale(folder, planned_study(folder / "config/studies", seeds=2))


@pytest.fixture
def both(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return the results before, and those of changed code: the same but for its digest."""
    before, after = (Path(shutil.copytree(made, tmp_path / name)) for name in ("before", "after"))
    for run in RUNS:
        change_record(after / "runs" / run, code_sha256=NEW)
    return before, after


def record(folder: Path, run: str = RUNS[0]) -> dict:
    return json.loads((folder / "runs" / run / "record.json").read_text())


def test_code_that_comes_to_the_same_bytes_is_noted_with_the_run_that_shows_it(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    table = tmp_path / "same-code.csv"
    assert note_same_code(*both, table) == 1
    [line] = read_same_code(table)
    earlier = record(both[0])
    assert line == {
        "code_sha256": NEW,
        "same_as": earlier["code_sha256"],
        "run_id": line["run_id"],
        "weights_sha256": record(both[0], line["run_id"])["weights_sha256"],
    }
    assert line["run_id"] in RUNS


def test_the_same_code_needs_no_line(both: tuple[Path, Path], tmp_path: Path) -> None:
    assert note_same_code(both[0], both[0], tmp_path / "same-code.csv") == 0


def test_a_later_change_takes_the_place_of_an_earlier_one(both: tuple[Path, Path], tmp_path: Path) -> None:
    table = tmp_path / "same-code.csv"
    note_same_code(*both, table)
    for run in RUNS:
        change_record(both[1] / "runs" / run, code_sha256="1f" * 32)
    note_same_code(*both, table)
    assert [line["code_sha256"] for line in read_same_code(table)] == ["1f" * 32]


def test_one_run_that_differs_is_enough_to_note_nothing(both: tuple[Path, Path], tmp_path: Path) -> None:
    change_record(both[1] / "runs" / RUNS[1], weights_sha256="ff" * 32)
    with pytest.raises(ResultsError, match=rf"\n{RUNS[1]}: has come to other bytes$"):
        note_same_code(*both, tmp_path / "same-code.csv")
    assert not (tmp_path / "same-code.csv").exists()


@pytest.mark.parametrize(
    ("key", "part", "what"),
    [
        ("settings_sha256", None, "settings"),
        ("dataset", "identity", "data"),
        ("machine", "processor", "versions or machine"),
        ("versions", "torch", "versions or machine"),
    ],
)
def test_runs_in_other_circumstances_show_nothing(
    both: tuple[Path, Path], tmp_path: Path, key: str, part: str | None, what: str
) -> None:
    value = record(both[1])[key]
    change_record(both[1] / "runs" / RUNS[0], **{key: value | {part: "other"} if part else "ff" * 32})
    with pytest.raises(ResultsError, match=f"{RUNS[0]}: has other {what}, so it shows nothing"):
        note_same_code(*both, tmp_path / "same-code.csv")


def test_folders_without_a_run_in_common_are_refused(both: tuple[Path, Path], tmp_path: Path) -> None:
    for run in RUNS[:2]:
        shutil.rmtree(both[0] / "runs" / run)
    for run in RUNS[2:]:
        shutil.rmtree(both[1] / "runs" / run)
    with pytest.raises(ResultsError, match="have no run in common"):
        note_same_code(*both, tmp_path / "same-code.csv")


def test_code_cannot_go_by_two_names(both: tuple[Path, Path], tmp_path: Path) -> None:
    change_record(both[0] / "runs" / RUNS[0], code_sha256="1f" * 32)
    with pytest.raises(ResultsError, match=f"the code {NEW[:12]} is the same as [23] of different names"):
        note_same_code(*both, tmp_path / "same-code.csv")
    assert not (tmp_path / "same-code.csv").exists()


def test_the_runs_to_execute_are_the_shortest_of_each_code(both: tuple[Path, Path]) -> None:
    change_record(both[0] / "runs" / RUNS[3], code_sha256=NEW)
    path = both[0] / "runs" / RUNS[1] / "timings.csv"
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0])
        writer.writeheader()
        writer.writerows(row | {"seconds_training": "0.001"} for row in rows)
    found = {path.parent for path in cheapest_runs(both[0])}
    assert found == {both[0] / "runs" / RUNS[1], both[0] / "runs" / RUNS[3]}


def test_the_command_does_both(
    both: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(same_code, "FILE", tmp_path / "same-code.csv")
    assert main(["same-code", str(both[0])]) == 0
    assert capsys.readouterr().out.splitlines() == [str(path) for path in cheapest_runs(both[0])]
    assert main(["same-code", *map(str, both)]) == 0
    assert capsys.readouterr().out == f"Written: {tmp_path / 'same-code.csv'} (1 new)\n"
    assert main(["same-code", str(tmp_path)]) == 1
    assert "holds no finished run" in capsys.readouterr().err
