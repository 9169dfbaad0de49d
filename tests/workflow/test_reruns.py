"""What is run again after a change, and what is not."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from project import STUDY, Project
from replication.runs.forks.client import OFF, VARIABLE

pytestmark = pytest.mark.workflow

TIMESTAMP = ".snakemake_timestamp"
Copy = Callable[[Project], Project]


def test_jobs_are_forks_of_one_process_that_has_ended(finished: Project) -> None:
    log = finished.folder / "logs/demo/fork-server.log"
    assert log.read_text() == ""  # where it says whom it has not served
    assert not [*finished.folder.glob(".snakemake/*.socket")]


def test_tables_and_figures_are_the_same_bytes_whoever_makes_them(
    finished: Project, copy_of: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forks, with kernels that are forks, too, as there are several notebooks; or each job and kernel by itself."""
    project = copy_of(finished)
    studies = project.folder / "config/studies"
    shutil.copy(studies / f"{STUDY}.yaml", studies / "second.yaml")
    shutil.copy(project.folder / f"reports/{STUDY}.ipynb", project.folder / "reports/second.ipynb")
    made = []
    for server in ("", OFF):
        monkeypatch.setenv(VARIABLE, server)
        project.snakemake("figures", "--forceall")
        files = [path for path in (project.folder / "results").rglob("*") if path.is_file()]
        made.append({path: path.read_bytes() for path in files if path.name != TIMESTAMP})
        if server != OFF:
            assert (project.folder / "logs/demo/fork-server.log").read_text() == ""
            assert (project.folder / "logs/demo/kernel-server.log").read_text() == ""
    assert made[0] == made[1]
    assert not [*project.folder.glob(".snakemake/*.socket")]


def test_a_second_call_has_nothing_to_do(finished: Project) -> None:
    assert "Nothing to be done" in finished.snakemake().stdout


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        pytest.param(
            "workflow/replication/schedules/profiles.py",
            "def cosine(",
            "# The curve that everybody uses.\ndef cosine(",
            id="comment in a formula's file",
        ),
        pytest.param(
            "workflow/scripts/train.py",
            "arguments = arguments_of_job()",
            "# First of all:\narguments = arguments_of_job()",
            id="comment in a script",
        ),
        pytest.param(
            f"config/studies/{STUDY}.yaml",
            "seeds: 2",
            "seeds: 2  # enough",
            id="comment in a study",
        ),
    ],
)
def test_a_comment_reruns_nothing(finished: Project, copy_of: Copy, path: str, old: str, new: str) -> None:
    project = copy_of(finished)
    project.edit(path, old, new)
    assert project.jobs() == {}


