import csv
import hashlib
import json
import math
from datetime import datetime

import pytest
import torch

from replication.data.dataset import write_dataset
from replication.errors import ConfigurationError, DataError, RunError
from replication.runs.job import run, write_rows
from replication.training.session import train
from support import CPU, run_settings, schedule_of, tiny_dataset

RECORD_KEYS = {
    "run_id", "settings", "settings_sha256", "code_sha256", "git", "versions", "machine", "started", "ended",
    "finite_weights", "files", "dataset", "outcome", "epochs", "best_epoch", "weights_sha256", "costs", "seed", "study",
    "sessions", "determinism", "lock_sha256", "installed_sha256", "sha256",
}  # fmt: skip
PROBING = {"schedule": schedule_of("loss_probing")}
DIVERGING = {"optimizer": {"learning_rate": 1e30}}


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def settings_json(**changes):
    # Not in the form that pydantic would write it: what is hashed is this very text.
    return json.dumps(run_settings(**changes).model_dump(mode="json"), indent=1)


@pytest.fixture
def dataset_path(tmp_path):
    write_dataset(tiny_dataset(), tmp_path / "tiny.safetensors")
    return tmp_path / "tiny.safetensors"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs" / "study" / "arm" / "seed-7"


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def as_read(rows):
    """Give rows as the text of a CSV file should have them: Python's shortest exact form, or nothing."""
    return [{key: str(value) if math.isfinite(value) else "" for key, value in row.items()} for row in rows]


@pytest.mark.parametrize("changes", [{}, PROBING, DIVERGING], ids=["constant", "probing", "diverging"])
@pytest.mark.parametrize("steps", [False, True])
def test_a_run_writes_its_tables_and_its_record(changes, steps, dataset_path, folder):
    text = settings_json(**changes, record_every_step=steps)
    expected = train(run_settings(**changes, record_every_step=steps), tiny_dataset(), 7, CPU)
    run("study/arm/seed-7", text, dataset_path, folder, "cpu", code="abc")
    files = {"history.csv", "timings.csv", "predictions.safetensors", *(["steps.csv"] if steps else [])}
    assert names_in(folder) == files | {"record.json"}
    # Every float reads back as the very number that it was.
    assert rows_of(folder / "history.csv") == as_read(expected.history)
    if steps:
        assert rows_of(folder / "steps.csv") == as_read(expected.steps)
    times = rows_of(folder / "timings.csv")
    assert [row["epoch"] for row in times] == [row["epoch"] for row in rows_of(folder / "history.csv")]
    assert all(float(seconds) >= 0 for row in times for seconds in row.values())

    record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert set(record) == RECORD_KEYS
    assert record["run_id"] == "study/arm/seed-7"
    assert record["settings"] == json.loads(text)
    assert record["settings_sha256"] == sha256(text.encode())
    assert record["code_sha256"] == "abc"
    assert record["files"] == {name: sha256((folder / name).read_bytes()) for name in files}
    assert record["sha256"] == sha256(
        json.dumps({key: value for key, value in record.items() if key != "sha256"}, sort_keys=True).encode()
    )
    assert record["dataset"] == {"name": "tiny", "identity": tiny_dataset().identity, "classes": 3}
    assert record["outcome"] == expected.outcome == ("diverged" if changes is DIVERGING else "completed")
    assert record["epochs"] == len(expected.history)
    assert record["best_epoch"] == expected.best_epoch
    assert record["weights_sha256"] == expected.weights_digest
    assert record["costs"] == expected.costs
    assert record["versions"]["torch"] == torch.__version__.partition("+")[0]
    assert record["machine"]["device"] == "cpu"
    assert record["machine"]["threads"] == 1
    started, ended = (datetime.fromisoformat(record[key]) for key in ("started", "ended"))
    assert started <= ended
    assert started.utcoffset().total_seconds() == 0


def test_the_same_run_gives_the_same_history_and_another_seed_another(dataset_path, tmp_path):
    contents = []
    for place, seed in [("first", 1), ("again", 1), ("other", 12)]:
        folder = tmp_path / place
        run(f"study/arm-2/seed-{seed}", settings_json(), dataset_path, folder, "cpu")
        contents.append((folder / "history.csv").read_bytes())
    assert contents[0] == contents[1] != contents[2]


