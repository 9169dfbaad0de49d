"""The lock on a run's folder."""

import errno
import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from places import WORKFLOW
from replication.system import folder_lock, interruption
from replication.system.folder_lock import FolderInUseError, locked
from replication.system.interruption import RunInterruptedError

HOLD = """
import sys, time
sys.path.insert(0, sys.argv[1])
from replication.system.folder_lock import locked
with locked(sys.argv[2]):
    print("held", flush=True)
    sys.stdin.readline()
"""
CONTEND = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from replication.system.folder_lock import locked
counter = Path(sys.argv[3])
for _ in range(100):
    with locked(sys.argv[2], float("inf")):
        number = int(counter.read_text())
        counter.write_text(str(number + 1))
"""


def process(script, *arguments):
    command = [sys.executable, "-c", script, str(WORKFLOW), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def held_by_another(path):
    """Let another process hold the lock during the block, unless the block ends that process."""
    with process(HOLD, path) as other:
        assert other.stdout.readline() == "held\n"
        try:
            yield other
        finally:
            other.kill()


def test_the_file_is_there_only_while_the_lock_is_held(tmp_path):
    path = tmp_path / "made" / ".lock"
    with locked(path):
        assert re.fullmatch(
            rf"process {os.getpid()} on {re.escape(socket.gethostname())} \(since \S+\+00:00\)",
            path.read_text(),
        )
    assert not path.exists()


def test_an_error_in_the_block_frees_it(tmp_path):
    with pytest.raises(ZeroDivisionError), locked(tmp_path / ".lock"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_told_who_holds_it(tmp_path):
    path = tmp_path / ".lock"
    with held_by_another(path) as other, pytest.raises(FolderInUseError) as caught, locked(path, 0.0):
        pass
    assert str(caught.value).startswith(f"{tmp_path}: process {other.pid} on {socket.gethostname()} (since ")
    assert str(caught.value).endswith("writes this run: wait for it, or end it, and run again")


def test_it_ends_with_its_owner(tmp_path):
    path = tmp_path / ".lock"
    with held_by_another(path) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert path.exists()
    with locked(path, 0.0):
        assert f"process {os.getpid()} on" in path.read_text()
    assert not path.exists()


@pytest.fixture
def pauses(monkeypatch):
    """Give the lock a clock of its own, and return the list of its pauses, which take no time."""
    pauses = []
    clock = SimpleNamespace(monotonic=lambda: sum(pauses), sleep=pauses.append)
    monkeypatch.setattr(folder_lock, "time", clock)
    return pauses


def test_patience_lasts_until_the_other_has_ended(tmp_path, monkeypatch, pauses):
    path = tmp_path / ".lock"
    with held_by_another(path) as other:

        def end_other(seconds):
            pauses.append(seconds)
            if len(pauses) == 3:
                other.kill()
                other.wait()

        monkeypatch.setattr(folder_lock.time, "sleep", end_other)
        with locked(path, 30.0):
            assert len(pauses) == 3


def test_patience_has_an_end(tmp_path, pauses):
    with (
        held_by_another(tmp_path / ".lock"),
        pytest.raises(FolderInUseError),
        locked(tmp_path / ".lock", 0.35),
    ):
        pass
    assert pauses == [0.1] * 4


def test_a_signal_ends_the_wait(tmp_path, monkeypatch, pauses):
    monkeypatch.setattr(interruption, "_received", [signal.SIGTERM])
    with (
        held_by_another(tmp_path / ".lock"),
        pytest.raises(RunInterruptedError),
        locked(tmp_path / ".lock", 30.0),
    ):
        pass
    assert pauses == []


def test_removing_the_file_lets_no_two_in(tmp_path):
    """Holders remove the file while others open and lock it: a count without a lost one shows that each was alone."""
    counter = tmp_path / "counter"
    counter.write_text("0")
    with (
        process(CONTEND, tmp_path / ".lock", counter) as one,
        process(CONTEND, tmp_path / ".lock", counter) as two,
    ):
        pass
    assert (one.returncode, two.returncode) == (0, 0)
    assert counter.read_text() == "200"


def test_the_lock_of_a_file_that_was_removed_is_not_taken_for_one(tmp_path, monkeypatch):
    path, real, tried = tmp_path / ".lock", fcntl.flock, []

    def removed_just_before(descriptor, kind):
        if not tried:
            path.unlink()
        tried.append(kind)
        real(descriptor, kind)

    monkeypatch.setattr(fcntl, "flock", removed_just_before)
    with locked(path):
        assert path.exists()
    assert len(tried) == 2


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_a_file_system_without_locks_does_not_stop_a_run(tmp_path, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with locked(tmp_path / ".lock"):
        assert (tmp_path / ".lock").exists()


@pytest.mark.usefixtures("pauses")
def test_no_descriptor_is_left_open(tmp_path):
    before = len([*Path("/proc/self/fd").iterdir()])
    with (
        held_by_another(tmp_path / ".lock"),
        pytest.raises(FolderInUseError),
        locked(tmp_path / ".lock", 0.3),
    ):
        pass
    for _ in range(5):
        with locked(tmp_path / ".lock"):
            pass
    assert len([*Path("/proc/self/fd").iterdir()]) == before
