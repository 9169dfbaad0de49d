"""The profile for SLURM, as far as it can be tested without one."""

import re
from pathlib import Path

import pytest
import yaml

from places import ROOT
from project import STUDY, copy_of_project

PROFILES = ROOT / "profiles"


def profile(name: str) -> dict[str, object]:
    return yaml.safe_load((PROFILES / name / "config.yaml").read_text(encoding="utf-8"))


def test_it_repeats_the_default_profile_which_it_replaces() -> None:
    slurm, default = profile("slurm"), profile("default")
    of_one_job = {"cores"}
    assert {key: slurm.get(key) for key in default.keys() - of_one_job} == {
        key: value for key, value in default.items() if key not in of_one_job
    }


def test_it_states_what_has_no_safe_default() -> None:
    slurm = profile("slurm")
    assert slurm["executor"] == "slurm"
    assert slurm["slurm-status-command"] == "sacct"
    assert slurm["slurm-requeue"] is True
    assert not [key for key in slurm if "array" in key]


@pytest.mark.workflow
def test_a_run_says_what_it_asks_for(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path / "project")
    printed = project.snakemake("--workflow-profile", "profiles/slurm", "--dry-run").stdout
    found = re.search(r"rule train:.*?resources: (.*?)\n", printed, re.DOTALL)
    assert found
    asked = dict(item.split("=") for item in found[1].split(", "))
    assert [asked[name] for name in ("runtime", "mem_mb", "gpu", "tasks")] == ["10", "2000", "0", "1"]


@pytest.mark.workflow
def test_short_runs_are_packed_for_a_batch_system_only(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path / "project")
    assert "Group job short" in project.snakemake("--workflow-profile", "profiles/slurm", "--dry-run").stdout
    assert "Group job" not in project.snakemake("--dry-run").stdout


@pytest.mark.workflow
def test_arms_that_differ_ask_each_for_their_own_locally_too(tmp_path: Path) -> None:
    project = copy_of_project(tmp_path / "project")
    probing = "schedule: {name: loss_probing, factors: [2.0, 1.0, 0.5]}"
    project.edit(f"config/studies/{STUDY}.yaml", probing, f"{probing}\n      threads: 2")
    (project.folder / "results").mkdir()
    table = f"study,arm,runs,seconds,peak_memory_mb\n{STUDY},cosine,2,60,100\n{STUDY},probing,2,120,200\n"
    (project.folder / "results/demo.forecast.csv").write_text(table)
    blocks = project.snakemake("--dry-run").stdout.split("rule train:")[1:]
    asked = {
        (
            re.findall(r"arm=(\w+)", block)[0],
            tuple(re.findall(r"threads: (\d)", block)),
            tuple(re.findall(rf"\b{key}=(\d+)", block)[0] for key in ("mem_mb", "runtime")),
        )
        for block in blocks
    }
    assert asked == {("cosine", (), ("650", "5")), ("probing", ("2",), ("800", "8"))}
