"""What is installed, by whichever way: the versions of one lock."""

import re
import subprocess
import venv
from pathlib import Path

import pytest
import yaml

from places import ROOT

ENVS = ROOT / "envs"
LOCK = (ENVS / "requirements.lock").read_text(encoding="utf-8")
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*==\S+(?: ; .+?)?) \\$", re.MULTILINE)
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:==(\S+))?$", re.MULTILINE)


def pins() -> list[str]:
    """Return the packages of the lock, with version and marker."""
    return PINNED.findall(LOCK)


def test_every_package_of_the_lock_has_a_hash() -> None:
    assert len(pins()) > 100
    assert len(pins()) == len(re.findall(r"^\S+==", LOCK, re.MULTILINE))
    assert len(re.findall(r"^ +--hash=sha256:[0-9a-f]{64}", LOCK, re.MULTILINE)) >= len(pins())


@pytest.mark.parametrize("file", sorted(ENVS.glob("*.yaml")), ids=lambda file: file.name)
def test_conda_installs_the_versions_of_the_lock(file: Path) -> None:
    dependencies = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
    [by_pip] = [entry["pip"] for entry in dependencies if isinstance(entry, dict)]
    assert by_pip == pins()


def test_what_is_asked_for_by_version_is_locked_so() -> None:
    versions = dict(pin.partition(" ;")[0].split("==") for pin in pins())
    for name, version in REQUIREMENT.findall((ENVS / "requirements.in").read_text(encoding="utf-8")):
        assert versions[name] == (version or versions[name])


def test_the_container_is_built_from_the_lock() -> None:
    lines = (ENVS / "Containerfile").read_text(encoding="utf-8").splitlines()
    python = yaml.safe_load((ENVS / "pipeline.yaml").read_text(encoding="utf-8"))["dependencies"][0]
    assert f"FROM {python.replace('=', ':')}-slim" in lines
    assert "COPY requirements.lock /opt/" in lines
    assert "RUN pip install --no-cache-dir --require-hashes -r /opt/requirements.lock" in lines


def test_commands_find_the_package_of_the_folder_that_they_are_called_in(tmp_path: Path) -> None:
    builder = venv.EnvBuilder(symlinks=True)
    builder.create(tmp_path / "venv")
    [place] = (tmp_path / "venv").glob("lib/python*/site-packages")
    (place / "replication.pth").write_bytes((ENVS / "replication.pth").read_bytes())
    program = "import importlib.util as u; found = u.find_spec('replication'); print(found and found.origin)"

    def package_in(folder: Path) -> str:
        command = [tmp_path / "venv/bin/python", "-c", program]
        done = subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert package_in(ROOT) == str(ROOT / "workflow/replication/__init__.py")
    assert package_in(tmp_path) == "None"
    other = tmp_path / "workflow/replication"
    other.mkdir(parents=True)
    for name in ("__init__.py", "__main__.py"):
        (other / name).touch()
    assert package_in(tmp_path) == str(other / "__init__.py")


def test_make_puts_the_path_file_into_the_environment_that_is_up_to_date(tmp_path: Path) -> None:
    for name in ("Makefile", "envs/requirements.lock", "envs/replication.pth"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    place = tmp_path / ".venv/lib/python3.11/site-packages"
    place.mkdir(parents=True)
    (tmp_path / ".venv/requirements.lock").write_bytes((ENVS / "requirements.lock").read_bytes())
    for _ in range(2):
        subprocess.run(["make", "setup"], cwd=tmp_path, check=True)
        assert (place / "replication.pth").read_bytes() == (ENVS / "replication.pth").read_bytes()


def test_the_workflow_catalog_is_told_how_software_is_deployed() -> None:
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment", "report"}
    assert usage["mandatory-flags"].keys() == {"desc", "flags"}
    rules = [file.read_text(encoding="utf-8") for file in (ROOT / "workflow/rules").glob("*.smk")]
    deployed = usage["software-stack-deployment"]
    assert deployed["conda"] == any("conda:" in rule for rule in rules)
    assert deployed["apptainer"] == deployed["apptainer+conda"] == any("container:" in rule for rule in rules)
