"""What is known of a run from its folder and log, in every state."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from replication.progress.run_state import CHECKPOINTS, State, run_state, under_way
from replication.runs.folder import LOCK
from replication.system.folder_lock import locked

PROGRESS = "  5%|5  | 10/200 [00:40<09:04,  4.35step/s, epoch=1, train=0.5, validation=0.3]"


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Path]:
    """Return the places of a run's folder and of its log, neither of which exists."""
    return tmp_path / "seed-1", tmp_path / "seed-1.log"


def write(folder: Path, *names: str, lock: str | None = None) -> None:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("half of it")
    if lock is not None:
        (folder / LOCK).write_text(lock)


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_run_without_a_trace_waits(run: tuple[Path, Path]) -> None:
    assert run_state(*run).state == State.WAITING


def test_an_empty_folder_waits(run: tuple[Path, Path]) -> None:
    write(run[0])
    assert run_state(*run).state == State.WAITING


def test_a_run_with_its_record_is_finished_whatever_its_log_says(run: tuple[Path, Path]) -> None:
    write(run[0], "record.json", lock="process 1 on elsewhere (since 2026-01-01T00:00:00+00:00)")
    run[1].write_text("RunError: an older attempt")
    assert run_state(*run).state == State.FINISHED


def test_a_run_that_holds_its_lock_is_running_and_not_disturbed(run: tuple[Path, Path]) -> None:
    with locked(run[0] / LOCK):
        before = (run[0] / LOCK).stat()
        found = run_state(*run)
        assert (found.state, found.note) == (State.RUNNING, f"process {os.getpid()}")
        assert (run[0] / LOCK).stat().st_mtime_ns == before.st_mtime_ns
    assert os.listdir(run[0]) == []  # noqa: PTH208


def test_tables_without_a_record_are_of_a_run_that_is_about_to_end(run: tuple[Path, Path]) -> None:
    with locked(run[0] / LOCK):
        (run[0] / "history.csv").write_text("epoch\n")
        assert run_state(*run).state == State.RUNNING


def test_a_run_of_another_host_may_be_alive(run: tuple[Path, Path]) -> None:
    write(run[0], lock=f"process {ended_process()} on elsewhere (since 2026-01-01T00:00:00+00:00)")
    found = run_state(*run)
    assert found.state == State.RUNNING
    assert "on elsewhere" in found.note


def test_a_lock_whose_process_is_gone_is_of_a_run_that_stopped(run: tuple[Path, Path]) -> None:
    process = ended_process()
    write(run[0], CHECKPOINTS[0], lock=f"process {process} on {socket.gethostname()} (since today)")
    run[1].write_text(PROGRESS)
    found = run_state(*run)
    assert found.state == State.STOPPED
    assert f"process {process} has ended without a word" in found.note


@pytest.mark.parametrize("text", ["", "proce"])
def test_a_lock_that_is_just_being_written_is_of_a_running_one(run: tuple[Path, Path], text: str) -> None:
    write(run[0], lock=text)
    assert run_state(*run).state == State.RUNNING


def test_a_checkpoint_without_a_lock_is_of_a_run_that_goes_on_later(run: tuple[Path, Path]) -> None:
    write(run[0], CHECKPOINTS[1])
    run[1].write_text(
        f"{PROGRESS}\nRunInterruptedError: ended by SIGTERM; the same command goes on from here\n"
    )
    found = run_state(*run)
    assert found.state == State.STOPPED
    assert found.note == "ended by SIGTERM; the same command goes on from here"


@pytest.mark.parametrize(
    "message",
    [
        "RunError: not enough memory (std::bad_alloc): run fewer at a time",
        "the process of this run was killed (SIGKILL): if the memory was used up, run fewer at a time",
        "results/demo/x: No space left on device: make room and run again",
        "ValueError: what nobody thought of",
    ],
)
def test_a_run_whose_log_ends_with_an_error_has_failed(run: tuple[Path, Path], message: str) -> None:
    write(run[0], CHECKPOINTS[0])
    run[1].write_text(f"\r{PROGRESS}\n{message}\n")
    found = run_state(*run)
    assert (found.state, found.note) == (State.FAILED, message)


@pytest.mark.parametrize(
    "line",
    [
        PROGRESS,
        "x/.checkpoint-0: damaged, not used",
        "no checkpoint: [Errno 28] No space",
        "goes on after 5 steps",
    ],
)
def test_what_a_log_says_on_the_way_is_no_failure(run: tuple[Path, Path], line: str) -> None:
    write(run[0], CHECKPOINTS[0])
    run[1].write_text(f"{line}\r")
    assert run_state(*run).state == State.STOPPED


def test_an_empty_log_leaves_it_open(run: tuple[Path, Path]) -> None:
    run[1].write_text("")
    assert "may be about to start" in run_state(*run).note


def test_only_the_end_of_a_long_log_is_read(run: tuple[Path, Path]) -> None:
    run[1].write_bytes(b"\xff" * 100_000 + b"\nRunError: at last\n")
    assert run_state(*run).note == "RunError: at last"


@pytest.mark.slow
def test_the_newer_checkpoint_says_how_far_a_run_is(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from replication.training.checkpoint import SLOTS, Checkpoints

    assert CHECKPOINTS == SLOTS
    checkpoints = Checkpoints(tmp_path, {"run_id": "x"})
    rows = [{"epoch": epoch, "validation_accuracy": accuracy} for epoch, accuracy in ((1, 0.25), (2, 0.5))]
    timings = [
        {"epoch": epoch, "seconds_training": 1.5, "seconds_probing": 0.5, "peak_memory_mb": 9}
        for epoch in (1, 2)
    ]
    for epochs in (1, 2):
        weights = torch.nn.Linear(3, 3).state_dict() | {"flags": torch.ones(2, dtype=torch.bool)}
        result = {"history": rows[:epochs], "timings": timings[:epochs]}
        checkpoints.save({"model": weights, "result": result})
    told = under_way(tmp_path)
    assert told is not None
    assert (told.epochs, told.seconds, told.accuracy) == (2, 4.0, 0.5)
    newer = tmp_path / SLOTS[0]
    newer.write_bytes(newer.read_bytes()[:-100])
    older = under_way(tmp_path)
    assert older is not None
    assert older.epochs == 1


def test_a_checkpoint_of_something_else_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINTS[0]).write_bytes(b"no zip file")
    assert under_way(tmp_path) is None
    assert under_way(tmp_path / "nowhere") is None
