"""Published results: refused unless audited, restored to the byte, and audited again without the images."""

import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from made_project import project_with_results
from project import STUDY, inside
from replication.audit import layout
from replication.audit.auditor import run_audit
from replication.audit.datasets import LABELS
from replication.audit.layout import files_below
from replication.errors import ResultsError
from replication.publication import _reduced, publish, restore
from replication.runs.folder import CLASSES, PREDICTIONS, RECORD
from replication.runs.record import read_record
from replication.training.predictions import read_classes, read_predictions, write_predictions

pytestmark = pytest.mark.slow

RESULTS, PUBLISHED = Path("results/demo"), Path("published")
ARCHIVE = PUBLISHED / f"demo/{STUDY}.tar.xz"


def audit(**config: object) -> tuple[bool, str]:
    screen = io.StringIO()
    return run_audit(config, screen, io.StringIO()), screen.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    return {path: (folder / path).read_bytes() for path in files_below(folder)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a project whose results are audited."""
    with project_with_results(tmp_path_factory.mktemp("made") / "project") as folder:
        with inside(folder):
            assert audit()[0]
        yield folder


@pytest.fixture(autouse=True)
def _project(made: Path, tmp_path: Path) -> Iterator[None]:
    with inside(Path(shutil.copytree(made, tmp_path / "project"))):
        yield


def test_what_is_restored_is_what_was_published_but_for_predictions() -> None:
    before = contents(RESULTS)
    assert publish(RESULTS) == PUBLISHED / "demo"
    shutil.rmtree(RESULTS)
    restore(PUBLISHED / "demo", RESULTS)
    after = contents(RESULTS)
    predictions = {path for path in before if path.endswith(PREDICTIONS)}
    assert after.keys() == before.keys() - predictions | {
        path.removesuffix(PREDICTIONS) + CLASSES for path in predictions
    }
    assert all(after[path] == before[path] for path in before.keys() - predictions)


def test_of_the_predictions_the_classes_of_the_last_and_the_best_epoch_are_kept() -> None:
    [run, *_] = sorted((RESULTS / "runs").rglob(RECORD))
    record, log = read_record(run), read_predictions(run.with_name(PREDICTIONS))
    publish(RESULTS)
    shutil.rmtree(RESULTS)
    restore(PUBLISHED / "demo", RESULTS)
    kept = read_classes(run.with_name(CLASSES))
    assert kept.keys() == {"validation", "test"}
    for split, found in kept.items():
        assert found.keys() == {record.epochs, record.best_epoch} & log.by_split[split].keys()
        assert all(np.array_equal(log.by_split[split][epoch].classes, found[epoch]) for epoch in found)


def test_predictions_of_which_ensembles_are_made_are_kept_whole() -> None:
    path = next((RESULTS / "runs").rglob(PREDICTIONS))
    log = read_predictions(path)
    epoch = max(log.by_split["test"])
    images = len(log.by_split["test"][epoch].classes)
    snapshot = replace(log.by_split["test"][epoch], probabilities=np.ones((images, 4), np.float32))
    log.by_split["test"][epoch] = snapshot
    log.test_labels = snapshot.classes
    write_predictions(log, path)
    relative = path.relative_to(RESULTS).as_posix()
    assert _reduced(RESULTS, relative, Path("reduced")) == (relative, path)


def test_a_study_is_one_archive_with_nothing_of_this_machine() -> None:
    publish(RESULTS)
    assert {path.name for path in (PUBLISHED / "demo").glob("*.xz")} == {ARCHIVE.name, "tables.tar.xz"}
    with tarfile.open(ARCHIVE) as packed:
        entries = packed.getmembers()
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname) for entry in entries} == {(0, 0, 0, "")}
    of_study = [path for path in files_below(RESULTS) if f"/{STUDY}/" in path]
    assert {entry.name for entry in entries} == {path.replace(PREDICTIONS, CLASSES) for path in of_study}


def test_the_same_results_give_the_same_bytes() -> None:
    publish(RESULTS)
    first = contents(PUBLISHED)
    publish(RESULTS)
    assert contents(PUBLISHED) == first


def test_it_is_audited_again_without_the_images() -> None:
    publish(RESULTS)
    shutil.rmtree(RESULTS)
    shutil.rmtree("resources")
    restore(PUBLISHED / "demo", RESULTS)
    passed, said = audit()
    assert passed, said
    notes = json.loads((RESULTS / layout.AUDIT).read_text())["notes"]
    assert [note["problem"].partition(":")[0] for note in notes if "digits" in note["file"]] == ["not here"]
    assert any(note["problem"].startswith("4 runs as published: ") for note in notes)


def test_a_label_that_was_changed_is_noticed() -> None:
    publish(RESULTS)
    shutil.rmtree("resources")
    shutil.rmtree(RESULTS)
    restore(PUBLISHED / "demo", RESULTS)
    path = LABELS / "digits.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")  # the high byte of the last test image's class
    passed, said = audit()
    assert not passed
    assert "classes.safetensors: epoch" in said


def test_the_configuration_is_that_of_the_audit() -> None:
    publish(RESULTS)
    assert yaml.safe_load((PUBLISHED / "demo/config.yaml").read_text()) == {}
    assert audit(recheck_runs=5, timeout_seconds=1.0, only=[STUDY])[0]
    publish(RESULTS)
    assert yaml.safe_load((PUBLISHED / "demo/config.yaml").read_text()) == {"only": [STUDY]}


def test_the_cost_is_what_the_runs_have_measured() -> None:
    publish(RESULTS)
    cost = json.loads((PUBLISHED / "demo/cost.json").read_text())
    assert cost["runs"] == len(list((RESULTS / "runs").rglob("record.json")))
    timings = [path.read_text().splitlines() for path in (RESULTS / "runs").rglob("timings.csv")]
    columns = [place for place, name in enumerate(timings[0][0].split(",")) if name.startswith("seconds")]
    seconds = sum(
        float(line.split(",")[place]) for lines in timings for line in lines[1:] for place in columns
    )
    assert cost["core_hours"] == pytest.approx(seconds / 3600)
    assert cost["core_hours_by_study"] == {STUDY: pytest.approx(seconds / 3600)}


def test_the_last_forecast_goes_along_and_is_no_result() -> None:
    forecast = Path("results/demo.forecast.csv")
    forecast.write_text("study,arm,hours\n")
    publish(RESULTS)
    assert (PUBLISHED / "demo/forecast.csv").read_text() == forecast.read_text()
    shutil.rmtree(RESULTS)
    restore(PUBLISHED / "demo", RESULTS)
    assert not (RESULTS / "forecast.csv").exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: shutil.rmtree(RESULTS), "there are no results"),
        (lambda: (RESULTS / layout.AUDIT).unlink(), "audit.json"),
        (lambda: (RESULTS / "claims.csv").write_text("changed"), "claims.csv: missing, or changed since"),
        (lambda: (RESULTS / layout.SUMS).write_text(""), "SHA256SUMS: missing, or changed since"),
        (
            lambda: next((RESULTS / "runs").rglob("history.csv")).unlink(),
            "history.csv: missing, or changed since",
        ),
    ],
)
def test_what_is_not_audited_is_refused(spoil, message) -> None:
    spoil()
    with pytest.raises(ResultsError, match=message):
        publish(RESULTS)
    assert not PUBLISHED.exists()


def test_what_is_too_large_is_refused_and_leaves_what_was_published() -> None:
    publish(RESULTS)
    before = contents(PUBLISHED)
    with pytest.raises(ResultsError, match="more than the 0 MB that a repository should hold"):
        publish(RESULTS, largest=1000)
    assert contents(PUBLISHED) == before


def test_results_that_are_there_are_not_replaced() -> None:
    publish(RESULTS)
    with pytest.raises(ResultsError, match="is there already; move it away"):
        restore(PUBLISHED / "demo", RESULTS)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda: ARCHIVE.write_bytes(ARCHIVE.read_bytes()[:1000]), f"{STUDY}.tar.xz: damaged"),
        (lambda: ARCHIVE.unlink(), "is missing or changed"),
        (lambda: (PUBLISHED / "demo/claims.csv").write_text("changed"), "claims.csv is missing or changed"),
        (lambda: (PUBLISHED / "demo/SHA256SUMS").unlink(), "holds no published results"),
    ],
)
def test_what_is_damaged_is_not_restored(spoil, message) -> None:
    publish(RESULTS)
    shutil.rmtree(RESULTS)
    spoil()
    with pytest.raises(ResultsError, match=message):
        restore(PUBLISHED / "demo", RESULTS)
    assert not RESULTS.exists()


@pytest.mark.parametrize("name", ["../outside", "/outside", "runs/../../outside"])
def test_nothing_is_written_outside(name: str) -> None:
    publish(RESULTS)
    shutil.rmtree(RESULTS)
    with tarfile.open(ARCHIVE, "w:xz") as packed:
        packed.addfile(tarfile.TarInfo(name))
    with pytest.raises(ResultsError, match=r"holds .*outside, which is no file of results"):
        restore(PUBLISHED / "demo", RESULTS)
    assert not list(Path().rglob("outside"))


def test_nothing_but_files_is_taken_out() -> None:
    publish(RESULTS)
    shutil.rmtree(RESULTS)
    link = tarfile.TarInfo("runs/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/"
    with tarfile.open(ARCHIVE, "w:xz") as packed:
        packed.addfile(link)
    with pytest.raises(ResultsError, match="holds runs/link"):
        restore(PUBLISHED / "demo", RESULTS)