def test_an_edited_formula_reruns_the_runs_that_use_it(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    project.edit("workflow/replication/schedules/profiles.py", "math.cos(", "1.0 * math.cos(")
    before = project.trained()
    project.snakemake("--until", "train")
    changed = {run for run, time in project.trained().items() if time != before[run]}
    assert changed == {f"{STUDY}/cosine/seed-1", f"{STUDY}/cosine/seed-2"}


def test_an_edit_of_the_trainer_reruns_every_run(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    project.edit(
        "workflow/replication/training/evaluation.py", "EVALUATION_BATCH = 128", "EVALUATION_BATCH = 64"
    )
    assert project.jobs()["train"] == 4


def test_an_edit_of_the_verdicts_trains_nothing(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    project.edit("workflow/replication/analysis/verdicts.py", "LOOK_LEVEL = 0.004", "LOOK_LEVEL = 0.05")
    jobs = project.jobs()
    assert "train" not in jobs
    assert {"study_tables", "combine", "notebook", "report"} <= jobs.keys()


def test_one_more_seed_runs_only_the_new_runs(finished: Project) -> None:
    assert finished.jobs("--config", "seeds=3")["train"] == 2


@pytest.fixture(scope="module")
def published(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return another clone with published results, where Snakemake knows nothing of them; data are prepared."""
    project = Project(
        Path(shutil.copytree(finished.folder, tmp_path_factory.mktemp("published") / "project"))
    )
    project.snakemake("audit")
    project.command("publish")
    for folder in ("results", ".snakemake"):
        shutil.rmtree(project.folder / folder)
    return project


def test_published_results_are_gone_on_with(published: Project, copy_of: Copy) -> None:
    project = copy_of(published)
    project.command("restore", "demo")
    assert "train" not in project.jobs()
    assert project.jobs("--config", "seeds=3")["train"] == 2
    before = project.trained()
    project.snakemake("--config", "seeds=3")
    after = project.trained()
    assert {run: after[run] for run in before} == before
    assert "Audit passed" in project.snakemake("audit", "--config", "seeds=3").stdout


def test_what_is_published_is_derived_again_without_data(published: Project, copy_of: Copy) -> None:
    project = copy_of(published)
    shutil.rmtree(project.folder / "resources")
    project.command("restore", "demo")
    project.edit("reports/report.html.j2", "<h1>Learning-rate replication</h1>", "<h1>Another title</h1>")
    assert "report.html: differs" in project.snakemake("audit", check=False).stdout
    before = project.trained()
    project.snakemake("figures", "--forceall")
    assert project.trained() == before
    assert "Audit passed" in project.snakemake("audit").stdout


def test_audit_and_recheck_need_no_image_folder_that_the_configuration_names(finished: Project) -> None:
    """Published results come without it: both look at them, and say what they miss."""
    config = ("--config", "scale=paper", "image_folders={mine: nowhere}", "substitute={mnist: mine}")
    assert "nowhere" in finished.snakemake("--dry-run", *config, check=False).stdout
    for command, missed in (
        ("audit", "Audit impossible: results/paper holds no results"),
        ("recheck", "results/paper: holds no run to execute again"),
    ):
        said = finished.snakemake(command, *config, check=False).stdout
        assert "nowhere" not in said
        assert missed in said


def test_a_changed_setting_of_one_arm_reruns_that_arm(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    project.edit(f"config/studies/{STUDY}.yaml", "factors: [2.0, 1.0, 0.5]", "factors: [4.0, 1.0, 0.25]")
    assert project.jobs()["train"] == 2


def test_data_of_the_same_content_rerun_nothing(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    (project.folder / "resources/datasets/digits.json").touch()
    (project.folder / "resources/datasets/digits.safetensors").unlink()
    assert project.jobs() == {}


def test_data_of_another_content_rerun_all_runs(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    manifest = project.folder / "resources/datasets/digits.json"
    manifest.write_text(manifest.read_text().replace('"identity": "', '"identity": "0'))
    assert project.jobs()["train"] == 4


def test_figures_come_from_the_runs_that_there_are(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    (project.folder / f"results/demo/runs/{STUDY}/cosine/seed-2/record.json").unlink()
    before = project.trained()
    page = project.folder / "results/demo/report.html"
    page.unlink()
    project.snakemake("figures")
    assert project.trained() == before
    assert "1 planned runs are missing" in page.read_text()
    claims = (project.folder / "results/demo/claims.csv").read_text()
    assert "incomplete" in claims


def test_a_run_from_scratch_gives_the_same_bytes(finished: Project, copy_of: Copy) -> None:
    project = copy_of(finished)
    history = f"results/demo/runs/{STUDY}/probing/seed-1/history.csv"
    first = (project.folder / history).read_bytes()
    (project.folder / history).unlink()
    project.snakemake(history)
    assert (project.folder / history).read_bytes() == first


def test_a_part_of_a_study_runs_alone(fresh: Project, copy_of: Copy) -> None:
    project = copy_of(fresh)
    project.snakemake("--config", f"only={STUDY}/cosine", "seeds=1")
    assert project.trained().keys() == {f"{STUDY}/cosine/seed-1"}
    claims = (project.folder / "results/demo/claims.csv").read_text()
    assert "incomplete" in claims
