"""Made-up results, whose numbers are followed."""

import shutil
from pathlib import Path

import pytest

from recorded_runs import write_scale
from replication.runs.plan import STUDIES
from study_results import planned_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with made-up results of the tiny study, which tests leave as they are."""
    folder = tmp_path_factory.mktemp("made")
    write_scale(folder, planned_study(folder / STUDIES))
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of it, as the current folder."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
