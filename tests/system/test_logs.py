"""Logs: where a job's messages go."""
# ruff: noqa: T201 - what is printed here is what is tested

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from places import WORKFLOW
from replication.errors import ConfigurationError, DataError, ResultsError
from replication.system.logs import children_logged, logged

SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from replication.errors import DataError
from replication.system.logs import logged
with logged(sys.argv[2]):
    print("before")
    raise {error}("train_images: too many")
"""


def job(path, error):
    with logged(path):
        print("before")
        raise error


def test_all_that_is_printed_goes_to_the_file(tmp_path, capsys):
    path = tmp_path / "made" / "job.log"
    with logged(path) as log:
        print("printed")
        print("to stderr", file=sys.stderr)
        print("to the log", file=log)
        assert path.read_text() == "printed\nto stderr\nto the log\n"  # at once, line by line
    print("after")
    assert path.read_text() == "printed\nto stderr\nto the log\n"
    assert capsys.readouterr() == ("after\n", "")


def test_a_log_is_that_of_the_last_call(tmp_path):
    for word in ("first", "second"):
        with logged(tmp_path / "job.log"):
            print(word)
    assert (tmp_path / "job.log").read_text() == "second\n"


@pytest.mark.parametrize("error", [ConfigurationError, DataError, ResultsError])
def test_an_error_that_can_be_mended_is_told_without_a_traceback(tmp_path, capsys, error):
    with pytest.raises(SystemExit) as caught:
        job(tmp_path / "job.log", error("file.yaml: `epochs`: é"))
    assert caught.value.code == 1
    expected = f"before\n{error.__name__}: file.yaml: `epochs`: é\n"
    assert (tmp_path / "job.log").read_text(encoding="utf-8") == expected
    assert capsys.readouterr() == ("", "")
    print("stdout is back")
    assert capsys.readouterr().out == "stdout is back\n"


def test_any_other_error_goes_on_and_leaves_its_traceback(tmp_path):
    with pytest.raises(ZeroDivisionError):
        job(tmp_path / "job.log", ZeroDivisionError("division by zero"))
    text = (tmp_path / "job.log").read_text()
    assert text.startswith("before\nTraceback (most recent call last):\n")
    assert "raise error" in text
    assert text.endswith("ZeroDivisionError: division by zero\n")


@pytest.mark.parametrize(("error", "traceback"), [("DataError", False), ("ValueError", True)])
def test_a_job_that_fails_ends_with_status_1(tmp_path, error, traceback):
    command = [sys.executable, "-c", SCRIPT.format(error=error), str(WORKFLOW), str(tmp_path / "job.log")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    log = (tmp_path / "job.log").read_text()
    assert done.returncode == 1
    assert log.startswith("before\n")
    assert log.endswith(f"{error}: train_images: too many\n")
    assert done.stdout == ""
    assert ("Traceback" in log, "Traceback" in done.stderr) == (traceback, traceback)


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room and run again"),
        (errno.EDQUOT, "make room within your quota"),
        (errno.EROFS, "make it writable, or work in a copy of the project elsewhere"),
        (errno.EACCES, "change its permissions, or work in a copy"),
        (errno.EPERM, "change its permissions, or work in a copy"),
        (errno.EIO, "the disk or the network behind it fails"),
    ],
)
@pytest.mark.parametrize("name", ["results/history.csv", None])
def test_what_the_machine_refuses_comes_with_a_remedy(tmp_path, number, remedy, name):
    with pytest.raises(SystemExit) as caught:
        job(tmp_path / "job.log", OSError(number, os.strerror(number), name))
    assert caught.value.code == 1
    said = (tmp_path / "job.log").read_text()
    place = f"{name}: " if name else ""
    assert said.startswith(f"before\n{place}{os.strerror(number)}: {remedy}")
    assert "Traceback" not in said


def test_any_other_error_of_the_machine_keeps_its_traceback(tmp_path):
    with pytest.raises(ConnectionRefusedError):
        job(tmp_path / "job.log", ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"))
    assert "Traceback" in (tmp_path / "job.log").read_text()


def test_a_log_that_cannot_be_made_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as caught, logged(tmp_path / "file" / "job.log"):
        raise AssertionError
    assert caught.value.code == f"{tmp_path}/file: File exists: correct this and run again"


FULL = Path("/dev/full")  # a disk that has no room, on every Linux
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")


@needs_full
def test_a_full_disk_loses_the_log_and_not_the_work(tmp_path, capfd):
    done = tmp_path / "done"
    with logged(FULL) as log:
        for number in range(3000):
            print("a line that is lost", number)
        log.flush()
        assert log.failed
        done.touch()
    assert done.exists()
    assert capfd.readouterr() == ("", "")


@needs_full
def test_on_a_full_disk_the_reason_goes_to_standard_error(capfd):
    with pytest.raises(SystemExit) as caught:
        job(FULL, DataError("train_images: too many"))
    assert caught.value.code == 1
    assert capfd.readouterr().err == "DataError: train_images: too many\n"


def test_once_there_is_room_again_the_log_goes_on(tmp_path):
    path = tmp_path / "job.log"
    with logged(path) as log:
        print("first")
        limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        # Python ignores SIGXFSZ, and raises an OSError instead.
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limit[1]))
        try:
            print("second")
            assert log.failed
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        print("third")
        assert not log.failed
    assert path.read_text().splitlines()[0] == "first"
    assert path.read_text().splitlines()[-1] == "third"


def test_what_a_child_complains_of_is_in_the_log(tmp_path):
    command = [sys.executable, "-c", "import sys; print('complaint', file=sys.stderr)"]
    with logged(tmp_path / "log"):
        with children_logged():
            subprocess.run(command, check=True)
        print("after", file=sys.stderr)
    assert (tmp_path / "log").read_text().splitlines() == ["complaint", "after"]
