"""Logs: where a job's messages go."""
# ruff: noqa: T201 - what is printed here is what is tested

import subprocess
import sys
from pathlib import Path

import pytest

from replication.errors import ConfigurationError, DataError, ResultsError
from replication.logs import logged

WORKFLOW = Path(__file__).parents[1] / "workflow"
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from replication.errors import DataError
from replication.logs import logged
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
