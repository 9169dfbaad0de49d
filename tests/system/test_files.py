"""Files that are written whole or not at all."""

import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from replication.system.files import whole_file, write_json, write_text


class Crash(BaseException):
    """What ends a process without being an error of it, as a signal does."""


def test_the_old_content_stays_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with whole_file(path) as temporary:
        assert temporary.parent == path.parent
        temporary.write_text("a part")
        assert path.read_text() == "old"
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt, SystemExit, Crash])
@pytest.mark.parametrize("before", ["old", None])
def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path, error, before):
    path = tmp_path / "file.txt"
    if before is not None:
        path.write_text(before)

    def write():
        with whole_file(path) as temporary:
            temporary.write_text("a part")
            raise error

    with pytest.raises(error):
        write()
    assert [file.read_text() for file in tmp_path.iterdir()] == ([] if before is None else [before])


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    def fail(*_arguments):
        raise OSError("no space left")

    path = tmp_path / "file.txt"
    path.write_text("old")
    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises(OSError, match="no space"), whole_file(path) as temporary:
        temporary.write_text("new")
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


def test_the_content_is_on_the_disk_before_it_gets_its_name(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    path.write_text("old")
    seen = []

    def synchronise(descriptor):
        seen.append((Path(f"/proc/self/fd/{descriptor}").resolve().is_dir(), path.read_text()))

    monkeypatch.setattr(os, "fsync", synchronise)
    write_text(path, "new")
    assert seen == [(False, "old"), (True, "new")]


def test_folders_are_made_and_a_file_in_the_way_is_an_error(tmp_path):
    write_text(tmp_path / "a" / "b" / "file.txt", "new")
    assert (tmp_path / "a/b/file.txt").read_text() == "new"
    with pytest.raises(OSError, match=r"file\.txt"):
        write_text(tmp_path / "a/b/file.txt/c", "new")


def test_everybody_may_read_what_is_written(tmp_path):
    write_text(tmp_path / "file.txt", "new")
    assert (tmp_path / "file.txt").stat().st_mode & 0o777 == 0o644


def test_the_block_may_put_another_file_in_the_place_of_the_temporary_one(tmp_path):
    with whole_file(tmp_path / "file.txt") as temporary:
        other = tmp_path / "other"
        other.write_text("new")
        other.replace(temporary)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


def test_text_is_utf_8_on_every_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    write_text(tmp_path / "file.txt", "é ×\n")
    assert (tmp_path / "file.txt").read_bytes() == "é ×\n".encode()


def test_equal_values_give_equal_json(tmp_path):
    values = [{"b": [1, 2.5], "a": {"é": None}}, {"a": {"é": None}, "b": [1, 2.5]}]
    for number, value in enumerate(values):
        write_json(tmp_path / f"{number}.json", value)
    first, second = (tmp_path / f"{number}.json" for number in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_text(encoding="utf-8").endswith("}\n")
    assert "é" in first.read_text(encoding="utf-8")
    assert json.loads(first.read_text(encoding="utf-8")) == values[0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_json_without_numbers_is_refused_and_leaves_the_old_file(tmp_path, value):
    write_json(tmp_path / "file.json", {"x": 1.0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"x": [value]})
    assert json.loads((tmp_path / "file.json").read_text()) == {"x": 1.0}
    assert len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def dead():
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_killed_processes_have_left_is_removed(tmp_path, dead):
    path = tmp_path / "file.txt"
    with whole_file(path) as temporary:
        name = temporary.name
        temporary.write_text("new")
    assert f".file.txt.{socket.gethostname()}-{os.getpid()}-" in name
    stale = [
        name.replace(str(os.getpid()), str(dead)),
        name.replace(str(os.getpid()), str(dead)) + ".partial",
    ]
    kept = [
        name,  # this process lives
        name.replace(socket.gethostname(), "elsewhere").replace(str(os.getpid()), str(dead)),
        name.replace("file.txt", "other.txt").replace(str(os.getpid()), str(dead)),
        "file.txt.partial",
    ]
    for leftover in stale + kept:
        (tmp_path / leftover).touch()
    write_text(path, "newer")
    assert {file.name for file in tmp_path.iterdir()} == {"file.txt", *kept}


@pytest.mark.parametrize("name", ["a[1].txt", "*.txt", "a-1-b.partial"])
def test_names_with_special_characters(tmp_path, name):
    (tmp_path / "another.txt").touch()
    for text in ("old", "new"):
        write_text(tmp_path / name, text)
    assert {file.name for file in tmp_path.iterdir()} == {"another.txt", name}


def test_the_process_of_another_user_lives(tmp_path, monkeypatch, dead):
    def refuse(*_):
        raise PermissionError

    path = tmp_path / f".file.txt.{socket.gethostname()}-{dead}-abc.partial"
    path.touch()
    monkeypatch.setattr(os, "kill", refuse)
    write_text(tmp_path / "file.txt", "new")
    assert path.exists()


@pytest.mark.parametrize("name", [None, "elsewhere"])
def test_an_error_that_names_no_file_gets_a_name(tmp_path, name):
    path = tmp_path / "file.txt"
    with pytest.raises(OSError, match="No space") as caught, whole_file(path):
        raise OSError(28, "No space left on device", name)
    assert caught.value.filename == (name or str(path))
