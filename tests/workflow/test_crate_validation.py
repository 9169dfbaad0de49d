"""The crate of a whole workflow, before two readers that are not ours: roc-validator and runcrate."""

import filecmp
import json
import math
import os
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from places import ROOT
from project import STUDY, Project
from replication.system.folder_lock import locked

pytestmark = pytest.mark.workflow

CRATE = "results/demo.crate.zip"
LOCK = ROOT / "envs" / "crate-validation.lock"
PROFILES = ("process-run-crate", "workflow-run-crate", "provenance-run-crate")


@pytest.fixture(scope="module")
def project(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a finished project with its crate; tests leave both as they are."""
    folder = tmp_path_factory.mktemp("crate") / "project"
    project = Project(Path(shutil.copytree(finished.folder, folder)))
    project.snakemake("crate")
    return project


@pytest.fixture(scope="session")
def readers() -> Path:
    """Return the folder of the readers' commands: an environment that is installed once for each lock file."""
    environment = Path(sys.prefix) / "crate-validation"
    stamp = environment / LOCK.name
    # Other tests may be at it too: of another process, or of another checkout with the same environment.
    with locked(environment.with_suffix(".lock"), patience_seconds=math.inf):
        if not stamp.exists() or not filecmp.cmp(stamp, LOCK, shallow=False):
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes"]
            done = subprocess.run([*pip, "-r", LOCK], text=True, capture_output=True)
            if done.returncode != 0:
                pytest.skip(f"{LOCK.name} cannot be installed: {done.stderr.splitlines()[-1]}")
            shutil.copy(LOCK, stamp)
    return environment / "bin"


def validated(readers: Path, crate: Path, cache: Path, profile: str) -> dict[str, object]:
    """Return what the validator says at the level REQUIRED, the network being out of its reach."""
    script = Path(__file__).with_name("validate_crate.py")
    command = [readers / "python", script, crate, cache, profile]
    done = subprocess.run(command, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


@pytest.mark.parametrize("profile", PROFILES)
def test_the_crate_follows_its_profiles(
    project: Project, readers: Path, tmp_path: Path, profile: str
) -> None:
    result = validated(readers, project.folder / CRATE, tmp_path / "cache", profile)
    assert result["issues"] == []
    assert result["passed"] == result["checks"]


def test_a_crate_with_a_file_missing_would_be_noticed(
    project: Project, readers: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(project.folder / CRATE) as whole, zipfile.ZipFile(broken, "w") as part:
        for entry in whole.infolist():
            if entry.filename != "results/demo/claims.csv":
                part.writestr(entry, whole.read(entry))
    result = validated(readers, broken, tmp_path / "cache", PROFILES[-1])
    assert "results/demo/claims.csv" in str(result["issues"])


def test_another_reader_finds_every_run(project: Project, readers: Path) -> None:
    command = [readers / "runcrate", "report", project.folder / CRATE]
    printed = subprocess.run(command, text=True, capture_output=True, check=True).stdout
    runs = [f"{STUDY}/{arm}/seed-{seed}" for arm in ("cosine", "probing") for seed in (1, 2)]
    for run in runs:
        action = printed.partition(f"action: #action/train/{run}\n")[2].partition("\n\n")[0]
        assert "step: #step/train" in action
        assert (
            f"results/demo/runs/{run}/predictions.safetensors <- #parameter/train/output/predictions"
            in action
        )
    assert "results/demo/report.html <- #parameter/workflow/output/report" in printed


def test_it_is_made_again_when_its_content_changes_and_not_otherwise(
    project: Project, tmp_path: Path
) -> None:
    copy = Project(Path(shutil.copytree(project.folder, tmp_path / "project")))
    before = (copy.folder / CRATE).read_bytes()
    assert copy.jobs("--", "crate") == {}
    copy.snakemake("--forcerun", "crate", "--", "crate")
    assert (copy.folder / CRATE).read_bytes() == before
    (copy.folder / "README.md").write_text("changed")
    assert copy.jobs("--", "crate") == {"crate": 1, "total": 1}
    copy.snakemake("crate")
    assert (copy.folder / CRATE).read_bytes() != before


def test_a_changed_report_is_packed_again(project: Project, tmp_path: Path) -> None:
    copy = Project(Path(shutil.copytree(project.folder, tmp_path / "project")))
    copy.edit("reports/report.html.j2", "<h1>Learning-rate replication</h1>", "<h1>Another title</h1>")
    assert copy.jobs("--", "crate").keys() >= {"report", "crate"}


def unpack(crate: Path, folder: Path) -> None:
    """Unpack a crate as `unzip` does, times of files included."""
    with zipfile.ZipFile(crate) as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            time = datetime(*entry.date_time).timestamp()
            os.utime(folder / entry.filename, (time, time))


def test_an_unpacked_crate_is_a_workflow_with_its_results(project: Project, tmp_path: Path) -> None:
    unpack(project.folder / CRATE, tmp_path / "unpacked")
    assert Project(tmp_path / "unpacked").jobs() == {}


def test_no_file_names_the_machine_or_the_place(project: Project) -> None:
    places = (str(project.folder), str(ROOT), f"{Path.home()}/", str(Path(sys.prefix)))
    with zipfile.ZipFile(project.folder / CRATE) as archive:
        for entry in archive.infolist():
            content = archive.read(entry)
            assert not [place for place in places if place.encode() in content], entry.filename
