"""Snakemake's own report: made only of results that nothing is wrong with, and read offline."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from project import STUDY, Project

pytestmark = pytest.mark.workflow

PAGE = "results/demo.snakemake-report.html"


def make_report(project: Project) -> subprocess.CompletedProcess[str]:
    """Call `make snakemake-report` with the environment that runs this test."""
    command = ["make", "--old-file=setup", "snakemake-report", f"VENV={sys.prefix}"]
    return subprocess.run(command, cwd=project.folder, text=True, capture_output=True)


@pytest.fixture
def project(finished: Project, tmp_path: Path) -> Project:
    return Project(Path(shutil.copytree(finished.folder, tmp_path / "project")))


def test_a_report_of_audited_results_is_read_offline(project: Project) -> None:
    done = make_report(project)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (project.folder / PAGE).read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)[^>]*(src|href)=[\"']?https?:", text)
    assert not re.search(r"@import|url\([\"']?https?:", text)
    for name in ("report.html", "claims.csv", "runs.csv", "summary.csv", "losses.svg"):
        assert f'"name": "{name}"' in text
    assert f"A figure of the study {STUDY}" in text


def test_results_that_are_not_up_to_date_have_no_report(project: Project) -> None:
    project.edit(f"config/studies/{STUDY}.yaml", "factors: [2.0, 1.0, 0.5]", "factors: [4.0, 1.0, 0.25]")
    done = make_report(project)
    assert done.returncode != 0
    assert "No report: results/demo is not up to date. First run: snakemake --cores all" in done.stderr
    assert not (project.folder / PAGE).exists()


def test_results_that_fail_the_audit_have_no_report(project: Project) -> None:
    history = project.folder / f"results/demo/runs/{STUDY}/cosine/seed-1/history.csv"
    before = history.stat()
    text = history.read_text()
    history.write_text(text.replace("0.001", "0.002"))
    assert history.read_text() != text
    os.utime(history, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = make_report(project)
    assert done.returncode != 0
    assert "No report: the audit of results/demo has failed" in done.stderr
    assert not (project.folder / PAGE).exists()
