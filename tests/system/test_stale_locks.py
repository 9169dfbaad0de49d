"""Processes that work in one folder, and the locks of those that were killed."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from places import WORKFLOW
from replication.system.stale_locks import register

WORK = """
import sys
sys.path.insert(0, sys.argv[1])
from replication.system.stale_locks import register
held = register(sys.argv[2], sys.argv[3])
print("registered" if held else "no lock", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def place(tmp_path):
    """Return the path of the lock and the folder of leftovers, as Snakemake has them."""
    return tmp_path / ".snakemake" / "instances", tmp_path / ".snakemake" / "locks"


def leave(place, *names):
    """Make lock files as Snakemake does."""
    place[1].mkdir(parents=True, exist_ok=True)
    for name in names:
        (place[1] / name).touch()


def left(place):
    return {path.name for path in place[1].iterdir()} if place[1].is_dir() else set()


@contextmanager
def another(place):
    """Let another process work in the folder during the block, and kill it afterwards."""
    command = [sys.executable, "-c", WORK, str(WORKFLOW), *map(str, place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "registered\n"
        try:
            yield process
        finally:
            process.send_signal(signal.SIGKILL)


def test_locks_of_a_process_that_was_killed_are_removed(place):
    with another(place):
        leave(place, "0.input.lock", "0.output.lock")
    assert left(place) == {"0.input.lock", "0.output.lock"}
    with register(*place):
        assert left(place) == set()
        assert place[1].is_dir()  # Snakemake may have made it by now


def test_locks_of_a_process_that_lives_are_kept(place):
    with another(place):
        leave(place, "0.input.lock")
        with register(*place):
            assert left(place) == {"0.input.lock"}
    # The first has been killed, and the second has ended.
    with register(*place):
        assert left(place) == set()


def test_a_second_that_outlives_the_first_protects_its_own_locks(place):
    with another(place):
        second = register(*place)
        leave(place, "1.input.lock")
    with another(place):
        assert left(place) == {"1.input.lock"}
    second.close()
    with another(place):
        assert left(place) == set()


@pytest.mark.parametrize("hosts", ["", "elsewhere\n", "elsewhere\nHERE\n", "HERE\nelsewhere\n"])
def test_locks_that_may_be_of_another_host_are_kept(place, hosts):
    leave(place, "0.input.lock")
    place[0].write_text(hosts.replace("HERE", socket.gethostname()))
    for _ in range(2):
        with register(*place):
            assert left(place) == {"0.input.lock"}


def test_a_host_that_joins_another_is_noted(place, monkeypatch):
    with register(*place) as first:
        monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
        leave(place, "0.input.lock")
        with register(*place):
            assert len(place[0].read_text().split()) == 2
        first.close()
    # Where locks are not seen between hosts, this one would now look alone.
    with register(*place):
        assert left(place) == {"0.input.lock"}


def test_hosts_of_old_are_forgotten_once_nothing_is_left(place):
    place[0].parent.mkdir()
    place[0].write_text("elsewhere\n")
    for _ in range(2):
        with register(*place):
            assert place[0].read_text() == f"{socket.gethostname()}\n"


def test_many_at_once_all_hold_their_lock(place):
    command = [sys.executable, "-c", WORK, str(WORKFLOW), *map(str, place)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    assert [process.stdout.readline() for process in processes] == ["registered\n"] * 8
    leave(place, "0.input.lock")
    with register(*place):
        assert left(place) == {"0.input.lock"}
    for process in processes:
        process.communicate("\n")


def test_one_that_comes_while_another_looks_around_waits_for_it(place, monkeypatch):
    """Both get their lock: neither is refused because the other just held it alone."""
    real, inner = fcntl.flock, []

    def flock(file, kind):
        real(file, kind)
        if kind == fcntl.LOCK_EX | fcntl.LOCK_NB and not inner:
            inner.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    command = [sys.executable, "-c", WORK, str(WORKFLOW), *map(str, place)]
    monkeypatch.setattr(fcntl, "flock", flock)
    with register(*place):
        assert inner[0].stdout.readline() == "registered\n"
        inner[0].communicate("\n")


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK])
def test_without_such_locks_nothing_is_removed(place, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    leave(place, "0.input.lock")
    monkeypatch.setattr(fcntl, "flock", refuse)
    assert register(*place) is None
    assert left(place) == {"0.input.lock"}


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").touch()
    assert register(tmp_path / "file" / "instances", tmp_path / "locks") is None
