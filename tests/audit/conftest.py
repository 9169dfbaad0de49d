"""What several tests of the audit work in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from checked_runs import DATASET
from made_project import write_project
from made_runs import write_made_dataset
from project import inside


@pytest.fixture
def project_without_runs(tmp_path: Path) -> Iterator[None]:
    """Work in a project that has a study and its data."""
    write_project(tmp_path)
    with inside(tmp_path):
        write_made_dataset(DATASET, Path("resources/datasets"))
        yield
