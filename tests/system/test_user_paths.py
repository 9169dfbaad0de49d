"""Paths that a user has written: right, or refused with the place, the reason and nothing of the standard library."""

import os
import socket
from pathlib import Path

import pytest

from replication.errors import ConfigurationError
from replication.system.user_paths import LONGEST, check_project_folder, shown, user_path


def refused(written, wanted="file or folder"):
    with pytest.raises(ConfigurationError) as caught:
        user_path(written, "`key`", wanted)
    message = str(caught.value)
    assert message.startswith("`key`: ")
    assert message.endswith("; correct the path")
    assert "\n" not in message
    return message


def test_good_paths_are_found(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    assert user_path(tmp_path, "`key`", "folder") == tmp_path
    assert user_path(str(tmp_path / "link"), "`key`", "file") == tmp_path / "link"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/file", "`key`", "file or folder") == tmp_path / "file"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("~nosuchuser/x", "a user whose home folder is not known"),
        ("~nosuch\0user", "a NUL character"),
        ("a\0b", "a NUL character"),
        ("a\udce9", "is not UTF-8"),
        ("none", "does not exist"),
        ("a\nb", r"a\nb does not exist"),
        ("x" * 300, "longer than a path may be"),
        ("x/" * 5000, "longer than a path may be"),
        ("file/x", "a part of it is a file"),
        ("dangling", "is a link to nowhere, which does not exist"),
        ("loop", "a link that leads back to itself"),
        ("fifo", "is not a file or folder, but a device"),
        ("socket", "is not a file or folder, but a device"),
        ("/dev/zero", "is not a file or folder, but a device"),
    ],
)
def test_bad_paths_are_refused(tmp_path, monkeypatch, written, reason):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("dangling").symlink_to("nowhere")
    Path("loop").symlink_to("loop")
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        assert reason in refused(written)


def test_braces_that_snakemake_would_fill_are_refused(tmp_path):
    (tmp_path / "{y}").mkdir()
    assert "holds a brace" in refused(tmp_path / "{y}")


def test_the_wrong_kind_is_refused(tmp_path):
    (tmp_path / "file").touch()
    assert "is not a file, but a folder" in refused(tmp_path, "file")
    assert "is not a folder, but a file" in refused(tmp_path / "file", "folder")


def test_what_may_not_be_read_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # the superuser may read everything
    assert "may not be read by you" in refused(tmp_path)


@pytest.mark.parametrize(
    "name",
    ["{x} y", "{", "}", "{{x}}", "a:b", "a\udce9"],
    ids=["pair", "open", "close", "twice", "colon", "bytes"],
)
def test_places_in_which_the_project_cannot_work(name):
    with pytest.raises(ConfigurationError, match=r"the path of the project (holds|is not UTF-8)"):
        check_project_folder(f"/home/me/{name}/project")


@pytest.mark.parametrize(
    "name", ["a b", "é", "a'b\"c", "#%&;$HOME", "a\nb", "a\\b", "*?[x]", "<b>", " x ", "-x"]
)
def test_places_in_which_it_works(name):
    check_project_folder(f"/home/me/{name}/project")


def test_texts_are_shown_on_one_line_and_not_endlessly():
    assert shown("a\n\x1b[31m\udce9é") == r"a\n\x1b[31m\udce9é"
    assert len(shown("x" * 100_000)) == LONGEST + 3
