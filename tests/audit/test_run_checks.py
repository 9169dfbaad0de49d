"""The folder of one run: what is intact passes, and every contradiction is named."""

import csv
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from made_project import tiny_plan, write_project
from made_runs import (
    change_predictions,
    change_record,
    digests,
    made_dataset,
    make_run,
    write_made_dataset,
    write_rows,
)
from project import STUDY, inside
from replication.audit import expected
from replication.audit.datasets import check_datasets
from replication.audit.findings import Findings
from replication.audit.run_checks import CheckedRun, RunCheck, first_difference
from replication.schedules import build
from replication.settings.run import EarlyStopping, RunSettings
from replication.settings.schedule import Triangular
from replication.settings.sources import DataSources

DATASET = made_dataset("digits")
RUN = "tiny/cosine/seed-1"
FOLDER = Path("runs")


@pytest.fixture(autouse=True)
def _project(tmp_path: Path) -> Iterator[None]:
    write_project(tmp_path)
    with inside(tmp_path):
        write_made_dataset(DATASET, Path("resources/datasets"))
        yield


def make(run_id: str = RUN, **changes: Any) -> Path:
    return make_run(FOLDER, tiny_plan(), run_id, DATASET, **changes)


def check(run_id: str = RUN, settings: RunSettings | None = None) -> tuple[CheckedRun, list[str]]:
    """Check a run against the plan, its settings changed if others are given."""
    planned = tiny_plan()
    if settings is not None:
        planned.arms[run_id.split("/")[1]] = settings
    findings = Findings()
    labels = check_datasets(["digits"], DataSources(), findings)
    assert findings.failures == []
    run = RunCheck(run_id, FOLDER / run_id, findings).check(planned, labels)
    return run, [str(failure) for failure in findings.failures]


def settings_with(**changes: Any) -> RunSettings:
    plain = tiny_plan().arms["cosine"].model_dump(mode="json")
    return RunSettings.model_validate(plain | changes)


@pytest.mark.parametrize("run_id", [RUN, "tiny/probing/seed-2"])
def test_an_intact_run_passes(run_id: str) -> None:
    make(run_id)
    run, failures = check(run_id)
    assert failures == []
    assert run.intact
    assert run.record is not None


def test_a_missing_run_is_named() -> None:
    run, failures = check()
    assert not run.intact
    assert failures == [f"{FOLDER / RUN}/record.json: missing; run `snakemake --cores all`"]


def test_an_unfinished_run_is_called_so() -> None:
    place = make()
    (place / "record.json").rename(place / ".checkpoint-0")
    assert "the run is unfinished" in check()[1][0]


@pytest.mark.parametrize("name", ["history.csv", "timings.csv", "predictions.safetensors"])
def test_a_changed_or_missing_file_is_named(name: str) -> None:
    place = make()
    (place / name).write_bytes((place / name).read_bytes() + b"\n")
    run, failures = check()
    assert not run.intact
    assert len(failures) == 1
    assert f"{name}: changed: its SHA-256 is " in failures[0]
    (place / name).unlink()
    assert [failure.split("; ")[0] for failure in check()[1]] == [f"{place / name}: missing"]


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text.replace('"epochs": 2,\n  "files"', '"epochs": 3,\n  "files"'), "its `sha256`"),
        (lambda text: text.replace("\n  ", "\n ", 1), "laid out in another way"),
        (lambda text: text[:50], "damaged"),
        (lambda _: "", "damaged"),
        (lambda _: "[]", "damaged"),
    ],
)
def test_a_damaged_record_is_named(damage: Callable[[str], str], words: str) -> None:
    path = make() / "record.json"
    text = path.read_text()
    assert damage(text) != text
    path.write_text(damage(text))
    run, failures = check()
    assert run.record is None
    assert len(failures) == 1
    assert words in failures[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"run_id": "tiny/cosine/seed-9"}, "is the record of tiny/cosine/seed-9"),
        ({"seed": 2}, "its seed is 2"),
        (
            {"outcome": "stopped early"},
            "says stopped early after 2 epochs; history.csv gives completed after 2",
        ),
        ({"best_epoch": None}, "epoch – is the best"),
        ({"best_epoch": 9}, "epoch 9 comes after its last"),
        ({"epochs": 3}, "one row for each of 3 epochs"),
        ({"files": {}}, "lists the files , not history.csv, predictions.safetensors, timings.csv"),
        ({"extra": 1}, "`extra` is not a key"),
        ({"seed": "one"}, "seed"),
        ({"settings_sha256": "0"}, "its settings_sha256 is not that of its settings"),
        ({"started": "2000"}, "its start and end are not those of its sessions"),
        ({"dataset": {"name": "mnist", "identity": "0", "classes": 4}}, "its data set is mnist"),
    ],
)
def test_a_contradiction_in_a_resealed_record_is_named(changes: dict[str, Any], words: str) -> None:
    change_record(make(), **changes)
    run, failures = check()
    assert not run.intact
    assert any(words in failure for failure in failures), failures


