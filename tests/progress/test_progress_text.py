"""How far the runs are, as a terminal shows it."""

import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from replication.__main__ import main
from replication.progress.survey import Survey, survey
from replication.progress.text import SHOWN, duration, progress_text
from replication.progress.watch import CLEAR, watch
from replication.runs.plan import PlannedStudy
from tabulated import NAME, planned_study, write_study

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def planned(tmp_path: Path) -> PlannedStudy:
    """Return the small study: three arms of three seeds."""
    return planned_study(tmp_path)


@pytest.fixture
def look(tmp_path: Path, planned: PlannedStudy) -> Callable[[], Survey]:
    """Return a function that looks at the runs of the small study."""
    return lambda: survey({NAME: planned}, "paper", tmp_path)


def shown(found: Survey, *, every_arm: bool = False) -> str:
    return progress_text(found, NOW, every_arm=every_arm)


def finish(project: Path, run_id: str, seconds: int, accuracy: float = 0.9) -> None:
    folder = project / "results/paper/runs" / run_id
    folder.mkdir(parents=True)
    sessions = [{"started": "2026-01-01T00:00:00+00:00", "ended": f"2026-01-01T00:00:{seconds:02}+00:00"}]
    (folder / "record.json").write_text(json.dumps({"sessions": sessions}))
    (folder / "history.csv").write_text(f"epoch,validation_accuracy\n1,0.1\n2,{accuracy}\n")


def begin(project: Path, run_id: str) -> None:
    folder = project / "results/paper/runs" / run_id
    folder.mkdir(parents=True)
    (folder / ".lock").write_text("process 7 on elsewhere (since 2026-01-01T00:00:00+00:00)")


def write_forecast(project: Path, **seconds: float) -> None:
    rows = [f"{NAME},{arm},{value}" for arm, value in seconds.items()]
    path = project / "results/paper.forecast.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["study,arm,seconds", *rows]))


def test_nothing_has_run_and_nothing_is_known(look: Callable[[], Survey]) -> None:
    text = shown(look())
    assert "paper: 0 of 9 runs finished; 0 running, 0 failed, 0 stopped, 9 waiting" in text
    assert "Time left: not known before a run has finished" in text
    assert "Not known: how long 9 of the runs will take" in text


def test_a_forecast_tells_the_time_before_anything_has_run(
    tmp_path: Path, look: Callable[[], Survey]
) -> None:
    write_forecast(tmp_path, a=60, b=60, c=120)
    text = shown(look())
    assert "Time left: about 12 min of runs, one at a time; none is running" in text
    assert "Not known" not in text


def test_what_has_finished_corrects_the_forecast(tmp_path: Path, look: Callable[[], Survey]) -> None:
    write_forecast(tmp_path, a=10, b=10, c=10)
    finish(tmp_path, f"{NAME}/a/seed-1", 30)
    found = look()
    assert found.time_left(found.runs).seconds == 8 * 30
    assert "the forecast times 3.00" in shown(found)


def test_runs_side_by_side_end_earlier(tmp_path: Path, look: Callable[[], Survey]) -> None:
    write_forecast(tmp_path, a=600, b=600, c=600)
    for seed in (1, 2, 3):
        begin(tmp_path, f"{NAME}/a/seed-{seed}")
    assert "Time left: about 30 min with 3 at a time, as now: until 03:34" in shown(look())


def test_an_arm_of_which_nothing_is_known_makes_it_a_lower_bound(
    tmp_path: Path, look: Callable[[], Survey]
) -> None:
    finish(tmp_path, f"{NAME}/a/seed-1", 30)
    begin(tmp_path, f"{NAME}/a/seed-2")
    text = shown(look())
    assert "Time left: at least 1 min with 1 at a time, as now: until 03:05 at the earliest" in text
    assert "Not known: how long 6 of the runs will take" in text


def test_runs_under_way_and_failed_ones_stand_below_their_study(
    tmp_path: Path, look: Callable[[], Survey]
) -> None:
    begin(tmp_path, f"{NAME}/a/seed-1")
    log = tmp_path / f"logs/paper/train/{NAME}/b/seed-2.log"
    log.parent.mkdir(parents=True)
    log.write_text("RunError: no memory\n")
    lines = shown(look()).splitlines()
    assert any(re.match(r"small +1 +1 +9 ", line) for line in lines)
    assert (
        "    running: a/seed-1: no epoch of 4 saved yet, time left not known, process 7 on elsewhere" in lines
    )
    assert f"    failed: b/seed-2: {log}: RunError: no memory" in lines


