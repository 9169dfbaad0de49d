"""The folder of one run: an intact one passes, and what its record, settings, code and data say is compared."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from checked_runs import FOLDER, RUN, check, make, settings_with
from made_project import tiny_plan
from made_runs import change_record, digests, made_dataset, write_made_dataset, write_rows
from project import STUDY
from replication.audit import expected
from replication.audit.datasets import check_datasets
from replication.audit.findings import Findings
from replication.audit.run_checks import RunCheck, first_difference
from replication.settings.sources import DataSources

pytestmark = pytest.mark.usefixtures("project_without_runs")


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