def sessions(*rows: tuple[int, int, str]) -> dict[str, Any]:
    time = "2026-01-01T00:00:00+00:00"
    return {
        "sessions": [
            {"started": time, "ended": time, "first_step": first, "last_step": last, "end": end}
            for first, last, end in rows
        ]
    }


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(0, 5, "SIGTERM"), (5, 10, "completed")], None),
        ([(0, 5, "cut off"), (3, 10, "completed")], None),
        ([(0, 5, "SIGTERM"), (6, 10, "completed")], "leave steps out"),
        ([(1, 10, "completed")], "leave steps out"),
        ([(0, 10, "SIGINT")], "has ended with SIGINT"),
        ([(0, 9, "completed")], "after step 9, history.csv after 10"),
    ],
)
def test_sessions_lead_from_the_first_step_to_the_last(
    rows: list[tuple[int, int, str]], words: str | None
) -> None:
    place = make()
    change_record(place, **sessions(*rows))
    failures = check()[1]
    assert (failures == []) if words is None else any(words in failure for failure in failures), failures


def test_outdated_settings_are_named_and_leave_the_run_intact() -> None:
    make(settings=settings_with(batch_size=16))
    run, failures = check()
    assert run.intact
    assert len(failures) == 1
    assert "outdated" in failures[0]
    assert "config/studies/tiny.yaml (batch_size: 16 for 32)" in failures[0]


def test_a_run_of_an_edited_function_is_outdated_and_its_curve_no_longer_asked_for() -> None:
    study, own = Path(f"config/studies/{STUDY}.yaml"), Path("own.py")
    schedule = "{name: function, file: own.py, function: own}"
    study.write_text(study.read_text().replace("schedule: {name: cosine}", f"schedule: {schedule}"))
    own.write_text("def own(progress):\n    return 1.0 - progress / 2\n")
    place = make()
    assert check()[1] == []
    own.write_text("def own(progress):\n    return 1.0\n")
    run, failures = check()
    assert run.intact
    assert len(failures) == 1
    assert "outdated: was run with other settings" in failures[0]
    assert "(schedule.content_sha256: " in failures[0]
    own.write_text("def own(progress):\n    return 1.0 - progress / 2\n")
    rows = expected.read_rows(place / "history.csv")
    rows[-1]["learning_rate"] = 0.5
    write_rows(place / "history.csv", rows)
    change_record(place, files=digests(place))
    assert any("learning_rate is 0.5, its schedule gives" in failure for failure in check()[1])


def test_outdated_code_is_named_and_leaves_the_run_intact() -> None:
    change_record(make(), code_sha256="0" * 64)
    run, failures = check()
    assert run.intact
    assert len(failures) == 1
    assert "outdated: was run by other code (000000000000)" in failures[0]


def test_other_data_are_named_and_leave_the_run_intact() -> None:
    make()
    write_made_dataset(made_dataset("digits", train_count=300), Path("resources/datasets"))
    run, failures = check()
    assert run.intact
    assert len(failures) == 1
    assert "outdated: was run on other data" in failures[0]


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("part", ["classes", "losses"])
def test_an_edited_prediction_is_betrayed_by_its_metric(split: str, part: str) -> None:
    place = make()
    change_predictions(place, split, part, DATASET)
    failures = check()[1]
    name = "accuracy" if part == "classes" else "loss"
    assert any(f"gives a {split}_{name} of " in failure for failure in failures), failures


