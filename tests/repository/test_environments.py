"""What is installed, by whichever way: the versions of one lock."""

import re
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
