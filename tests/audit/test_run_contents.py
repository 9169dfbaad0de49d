"""What the files of a run say: every contradiction between them, its settings and its data is named."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checked_runs import DATASET, FOLDER, RUN, check, make, settings_with
from made_runs import (
    change_predictions,
    change_record,
    write_rows,
)
from replication.audit import expected
from replication.schedules import build
from replication.settings.run import EarlyStopping, RunSettings
from replication.settings.schedule import Triangular

pytestmark = pytest.mark.usefixtures("project_without_runs")


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