def edit_history(
    place: Path, change: Callable[[list[dict[str, Any]]], object], name: str = "history.csv"
) -> None:
    rows: list[dict[str, Any]] = [dict(row) for row in expected.read_rows(place / name)]
    change(rows)
    write_rows(place / name, rows)
    change_record(place)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("learning_rate", 0.5, "step 9: learning_rate is 0.5, its schedule gives"),
        ("momentum", 0.5, "momentum is 0.5, its schedule gives 0.9"),
        ("steps", 11, "11 steps, not 10"),
        ("epoch", 3, "one row for each of 2 epochs"),
        ("train_accuracy", 0.123456, "is no share of 160 images"),
        ("validation_loss", 9.0, "history.csv has 9.0"),
        ("test_accuracy", math.nan, "history.csv has nan"),
        ("train_loss", math.nan, "history.csv gives diverged after 2"),
    ],
)
def test_an_edited_value_of_the_history_is_named(column: str, value: float, words: str) -> None:
    place = make()
    edit_history(place, lambda rows: rows[-1].update({column: value}))
    failures = check()[1]
    assert any(words in failure for failure in failures), failures


def test_columns_rows_and_words_of_a_history_are_checked() -> None:
    place = make()
    edit_history(place, lambda rows: [row.pop("momentum") for row in rows])
    assert "should have rows with the columns" in check()[1][0]
    make()
    edit_history(place, lambda rows: rows.pop())
    assert "one row for each of 2 epochs" in check()[1][0]
    make()
    (place / "history.csv").write_text("epoch\nmany\n")
    change_record(place)
    assert "is not a table of numbers" in check()[1][0]


def test_a_negative_time_is_named() -> None:
    place = make()
    edit_history(place, lambda rows: rows[0].update(seconds_training=-1.0), "timings.csv")
    assert "is not a number of seconds" in check()[1][0]


def test_predictions_of_another_epoch_are_named() -> None:
    place = make()
    other = make("tiny/cosine/seed-2", epochs=1)
    (place / "predictions.safetensors").write_bytes((other / "predictions.safetensors").read_bytes())
    change_record(place)
    assert "holds validation predictions of epochs [1], not [1, 2]" in check()[1][0]


def test_predictions_that_are_none_are_named() -> None:
    place = make()
    (place / "predictions.safetensors").write_bytes(b"nothing")
    change_record(place)
    assert "predictions.safetensors: missing or damaged" in check()[1][0]


def test_predictions_of_fewer_images_are_named() -> None:
    place = make()
    make(settings=settings_with(data=settings_with().data.model_dump() | {"test_images": 40}))
    content = (place / "predictions.safetensors").read_bytes()
    make()
    (place / "predictions.safetensors").write_bytes(content)
    change_record(place)
    assert any("holds no test predictions of 50 images" in failure for failure in check()[1])


def test_every_step_is_replayed_where_it_is_recorded() -> None:
    settings = settings_with(record_every_step=True, schedule={"name": "one_cycle"})
    place = make(settings=settings)
    assert check(settings=settings)[1] == []
    edit_history(place, lambda rows: rows[3].update(learning_rate=1.0), "steps.csv")
    assert "steps.csv: step 3: learning_rate is 1.0" in check(settings=settings)[1][0]
    edit_history(place, lambda rows: rows.pop(), "steps.csv")
    assert "one row for each of 10 steps" in check(settings=settings)[1][0]


def test_losses_of_steps_give_those_of_epochs() -> None:
    settings = settings_with(record_every_step=True)
    place = make(settings=settings)
    edit_history(place, lambda rows: rows[7].update(train_loss=rows[7]["train_loss"] * 1.001), "steps.csv")
    (failure,) = check(settings=settings)[1]
    assert "steps.csv: epoch 2: gives a train_loss of" in failure
    make(settings=settings)
    edit_history(place, lambda rows: [row.pop("train_loss") for row in rows], "steps.csv")
    assert "steps.csv: epoch 1: gives a train_loss of –" in check(settings=settings)[1][0]


