"""Provenance: what a result came from."""

import hashlib
import math
import platform
import subprocess
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from replication.runs.provenance import git_state, installed_versions, machine, registry_choices
from replication.settings.run import RunSettings
from replication.system.digests import canonical_json, digest_of_file, digest_of_text
from tabulated import SETTINGS, changed

RESNET = {"name": "resnet18", "stem": "cifar"}
ONE_CYCLE = {"name": "one_cycle", "annealing": "linear"}
PROBING = {"name": "loss_probing", "factors": [2, 1], "normalisation": "sum"}
WARM_UP = {"name": "exponential", "epochs": 1, "start": 0.1}


@pytest.mark.parametrize(
    ("changes", "model", "controller", "curve", "annealing", "warm_up", "normalisation"),
    [
        ({}, "mnist-cnn", "planned", "constant", "", "", ""),
        ({"schedule.name": "cosine"}, "mnist-cnn", "planned", "cosine", "", "", ""),
        ({"model": RESNET}, "resnet18", "planned", "constant", "", "", ""),
        ({"schedule": ONE_CYCLE}, "mnist-cnn", "planned", "one_cycle", "linear", "", ""),
        ({"schedule.warm_up": WARM_UP}, "mnist-cnn", "planned", "constant", "", "exponential", ""),
        (
            {"schedule": {"name": "reduce_on_plateau", "patience": 2}},
            "mnist-cnn", "reduce_on_plateau", "", "", "", "",
        ),
        ({"schedule": PROBING}, "mnist-cnn", "loss_probing", "", "", "", "sum"),
    ],
)  # fmt: skip
def test_a_run_takes_one_entry_of_each_registry(
    changes, model, controller, curve, annealing, warm_up, normalisation
):
    settings = TypeAdapter(RunSettings).validate_python(changed(SETTINGS, changes))
    assert registry_choices(settings) == {
        "training.models.MODELS": model,
        "training.optimizers.OPTIMIZERS": settings.optimizer.name,
        "training.controllers.CONTROLLERS": controller,
        "training.early_stopping.STOPPING_RULES": "",
        "training.early_stopping.JUDGED_EPOCHS": "",
        "training.averaged_epochs.AVERAGED_EPOCHS": "",
        "schedules.cycles.CYCLES": "",
        "schedules.from_settings.CURVES": curve,
        "schedules.from_settings.MOMENTUM_CURVES": curve,
        "schedules.from_settings.ANNEALINGS": annealing,
        "schedules.from_settings.WARM_UPS": warm_up,
        "training.controllers.loss_probing.NORMALISATIONS": normalisation,
    }


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(tmp_path, "init", "--quiet")
    (tmp_path / "code.py").write_text("x = 1\n")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "First")
    return tmp_path


def git(folder, *arguments):
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_clean_tree_is_named_by_its_commit(repository):
    state = git_state(repository)
    assert state == {"commit": git(repository, "rev-parse", "HEAD"), "dirty": False}
    assert len(state["commit"]) == 40


@pytest.mark.parametrize(("file", "dirty"), [("code.py", True), ("new.py", False)])
@pytest.mark.parametrize("staged", [False, True])
def test_edits_of_tracked_files_make_it_dirty(repository, file, dirty, staged):
    (repository / file).write_text("x = 2\n")
    if staged:
        git(repository, "add", file)
    assert git_state(repository)["dirty"] is (dirty or staged)


def test_the_state_is_that_of_the_folder(repository, monkeypatch):
    (repository / "below").mkdir()
    (repository / "code.py").write_text("x = 2\n")
    monkeypatch.chdir(repository / "below")
    assert git_state()["dirty"] is True


def test_before_the_first_commit_nothing_is_known(repository):
    git(repository, "update-ref", "-d", "HEAD")
    assert git_state(repository) == {"commit": None, "dirty": None}


def test_without_a_repository_or_git_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    unknown = {"commit": None, "dirty": None}
    assert git_state(tmp_path) == unknown
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(".") == unknown


def test_versions_are_of_python_and_of_what_can_change_numbers():
    versions = installed_versions()
    assert set(versions) == {"python", "torch", "torchvision", "numpy", "safetensors", "schedulefree"}
    assert versions["python"] == platform.python_version()
    assert all(version[0].isdigit() for version in versions.values())


def test_the_machine_is_described_and_not_named():
    facts = machine()
    assert set(facts) == {"system", "architecture", "processor"}
    assert platform.node() not in facts.values()


def test_digests_are_sha_256(tmp_path):
    (tmp_path / "file").write_bytes(b"abc" * 100_000)
    assert digest_of_file(tmp_path / "file") == hashlib.sha256(b"abc" * 100_000).hexdigest()
    assert digest_of_text("é") == hashlib.sha256("é".encode()).hexdigest()


def test_equal_values_have_equal_json():
    assert canonical_json({"b": 1.0, "a": [True, None, "x"]}) == canonical_json(
        {"a": [True, None, "x"], "b": 1.0}
    )
    assert canonical_json({"a": 1}) != canonical_json({"a": 1.0})
    assert canonical_json({"a": 0.1 + 0.2}) != canonical_json({"a": 0.3})


@pytest.mark.parametrize("value", [math.nan, math.inf, {"a": [-math.inf]}])
def test_what_is_no_number_has_no_json(value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(value)


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        (
            "processor : 0\nmodel name : Some CPU\ncpu family : 25\nmodel : 1\nflags : fpu avx avx2\n",
            "Some CPU, family 25, model 1, avx2",
        ),
        (
            "model name : Some CPU\ncpu family : 6\nmodel : 85\nflags : avx2 avx512f",
            "Some CPU, family 6, model 85, avx512f",
        ),
        ("processor : 0\nBogoMIPS : 50\n", ""),
    ],
)
def test_a_processor_is_known_by_what_its_libraries_choose_code_by(
    monkeypatch: pytest.MonkeyPatch, cpuinfo: str, name: str
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: cpuinfo)
    assert machine()["processor"] == name


def test_another_instruction_set_is_another_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "model name : Some CPU\ncpu family : 25\nmodel : 1\nflags : {}\n"
    names = set()
    for flags in ("avx", "avx avx2", "avx avx2 avx512f"):
        monkeypatch.setattr(Path, "read_text", lambda *_, flags=flags, **__: text.format(flags))
        names.add(machine()["processor"])
    assert len(names) == 3
