"""Whole workflows, run in copies of the project."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from project import Project, copy_of_project


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a project in which nothing has run; tests leave it so."""
    return copy_of_project(tmp_path_factory.mktemp("fresh") / "project")


@pytest.fixture
def copy_of(tmp_path: Path) -> Callable[[Project], Project]:
    """Return a copy that a test may change, times of files kept."""

    def copy(project: Project) -> Project:
        return Project(Path(shutil.copytree(project.folder, tmp_path / "project")))

    return copy
