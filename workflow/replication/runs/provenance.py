"""What a result came from: code, versions, machine."""

import importlib.metadata
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from replication.settings.run import RunSettings
from replication.settings.schedule import LossProbing, PureSchedule, RangeTested, ScheduleSettings
from replication.settings.yaml_file import read_yaml
from replication.system.code_digest import code_digest
from replication.system.digests import canonical_json, digest_of_file, digest_of_text
from replication.system.files import PACKAGE

# Packages that can change the numbers of a run.
RECORDED_PACKAGES = ("torch", "torchvision", "numpy", "safetensors", "schedulefree")
LOCK_FILE = "envs/requirements.lock"
# What libraries compute with, of an x86 processor, the widest first: sums are rounded differently by each.
INSTRUCTIONS = ("avx512f", "avx2", "avx")
NONE = ""  # chosen from a registry: nothing


def registry_choices(settings: RunSettings) -> dict[str, str]:
    """Return, for each registry that training uses, the entry that a run with `settings` takes from it."""
    schedule = settings.schedule
    pure = isinstance(schedule, PureSchedule)
    warm_up = schedule.warm_up if isinstance(schedule, PureSchedule) else None
    stopping = settings.early_stopping
    judged = stopping.judged if stopping else NONE
    averaged = settings.averaging.at if settings.averaging else NONE
    return {
        "training.models.MODELS": settings.model.name,
        "training.optimizers.OPTIMIZERS": settings.optimizer.name,
        "training.controllers.CONTROLLERS": "planned" if pure else schedule.name,
        "training.early_stopping.STOPPING_RULES": stopping.name if stopping else NONE,
        "training.early_stopping.JUDGED_EPOCHS": judged,
        "training.averaged_epochs.AVERAGED_EPOCHS": averaged,
        "schedules.cycles.CYCLES": schedule.name if "cycle_ends" in (judged, averaged) else NONE,
        "schedules.from_settings.CURVES": _curve(schedule),
        "schedules.from_settings.MOMENTUM_CURVES": _curve(schedule),
        "schedules.from_settings.ANNEALINGS": getattr(schedule, "annealing", NONE),
        "schedules.from_settings.WARM_UPS": warm_up.name if warm_up else NONE,
        "training.controllers.loss_probing.NORMALISATIONS": (
            schedule.normalisation if isinstance(schedule, LossProbing) else NONE
        ),
    }


def _curve(schedule: ScheduleSettings) -> str:
    """Return the curve that a schedule reads its rates from, which for `range_tested` is that of its cycles."""
    if isinstance(schedule, RangeTested):
        return schedule.policy
    return schedule.name if isinstance(schedule, PureSchedule) else NONE


def git_state(folder: str | Path = ".") -> dict[str, Any]:
    """Return the commit of the working tree and whether tracked files differ from it; None without git or a commit."""
    # It may note in git's index what it has read: without that, each call reads each file of a new clone again.
    command = ["git", "-C", str(folder), "status", "--porcelain=v2", "--branch"]
    unknown = {"commit": None, "dirty": None}
    try:
        said = subprocess.run([*command, "--untracked-files=no"], check=True, capture_output=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return unknown
    first, *others = said.decode(errors="replace").splitlines()
    commit = first.removeprefix("# branch.oid ")
    if commit == "(initial)":
        return unknown
    return {"commit": commit, "dirty": any(not line.startswith("# ") for line in others)}


@cache
def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that can change the numbers, as they were at the first call."""
    versions = {name: importlib.metadata.version(name) for name in RECORDED_PACKAGES}
    return {"python": platform.python_version(), **versions}


def environment() -> dict[str, Any]:
    """Return the hash of the lock file (None without one) and of the list of all that is installed."""
    lock = Path(LOCK_FILE)
    return {
        "lock_sha256": digest_of_file(lock) if lock.is_file() else None,
        "installed_sha256": installed_digest(),
    }


@cache
def installed_digest() -> str:
    """Return the hash of the list of all that is installed, as it was at the first call."""
    installed = sorted({f"{each.name}=={each.version}" for each in importlib.metadata.distributions()})
    return digest_of_text("\n".join(installed))


def study_facts(study: str) -> dict[str, Any]:
    """Return the file of a study with its hash, the hash of its statements alone, and that of the rules of verdicts."""
    path = Path("config/studies", f"{study}.yaml")
    rules = {"rules_sha256": rules_digest()}
    if not path.is_file():
        return {"file": str(path), "sha256": None, "statements_sha256": None, **rules}
    digest = digest_of_file(path)
    return {
        "file": str(path),
        "sha256": digest,
        "statements_sha256": _statements_digest(path, digest),
        **rules,
    }


@cache
def _statements_digest(path: Path, _content: str) -> str:
    """Return the hash of a study's statements; `_content` is its file's hash, so that an edited one is read again."""
    return digest_of_text(canonical_json(read_yaml(path).get("statements")))


@cache
def rules_digest() -> str:
    """Return the hash of the code that judges, whatever it stands in, as it was at the first call."""
    # Of data sets the rules read how many images they have; how each is prepared is no rule, nor is a new one.
    return code_digest(PACKAGE / "analysis" / "verdicts.py", {"data.registry.DATASETS": "mnist"})


def machine() -> dict[str, Any]:
    """Return what kind of machine this is; nothing that names it."""
    return {"system": platform.system(), "architecture": platform.machine(), "processor": _processor()}


def _processor() -> str:
    """Return the processor by all that libraries choose their code by, for a name may stand for several kinds."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor()
    facts = {
        key.strip(): value.strip() for key, _, value in (each.partition(":") for each in text.splitlines())
    }
    kind = [
        f"{name} {facts[key]}" for name, key in (("family", "cpu family"), ("model", "model")) if key in facts
    ]
    has = next((each for each in INSTRUCTIONS if each in facts.get("flags", "").split()), "")
    return ", ".join(filter(None, (facts.get("model name", ""), *kind, has)))
