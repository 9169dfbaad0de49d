"""Full and read-only disks, and no memory left: a message with a remedy, nothing half-written, and no work lost."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault_runs import FaultRun, Results, results_of
from trainer_forks import DONE, REFUSED, TrainerForks, at_moment

pytestmark = pytest.mark.fault

PAGE_BYTES = 4096  # what tmpfs gives out at a time
FULL = "No space left on device: make room and run again"
MEGABYTE = 2**20
# Half of the steps: there is a checkpoint to go on from, and something left to do.
CUT_OFF = at_moment(signal.SIGTERM, at=6, of="_Session.before_step")


@pytest.fixture(scope="module")
def run(forks: TrainerForks, tmp_path_factory: pytest.TempPathFactory) -> FaultRun:
    return FaultRun.of(forks, tmp_path_factory.mktemp("disk"))


@pytest.fixture(scope="module")
def expected(run: FaultRun) -> Results:
    return run.undisturbed()[0]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if shutil.which("mount") is None or not mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)):
        pytest.skip("needs the right to mount a tmpfs (root)")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def fill(disk: Path, *, pages_left: int) -> Path:
    """Fill a disk but for `pages_left` pages; return the file that does."""
    path = disk / "filler"
    state = os.statvfs(disk)
    with path.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, state.f_bavail * state.f_frsize - pages_left * PAGE_BYTES)
    return path


def log_of(folder: Path) -> str:
    return Path(str(folder) + ".log").read_text()


def job_on(run: FaultRun, disk: Path, **more) -> dict:
    return run.job(disk / "run", **more) | {"log": str(disk.parent / "run.log")}


def said_by(disk: Path) -> str:
    return (disk.parent / "run.log").read_text()


def test_no_room_for_a_checkpoint_does_not_stop_the_run(forks, run, expected, disk: Path) -> None:
    filler = fill(disk, pages_left=100)
    assert forks.run(**job_on(run, disk)) == DONE
    said = said_by(disk)
    assert said.count(f"no checkpoint: [Errno 28] No space left on device: '{disk}/run/.checkpoint-1'") == 4
    assert results_of(disk / "run") == expected
    assert filler.exists()


@pytest.mark.parametrize("pages_left", range(6))
def test_no_room_for_the_results(forks, run, expected, disk: Path, pages_left: int) -> None:
    assert forks.run(**job_on(run, disk, checkpoint_steps=1, **CUT_OFF)) == REFUSED
    filler = fill(disk, pages_left=pages_left)
    assert forks.run(**job_on(run, disk)) == REFUSED
    said = said_by(disk)
    assert FULL in said.splitlines()[-1]
    assert f"{disk}/run/" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert not (disk / "run/record.json").exists()
    assert not list(disk.glob("run/*.partial"))
    filler.unlink()
    assert forks.run(**job_on(run, disk)) == DONE
    assert "goes on after" in said_by(disk)
    assert results_of(disk / "run") == expected


def test_a_log_on_a_full_disk_does_not_stop_the_run(forks, run, expected, disk: Path, tmp_path: Path) -> None:
    fill(disk, pages_left=0)
    folder = tmp_path / "elsewhere"
    assert forks.run(**run.job(folder) | {"log": str(disk / "run.log")}) == DONE
    assert results_of(folder) == expected


def test_what_a_full_disk_cannot_log_goes_to_standard_error(forks, run, disk: Path, tmp_path: Path) -> None:
    fill(disk, pages_left=0)
    (disk / "run.log.stderr").symlink_to(tmp_path / "stderr")
    assert forks.run(**run.job(disk / "run") | {"log": str(disk / "run.log")}) == REFUSED
    assert (tmp_path / "stderr").read_text() == f"{disk}/run/.lock: {FULL}\n"


def test_a_read_only_disk(forks, run, expected, disk: Path) -> None:
    assert forks.run(**job_on(run, disk, checkpoint_steps=1, **CUT_OFF)) == REFUSED
    before = {path.name: path.read_bytes() for path in (disk / "run").iterdir()}
    assert mount("-o", "remount,ro", str(disk))
    assert forks.run(**job_on(run, disk)) == REFUSED
    said = said_by(disk)
    assert said.startswith(f"{disk}/run/.lock: Read-only file system: make it writable, or work in a copy")
    assert "Traceback" not in said
    assert {path.name: path.read_bytes() for path in (disk / "run").iterdir()} == before
    assert mount("-o", "remount,rw", str(disk))
    assert forks.run(**job_on(run, disk)) == DONE
    assert results_of(disk / "run") == expected


@pytest.mark.parametrize("megabytes", [0, 1, 2, 4, 8, 16, 32, 64])
def test_no_memory_left(forks, run, expected, tmp_path: Path, megabytes: int) -> None:
    folder = tmp_path / "run"
    status = forks.run(**run.job(folder, memory_bytes=megabytes * MEGABYTE))
    said = log_of(folder)
    assert status == REFUSED if megabytes <= 2 else status in {REFUSED, DONE}
    if status != DONE:
        assert "RunError: not enough memory (" in said.splitlines()[-1]
        assert "make `batch_size` or the model smaller" in said
        assert "Traceback" not in said
        assert forks.run(**run.job(folder)) == DONE
    assert results_of(folder) == expected
