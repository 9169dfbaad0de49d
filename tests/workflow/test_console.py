"""What calls of the workflow print."""

from collections.abc import Callable

import pytest

from project import Project

pytestmark = pytest.mark.workflow


def test_progress_and_failed_runs_are_shown_and_all_else_is_in_the_log(
    finished: Project, copy_of: Callable[[Project], Project]
) -> None:
    project = copy_of(finished)
    run = project.folder / "results/demo/runs/tiny/cosine/seed-1"
    (run / "record.json").unlink()
    data = project.folder / "resources/datasets/digits.safetensors"
    data.write_bytes(data.read_bytes()[:-1])
    printed = project.snakemake("results/demo/runs/tiny/cosine/seed-1/record.json", check=False).stdout
    assert "1 runs of 1 study to train" in printed
    failed = [
        line
        for line in printed.splitlines()
        if line.startswith("failed: tiny/cosine/seed-1: logs/demo/train/tiny/")
    ]
    assert len(failed) == 1
    assert "digits.safetensors" in failed[0]
    assert "rule train" not in printed
    logs = sorted((project.folder / ".snakemake/log").iterdir())
    assert "rule train" in logs[-1].read_text(encoding="utf-8")
    verbose = project.snakemake(
        "--verbose", "results/demo/runs/tiny/cosine/seed-1/record.json", check=False
    ).stdout
    assert "rule train" in verbose
