"""Every command that README.md and the pages of docs/ tell a reader to type runs, in a project with results."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from places import ROOT
from project import Project

# What is not run here, and why.
EXCEPTIONS = {
    ". .venv/bin/activate": "of what `make setup` makes, which needs a package index",
    "make setup && . .venv/bin/activate": "needs a package index",
    "snakemake --cores all --config scale=laptop data_dir=/data/mnist": "needs the files of MNIST; "
    "tests/data/test_mnist_files.py has such",
    "python -m replication publish --scale laptop": "has published what the page begins with: see BEFORE",
    "ssh-keygen -Y sign -n learning-rate-replication -f ~/.ssh/id_ed25519 results/demo/SHA256SUMS": "needs a key; "
    "tests/audit/test_signature.py has one",
}
# Calls of Snakemake whose results later commands of a page read. Of all others the plan is made, and nothing else.
REALLY = {"snakemake audit", "snakemake --cores all crate"}
# What stands in for names of studies, in a project whose only one is tiny.
STAND_INS = {
    "mnist-early-stopping/cosine-no-benefit": "tiny/cosine-better",
    "mnist-early-stopping": "tiny",
    "automated-lr": "tiny",
    "probing-best": "cosine-better",
    "table-1": "results",
}
# And for what is elsewhere, or of another scale than the results.
ELSEWHERE = {
    "/elsewhere/results": "results",
    "before/results": "results",
    "after/results": "results",
    "published/laptop": "published/demo",
    "restore laptop": "restore demo",
    "findings laptop": "findings demo",
    "--scale laptop": "--scale demo",
}
# What a page takes for granted.
BEFORE = {
    "review.md": ("snakemake audit", "python -m replication publish --scale demo", "mv results/demo mine")
}

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^```(ba|z)?sh|^```shell", re.MULTILINE)
COMMENT = re.compile(r"\s+# .*")


def commands_of(page: Path) -> list[str]:
    """Return the commands of a page, in order: each line of its `console` blocks."""
    lines = "".join(BLOCK.findall(page.read_text(encoding="utf-8"))).splitlines()
    assert all(line.startswith("$ ") for line in lines)
    assert not SHELL.search(page.read_text(encoding="utf-8")), f"{page}: commands stand in `console` blocks"
    return [COMMENT.sub("", line).removeprefix("$ ") for line in lines]


PAGES = {page.name: commands_of(page) for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}


def as_run(command: str) -> str:
    """Return what is run in place of a command."""
    for name, other in (STAND_INS | ELSEWHERE).items():
        command = command.replace(name, other)
    plan_only = command.startswith(("make ", "snakemake ")) and command not in REALLY
    return f"{command} --dry-run" if plan_only else command


def call(command: str, folder: Path) -> None:
    """Run a command as a reader's shell would, with the programs of the tests' own environment."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = os.environ | {"PATH": path, "PYTHONPATH": str(folder / "workflow")}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@pytest.mark.workflow
@pytest.mark.parametrize("page", [page for page, commands in PAGES.items() if commands])
def test_every_command_of_a_page_runs(
    finished: Project, copy_of: Callable[[Project], Project], page: str
) -> None:
    folder = copy_of(finished).folder
    commands = [as_run(command) for command in PAGES[page] if command not in EXCEPTIONS]
    for command in (*BEFORE.get(page, ()), *commands):
        call(command, folder)


def test_every_exception_is_needed_and_every_name_is_of_a_study() -> None:
    commands = [command for commands in PAGES.values() for command in commands]
    assert EXCEPTIONS.keys() | REALLY <= set(commands)
    assert [name for name in STAND_INS | ELSEWHERE if not any(name in command for command in commands)] == []
    files = sorted((ROOT / "config/studies").glob("*.yaml"))
    named = {
        name for file in files for name in re.findall(r"\bid: ([\w-]+)", file.read_text(encoding="utf-8"))
    }
    parts = {part for name in STAND_INS for part in name.split("/")}
    assert parts <= named | {file.stem for file in files}
