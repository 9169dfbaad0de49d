"""Trainers to be killed: forks of one process that has imported PyTorch, so that each takes a fraction of a second.

The process must not have used PyTorch before it forks, since its threads do not live on in a child. Therefore it is
one of its own and not the one that runs the tests: this file, run as a script.
"""
# ruff: noqa: T201 - it answers on standard output

import functools
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from moments import Moments
from places import ROOT, TESTS

RUN_ID = "study/arm/seed-7"
# How a child ends that is not killed.
DONE, REFUSED, CRASHED = 0, 1, 4

Job = dict[str, Any]


def at_moment(number: int, at: int, of: str = "") -> Job:
    """Return what has a job send itself a signal at a moment of its own (see moments.py)."""
    return {"moments": {"number": int(number), "at": at, "of": of}}


class TrainerForks:
    """The process that forks, as the tests see it."""

    def __init__(self) -> None:
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'workflow'}{os.pathsep}{TESTS / 'helpers'}"}
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    def _ask(self, **question: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(question), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        assert answer, "the process that forks has ended"
        return json.loads(answer)

    def start(self, **job: Any) -> int:
        """Fork a child that does `job`; return its process number."""
        return int(self._ask(start=job))

    def wait(self, number: int, *, stopped: bool = False) -> int:
        """Wait until a child has ended, or stopped itself; return its exit status, or minus a signal."""
        return int(self._ask(wait=number, stopped=stopped))

    def run(self, **job: Any) -> int:
        """Have a child do `job`, and return how it has ended."""
        return self.wait(self.start(**job))

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def _serve() -> None:
    """Answer the questions of `TrainerForks`, one line each."""
    for line in sys.stdin:
        question = json.loads(line)
        if "start" in question:
            answer = _fork(question["start"])
        else:
            answer = _ended(os.waitpid(question["wait"], os.WUNTRACED if question["stopped"] else 0)[1])
        print(answer, flush=True)


def _ended(status: int) -> int:
    return -os.WSTOPSIG(status) if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def _fork(job: Job) -> int:
    number = os.fork()
    if number:
        return number
    status = CRASHED
    try:
        status = _do(job)
    finally:
        os._exit(status)


def _do(job: Job) -> int:
    """Do a job as the scripts of the workflow do theirs."""
    from replication.system import interruption
    from replication.system.logs import logged

    interruption.listen()
    sys.stderr = sys.__stderr__ = Path(job["log"] + ".stderr").open("w", buffering=1)  # noqa: SIM115
    try:
        with logged(job["log"]) as log, counted(job):
            JOBS[job.get("what", "train")](job, log)
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
        return REFUSED
    except BaseException:
        return CRASHED
    return DONE


@contextmanager
def counted(job: Job) -> Iterator[None]:
    """Count the moments of the block, if a job asks for it, and leave their number beside its log."""
    if "moments" not in job:
        yield
        return
    moments = Moments(**job["moments"])
    sys.setprofile(moments)
    try:
        yield
    finally:
        sys.setprofile(None)
    Path(job["log"] + ".moments").write_text(str(moments.count))


def _train(job: Job, log: Any) -> None:
    from replication.runs import job as runs
    from replication.system import folder_lock

    runs.Checkpoints.due = _at_every(job.get("checkpoint_steps", 3))
    if "patience_seconds" in job:
        runs.locked = functools.partial(folder_lock.locked, patience_seconds=job["patience_seconds"])
    if "save" in job:
        SAVES[job["save"]](runs.Checkpoints)
    if "memory_bytes" in job:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + job["memory_bytes"],) * 2)
    runs.run(RUN_ID, job["settings"], job["dataset"], job["folder"], device="cpu", code="code", log=log)


def _save(job: Job, _log: Any) -> None:
    """Go on with the checkpoints in a folder, and stop until somebody has this process go on with one save."""
    import torch

    from replication.training.checkpoint import Checkpoints

    if "save" in job:
        SAVES[job["save"]](Checkpoints)
    checkpoints = Checkpoints(job["folder"], {"run": "this"})
    checkpoints.load()
    state = {"step": job["step"], "weights": torch.full((4096,), float(job["step"]))}
    os.kill(os.getpid(), signal.SIGSTOP)
    checkpoints.save(state)


def _at_every(steps: int) -> Callable[[Any], bool]:
    """Return a clock for checkpoints that counts steps, as no two machines take as long for one."""
    taken = itertools.count()
    return lambda _: next(taken) % steps == 0


JOBS = {"train": _train, "save": _save}


def _save_in_place(checkpoints: Any) -> None:
    """Save checkpoints in the simplest way: in one file, which is overwritten, and read without a check."""
    import torch

    def save(self: Any, state: Any) -> None:
        with self._paths[0].open("wb") as stream:
            torch.save(state, stream)

    def load(self: Any) -> Any:
        return torch.load(self._paths[0]) if self._paths[0].exists() else None

    checkpoints.save, checkpoints.load = save, load


def _save_without_generators(checkpoints: Any) -> None:
    """Save checkpoints with the generators' first state instead of the present one."""
    whole, first = checkpoints.save, []

    def save(self: Any, state: Any) -> None:
        first.append(state["random"])
        whole(self, state | {"random": first[0]})

    checkpoints.save = save


SAVES = {"in place": _save_in_place, "without generators": _save_without_generators}


if __name__ == "__main__":
    import torch
    import torch._dynamo
    import torch._inductor  # both are imported by the first optimizer, and take seconds

    import replication.runs.job  # noqa: F401 - what the children need
    from replication.runs.provenance import environment

    torch.set_num_threads(1)
    environment()  # it remembers what takes each child a while otherwise
    _serve()