def test_steps_of_an_earlier_run_do_not_stay(dataset_path, folder):
    run("study/arm/seed-7", settings_json(record_every_step=True), dataset_path, folder, "cpu")
    assert "steps.csv" in names_in(folder)
    run("study/arm/seed-7", settings_json(), dataset_path, folder, "cpu")
    files = {"history.csv", "timings.csv", "predictions.safetensors"}
    assert names_in(folder) == files | {"record.json"}
    assert set(json.loads((folder / "record.json").read_text())["files"]) == files


def damaged(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("already", [False, True])
@pytest.mark.parametrize("fault", ["settings", "data", "device", "training", "memory"])
def test_nothing_is_written_when_a_run_fails(fault, already, dataset_path, folder, monkeypatch):
    if already:
        run("study/arm/seed-7", settings_json(record_every_step=True), dataset_path, folder, "cpu")
    before = {path.name: path.read_bytes() for path in folder.iterdir()} if already else None
    text, device, error = settings_json(), "cpu", DataError
    if fault == "settings":
        text = settings_json(data={"train_images": 1000})
    elif fault == "data":
        damaged(dataset_path)
    elif fault == "device":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        device, error = "cuda", ConfigurationError
    else:
        error = RunError if fault == "memory" else RuntimeError

        def broken(*_):
            raise RuntimeError("out of memory, say" if fault == "memory" else "a bug, say")

        monkeypatch.setattr("replication.training.trainer.Trainer.evaluate", broken)
    with pytest.raises(error):
        run("study/arm/seed-7", text, dataset_path, folder, device)
    if already:
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    else:
        assert not folder.exists() or not names_in(folder)


def test_progress_goes_to_the_log(dataset_path, folder, tmp_path):
    with (tmp_path / "log").open("w", encoding="utf-8") as log:
        run("study/arm/seed-7", settings_json(), dataset_path, folder, "cpu", log=log)
    assert "9/9" in (tmp_path / "log").read_text(encoding="utf-8")


def test_cells_keep_full_precision_and_what_is_no_number_is_empty(tmp_path):
    numbers = [0.1 + 0.2, 1e-300, 1 / 3, 123456789.123456789, 5e-324, -0.0]
    rows = [{"number": number, "whole": 3, "none": math.nan, "huge": math.inf} for number in numbers]
    write_rows(tmp_path / "new folder" / "rows.csv", rows)
    read = rows_of(tmp_path / "new folder" / "rows.csv")
    assert [float(row["number"]).hex() for row in read] == [number.hex() for number in numbers]
    assert {(row["whole"], row["none"], row["huge"]) for row in read} == {("3", "", "")}


def test_a_record_never_stands_beside_files_of_another_run(dataset_path, folder, monkeypatch):
    run("study/arm/seed-7", settings_json(), dataset_path, folder, "cpu")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("replication.runs.job.write_predictions", full)
    with pytest.raises(OSError, match="No space"):
        run("study/arm/seed-7", settings_json(epochs=2), dataset_path, folder, "cpu")
    assert len(rows_of(folder / "history.csv")) == 2
    assert not (folder / "record.json").exists()


def hidden_by(other):
    """Give an error that was raised while an error of memory was dealt with."""
    try:
        try:
            raise MemoryError
        finally:
            raise other
    except type(other) as error:
        return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), "MemoryError"),
        (MemoryError("Unable to allocate 5 GiB\nand more"), "Unable to allocate 5 GiB"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            "DefaultCPUAllocator: can't allocate memory",
        ),
        (torch.OutOfMemoryError("CUDA out of memory."), "CUDA out of memory."),
        (RuntimeError("could not create a primitive"), "could not create a primitive"),
        (hidden_by(RuntimeError("unexpected pos 1 vs 2")), "MemoryError"),
    ],
)
def test_every_way_to_run_out_of_memory_has_its_remedy(dataset_path, folder, monkeypatch, error, reason):
    def broken(*_):
        raise error

    monkeypatch.setattr("replication.training.trainer.Trainer.evaluate", broken)
    with pytest.raises(RunError) as caught:
        run("study/arm/seed-7", settings_json(), dataset_path, folder, "cpu")
    assert str(caught.value).startswith(
        f"not enough memory ({reason}): run fewer at a time (--cores), or make"
    )