RANGE_TESTED = {
    "name": "range_tested",
    "half_cycle_epochs": 0.7,
    "test_epochs": 1,
    "test_minimum_rate": 0.01,
    "test_maximum_rate": 0.1,
}
FOUND = {"range_test_steps": 5, "suggested_minimum_rate": 0.02, "suggested_maximum_rate": 0.08}


def test_cycles_between_rates_that_a_test_has_found_are_replayed() -> None:
    settings = settings_with(schedule=RANGE_TESTED)
    place = make(settings=settings)
    cycles = Triangular(name="triangular", half_cycle_epochs=0.7, minimum=0.25)

    def cycle(rows: list[dict[str, Any]]) -> None:
        plan = build(cycles, int(rows[0]["steps"]), settings.epochs)
        for row in rows:
            row["learning_rate"] = 0.08 * plan.learning_rate(int(row["steps"]) - 1)

    edit_history(place, cycle)
    change_record(place, costs=FOUND)
    assert check(settings=settings)[1] == []
    change_record(place, costs=FOUND | {"suggested_maximum_rate": 0.09})
    assert "learning_rate is" in check(settings=settings)[1][0]


@pytest.mark.parametrize("changes", [{"suggested_maximum_rate": 0.01}, {"suggested_minimum_rate": 0.0}])
def test_a_range_test_without_a_range_is_named(changes: dict[str, float]) -> None:
    settings = settings_with(schedule=RANGE_TESTED)
    change_record(make(settings=settings), costs=FOUND | changes)
    assert "its costs hold no range of rates" in check(settings=settings)[1][0]
    change_record(FOLDER / RUN, costs={})
    assert "its costs hold no range of rates" in check(settings=settings)[1][0]


@pytest.mark.parametrize("evaluate", ["every_epoch", "end"])
@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine", "rex", "one_cycle"])
def test_every_pure_schedule_passes(evaluate: str, schedule: str) -> None:
    settings = settings_with(evaluate_test=evaluate, schedule={"name": schedule}, epochs=5)
    make(settings=settings)
    assert check(settings=settings)[1] == []


STOPPING = {"monitor": "validation_loss", "patience": 1}
CYCLES = {"name": "triangular", "half_cycle_epochs": 1.0, "minimum": 0.1}


def rows_of(*losses: float, train: float = 1.0, test: float = 1.0) -> list[expected.Row]:
    return [
        {"epoch": n, "steps": 10 * n, "train_loss": train, "validation_loss": loss, "test_loss": test}
        for n, loss in enumerate(losses, start=1)
    ]


def ending(
    settings: RunSettings, rows: list[expected.Row], *, finite_weights: bool = True
) -> tuple[str, int]:
    return expected.ending(settings, rows, finite_weights=finite_weights)


def test_endings_are_replayed() -> None:
    settings = settings_with(early_stopping=STOPPING, epochs=4)
    assert isinstance(settings.early_stopping, EarlyStopping)
    assert ending(settings, rows_of(3, 2, 2.5, 1)) == ("stopped early", 3)
    assert ending(settings, rows_of(4, 3, 2, 1)) == ("completed", 4)
    assert ending(settings, rows_of(4, 3, train=math.nan)) == ("diverged", 1)


@pytest.mark.parametrize("evaluate", ["every_epoch", "end"])
def test_a_run_whose_numbers_are_not_finite_has_diverged(evaluate: str) -> None:
    settings = settings_with(evaluate_test=evaluate, epochs=2)
    assert ending(settings, rows_of(4, 3)) == ("completed", 2)
    assert ending(settings, rows_of(4, math.nan)) == ("diverged", 2)
    assert ending(settings, rows_of(math.nan, 3)) == ("diverged", 1)
    assert ending(settings, rows_of(4, 3), finite_weights=False) == ("diverged", 2)
    last, best = rows_of(4, 3), rows_of(3, 4)
    last[1]["test_loss"] = best[0]["test_loss"] = math.nan
    assert ending(settings, last) == ("diverged", 2)
    assert ending(settings, best) == ("diverged", 1 if evaluate == "every_epoch" else 2)


