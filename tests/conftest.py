"""What all tests share."""

import fcntl
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

if TYPE_CHECKING:
    from project import Project


# How fast a machine is says nothing of the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

# A shell ignores Ctrl-C for what it starts in the background, and children inherit that: tests that send it need it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says something of the machine only.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take longest, and first with those that mostly wait."""
    first = ("cluster", "fault", "workflow", "slow")
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in first])


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> "Project":
    """Return a project with all its results, made once for all processes of pytest; tests do not change it."""
    from project import Project, copy_of_project

    own = tmp_path_factory.mktemp("finished") / "project"
    first = shared_folder(tmp_path_factory) / "finished-project"
    with first.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not first.exists():
            copy_of_project(own).snakemake()
            shutil.copytree(own, first)
            return Project(own)
    return Project(Path(shutil.copytree(first, own)))


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that the processes of pytest-xdist share."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