def test_every_arm_on_demand_with_its_accuracy(tmp_path: Path, look: Callable[[], Survey]) -> None:
    finish(tmp_path, f"{NAME}/a/seed-1", 30, 0.9)
    finish(tmp_path, f"{NAME}/a/seed-2", 30, 0.8)
    found = look()
    assert "  a  " not in shown(found)
    line = next(line for line in shown(found, every_arm=True).splitlines() if line.startswith("  a "))
    assert re.match(r"  a +2 +3 +30 s  accuracy 85.00%", line)


def test_of_many_runs_under_way_the_first_are_shown(tmp_path: Path) -> None:
    planned = planned_study(tmp_path, seeds=100)
    for run_id in planned.run_ids:
        begin(tmp_path, run_id)
    found = survey({NAME: planned}, "paper", tmp_path)
    assert f"and {300 - SHOWN} more running: `--all` lists them" in shown(found)
    assert shown(found).count("    running: ") == SHOWN
    assert shown(found, every_arm=True).count("    running: ") == 300


def test_runs_beside_the_plan_are_mentioned(tmp_path: Path, look: Callable[[], Survey]) -> None:
    finish(tmp_path, f"{NAME}/a/seed-9", 30)
    assert "1 run beside the plan" in shown(look())


@pytest.mark.parametrize("damaged", ["", "{}", '{"sessions": 3}', '{"sessions": [{"started": "soon"}]}'])
def test_a_record_that_cannot_be_read_tells_no_time(
    tmp_path: Path, look: Callable[[], Survey], damaged: str
) -> None:
    finish(tmp_path, f"{NAME}/a/seed-1", 30)
    (tmp_path / f"results/paper/runs/{NAME}/a/seed-1/record.json").write_text(damaged)
    (tmp_path / f"results/paper/runs/{NAME}/a/seed-1/history.csv").write_text("epoch\n")
    (tmp_path / "results/paper.forecast.csv").write_text("study\nsmall\n")
    assert "Time left: not known" in shown(look(), every_arm=True)


def test_when_all_is_finished_nothing_is_left(
    tmp_path: Path, look: Callable[[], Survey], planned: PlannedStudy
) -> None:
    for run_id in planned.run_ids:
        finish(tmp_path, run_id, 30)
    found = look()
    assert found.all_finished
    assert "Nothing is left to train." in shown(found)


def test_looking_changes_nothing(tmp_path: Path, look: Callable[[], Survey]) -> None:
    finish(tmp_path, f"{NAME}/a/seed-1", 30)
    begin(tmp_path, f"{NAME}/a/seed-2")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    shown(look(), every_arm=True)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("seconds", "words"), [(40, "40 s"), (750, "12 min"), (5400, "1.5 h"), (259200, "3.0 d")]
)
def test_durations_are_in_units_that_suit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_watching_ends_when_all_is_finished(stream: io.StringIO) -> None:
    looks = iter([("one", False), ("two", False), ("three", True)])
    waits: list[float] = []
    assert watch(lambda: next(looks), 2.0, stream, waits.append) == "three"
    assert waits == [2.0, 2.0]
    assert stream.getvalue().count(CLEAR) == (3 if stream.isatty() else 0)
    assert "one" in stream.getvalue()


def test_ctrl_c_ends_watching() -> None:
    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    assert watch(lambda: ("one", False), 2.0, io.StringIO(), interrupted) == ""


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config/studies").mkdir(parents=True)
    write_study(tmp_path / "config/studies")
    (tmp_path / "config/config.yaml").write_text("scale: paper\n")
    assert main(["progress", "--config", "seeds=5", "only=small/a"]) == 0
    assert "paper: 0 of 5 runs finished" in capsys.readouterr().out
    assert main(["progress", "--scale", "demo"]) == 0
    assert "demo: 0 of 6 runs finished" in capsys.readouterr().out
    assert main(["progress", "--config", "seeds"]) == 1
    assert "write key=value" in capsys.readouterr().err
    assert main(["progress", "--config", "seeds=[1"]) == 1
    assert "not valid YAML" in capsys.readouterr().err
    for wrong in ("0", "soon", "inf"):
        with pytest.raises(SystemExit):
            main(["progress", "--watch", wrong])