def test_a_record_that_hides_a_divergence_is_found() -> None:
    place = make()
    change_record(place, finite_weights=False)
    assert [failure for failure in check()[1] if "says completed after" in failure]


@pytest.mark.parametrize("steps", ["", "0", "-3", "inf", "0.5"])
def test_impossible_numbers_of_steps_are_said(steps: str) -> None:
    settings = settings_with(early_stopping=STOPPING | {"judged": "cycle_ends"}, epochs=4, schedule=CYCLES)
    place = make(settings=settings)
    with (place / "history.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    rows[0]["steps"] = steps
    write_rows(place / "history.csv", rows)
    change_record(place)
    assert check(settings=settings)[1]


def test_endings_at_the_ends_of_cycles_are_replayed() -> None:
    settings = settings_with(early_stopping=STOPPING | {"judged": "cycle_ends"}, epochs=6, schedule=CYCLES)
    assert ending(settings, rows_of(3, 2, 4, 2.5, 4, 1)) == ("stopped early", 4)
    assert ending(settings, rows_of(3, 2, 4, 1, 4, 0.5)) == ("completed", 6)


def test_a_run_with_a_share_of_the_budget_passes() -> None:
    settings = settings_with(epochs=8, budget_percent=50.0, schedule={"name": "linear"})
    assert ending(settings, rows_of(4, 3, 2, 1)) == ("completed", 4)
    place = make(settings=settings)
    assert check(settings=settings)[1] == []
    assert (place / "history.csv").read_text().count("\n") == 1 + 4


def test_a_run_that_should_have_stopped_is_named() -> None:
    stopping = STOPPING | {"minimum_delta": 100.0}
    settings = settings_with(early_stopping=stopping, epochs=5)
    make(settings=settings)
    assert "history.csv gives stopped early after 2" in check(settings=settings)[1][0]
    make(settings=settings, epochs=2, outcome="stopped early")
    assert check(settings=settings)[1] == []


def test_the_best_epoch_is_the_first_of_the_lowest_finite_loss() -> None:
    assert expected.best_epoch(rows_of(3, 1, 1, math.nan)) == 2
    assert expected.best_epoch(rows_of(math.nan)) is None


def test_only_finite_numbers_are_written() -> None:
    assert expected.same_number(0.1, 0.1)
    assert not expected.same_number(0.1, math.nextafter(0.1, 1))
    assert expected.same_number(math.nan, math.inf)
    assert not expected.same_number(1.0, math.nan)


def test_the_first_differing_key_is_named() -> None:
    assert first_difference({"a": {"b": 1}}, {"a": {"b": 2}}) == "a.b: 1 for 2"
    assert first_difference({"a": 1}, {"a": 1, "b": None}) == "b: – for –"


def test_a_damaged_data_set_leaves_its_runs_alone() -> None:
    make()
    findings = Findings()
    path = Path("resources/datasets/digits.safetensors")
    path.write_bytes(path.read_bytes()[:-1])
    run = RunCheck(RUN, FOLDER / RUN, findings).check(
        tiny_plan(), check_datasets(["digits"], DataSources(), findings)
    )
    assert run.intact
    assert [failure.file for failure in findings.failures] == [str(path)]


def test_labels_that_do_not_fit_the_settings_are_named() -> None:
    place = make()
    small = made_dataset("digits", train_count=100)
    write_made_dataset(small, Path("resources/datasets"))
    facts = json.loads((place / "record.json").read_text())["dataset"] | {"identity": small.identity}
    change_record(place, dataset=facts)
    assert "do not fit its data set of 100 training images" in check()[1][0]


def test_hashes_are_kept_for_the_list_of_all() -> None:
    place = make()
    run, _ = check()
    assert {path.name: digest for path, digest in run.digests.items()} == digests(place)
