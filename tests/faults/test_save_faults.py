"""A fault at any system call of a save leaves a checkpoint that can be read: the previous one, or the new one."""
# ruff: noqa: T201 - the counts are what one wants to see of these tests (pytest -s)

import os
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from replication.training.checkpoint import SLOTS, Checkpoints
from trainer_forks import DONE, REFUSED, TrainerForks

pytestmark = pytest.mark.fault

IDENTITY = {"run": "this"}
CALL = re.compile(r"^(\w+)\(")
# What strace can make of a call: an error that the call returns, or the end of the process in it.
ERRORS = ("ENOSPC", "EIO")
# Calls that no disk answers.
NOT_OF_FILES = {
    "brk", "clock_nanosleep", "futex", "getpid", "gettid", "getrandom", "getuid", "kill", "madvise", "mmap", "mprotect",
    "mremap", "munmap", "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sched_yield", "tgkill",
    "uname",
}  # fmt: skip


def state_of(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((4096,), float(step))}


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose two slots hold the steps 1 and 2."""
    folder = tmp_path_factory.mktemp("before")
    checkpoints = Checkpoints(folder, IDENTITY)
    for step in (1, 2):
        checkpoints.save(state_of(step))
    return folder


def save_under_strace(forks: TrainerForks, folder: Path, *options: str, **more: str) -> tuple[int, str]:
    """Let a child save step 3 while strace watches; return how the child ends, and its calls."""
    log, trace = folder.with_suffix(".log"), folder.with_suffix(".trace")
    child = forks.start(what="save", folder=str(folder), step=3, log=str(log), **more)
    assert forks.wait(child, stopped=True) == -signal.SIGSTOP
    command = ["strace", "-p", str(child), "-o", str(trace), *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr
        said = strace.stderr.readline()
        os.kill(child, signal.SIGCONT)
        status = forks.wait(child)
        said += strace.stderr.read()
    if "attached" not in said:
        pytest.skip(f"strace may not watch a process here: {said.strip()}")
    return status, trace.read_text()


@pytest.fixture(scope="module")
def calls(forks: TrainerForks, before: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the names of the system calls of one save, in order."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace (Debian: strace)")
    folder = Path(shutil.copytree(before, tmp_path_factory.mktemp("traced") / "folder"))
    status, trace = save_under_strace(forks, folder)
    assert status == DONE
    names = [match.group(1) for line in trace.splitlines() if (match := CALL.match(line))]
    assert {"fsync", "rename", "write"} <= set(names)
    return names[: names.index("exit_group")]


def faults(calls: list[str]) -> Iterator[str]:
    """Give the options of strace for each fault at each call."""
    seen: Counter[str] = Counter()
    for name in calls:
        seen[name] += 1
        kinds = ["signal=KILL"] + ([] if name in NOT_OF_FILES else [f"error={error}" for error in ERRORS])
        for kind in kinds:
            yield f"{name}:{kind}:when={seen[name]}"


def test_a_fault_at_every_call_of_a_save(forks, before: Path, calls, tmp_path: Path) -> None:
    injected: Counter[str] = Counter()
    for number, fault in enumerate(faults(calls)):
        folder = Path(shutil.copytree(before, tmp_path / str(number)))
        name, kind, _ = fault.split(":")
        status, trace = save_under_strace(forks, folder, "-e", f"trace={name}", "-e", f"inject={fault}")
        assert "(INJECTED)" in trace or "+++ killed by SIGKILL +++" in trace, fault
        injected[kind] += 1
        check(folder, status, kind, fault)
        shutil.rmtree(folder)
    print(f"{injected.total()} faults: {dict(injected)}")
    assert injected.total() > 60


def check(folder: Path, status: int, kind: str, fault: str) -> None:
    """Check what a save has left that met a fault."""
    said = folder.with_suffix(".log").read_text()
    assert status in ({-signal.SIGKILL} if kind == "signal=KILL" else {DONE, REFUSED}), (fault, status, said)
    found = Checkpoints(folder, IDENTITY).load()
    assert found is not None, fault
    assert found["step"] in ({3} if status == DONE else {2, 3}), fault
    assert torch.equal(found["weights"], state_of(found["step"])["weights"]), fault
    # The next save does not touch the one that can be read, and leaves nothing of this one.
    checkpoints = Checkpoints(folder, IDENTITY)
    checkpoints.load()
    checkpoints.save(state_of(4))
    after = Checkpoints(folder, IDENTITY).load()
    assert after is not None
    assert after["step"] == 4
    checkpoints.clear()
    assert [path.name for path in folder.iterdir()] == [], fault


@pytest.mark.usefixtures("calls")
def test_the_same_faults_show_a_naive_save(forks, tmp_path: Path) -> None:
    unreadable = 0
    for number in range(1, 6):
        folder = tmp_path / str(number)
        folder.mkdir()
        torch.save(state_of(2), (folder / SLOTS[0]).open("wb"))
        options = ("-e", "trace=write", "-e", f"inject=write:signal=KILL:when={number}")
        save_under_strace(forks, folder, *options, save="in place")
        try:
            torch.load(folder / SLOTS[0])
        except (RuntimeError, EOFError, OSError):
            unreadable += 1
    assert unreadable > 0
