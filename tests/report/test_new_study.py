"""A new study runs as it is."""

import shutil
from pathlib import Path

import nbformat
import pytest

from places import ROOT
from project import Project
from replication import __main__ as command
from replication.errors import ConfigurationError
from replication.report.new_study import new_study
from replication.runs.plan import load_plan
from replication.settings.config import Config


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "config/studies").mkdir(parents=True)
    (tmp_path / "reports").mkdir()
    shutil.copytree(ROOT / "schedules", tmp_path / "schedules")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_new_study_can_be_planned_and_its_notebook_opened(project, capsys):
    assert command.main(["new-study", "mine"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "config/studies/mine.yaml",
        "reports/mine.ipynb",
        "run it: snakemake --cores all --config only=mine",
    ]
    planned = load_plan(Config(), "config/studies")["mine"]
    assert list(planned.arms) == ["constant", "cosine", "own"]
    assert planned.arms["own"].schedule.file == "schedules/wsd.py"
    notebook = nbformat.read(project / "reports/mine.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert "studies/mine" in notebook.cells[0].source
    first = Path("reports/mine.ipynb").read_bytes()
    for path in (Path("reports/mine.ipynb"), Path("config/studies/mine.yaml")):
        path.unlink()
    new_study("mine")
    assert Path("reports/mine.ipynb").read_bytes() == first


@pytest.mark.parametrize("name", ["", "Mine", "a b", "../x", "x" * 300 + "_", "{x}"])
def test_names_that_no_study_may_have_are_refused(project, name):
    with pytest.raises(ConfigurationError, match=r"new-study: .* cannot be the name of a study"):
        new_study(name)
    assert not [*project.rglob("*.yaml")]


@pytest.mark.parametrize("path", ["config/studies/mine.yaml", "reports/mine.ipynb"])
def test_nothing_is_written_over(project, path):
    (project / path).write_text("mine")
    with pytest.raises(ConfigurationError, match=f"{path} is there already: choose another name"):
        new_study("mine")
    assert (project / path).read_text() == "mine"
    assert len([*project.glob("*/**/mine.*")]) == 1


def test_elsewhere_than_in_the_project_it_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="no folder config/studies here: call it in the project's"):
        new_study("mine")


@pytest.mark.workflow
def test_a_new_study_runs_as_it_is_and_an_edit_retrains_its_own_runs_alone(
    finished: Project, tmp_path, monkeypatch
):
    project = Project(Path(shutil.copytree(finished.folder, tmp_path / "project")))
    monkeypatch.chdir(project.folder)
    new_study("mine")
    project.snakemake("--config", "only=mine")
    page = (project.folder / "results/demo/report.html").read_text(encoding="utf-8")
    assert "warmup_stable_decay (schedules/wsd.py), stable 0.8" in (
        project.folder / "results/demo/tables/schedules.csv"
    ).read_text(encoding="utf-8")
    assert "Warm-up, stable, decay" in page
    assert project.jobs("--config", "only=mine").get("train", 0) == 0
    project.edit("schedules/wsd.py", "return 1.0\n", "return 0.9\n")
    assert project.jobs("--config", "only=mine")["train"] == 2
    audit = project.snakemake("audit", "--config", "only=mine", check=False).stdout
    assert "schedule.content_sha256" in audit
