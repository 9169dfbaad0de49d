"""Sharing the GPUs of a machine: each has a number of slots, and each run takes one."""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from replication.system import interruption
from replication.system.flock import try_exclusively

PAUSE_SECONDS = 0.5


@contextmanager
def gpu_slot(device: torch.device, runs_per_gpu: int) -> Iterator[torch.device]:
    """Yield the device to train on: one of the visible GPUs with a slot free, after waiting for one if need be.

    Parameters
    ----------
    device
        The CPU, which is yielded as it is, or `cuda`.
    runs_per_gpu
        How many runs share a GPU.

    Raises
    ------
    RunInterruptedError
        A signal has asked this process to end while it waited.
    """
    if device.type != "cuda":
        yield device
        return
    # By the hardware's own names: a batch system may number the GPUs of each job from 0.
    names = [str(torch.cuda.get_device_properties(n).uuid) for n in range(torch.cuda.device_count())]
    with free_slot(names, runs_per_gpu, slots_folder()) as number:
        yield torch.device("cuda", number)


def slots_folder() -> Path:
    """Return where this user's processes on this machine take their slots."""
    return Path(tempfile.gettempdir(), f"learning-rate-replication-{os.getuid()}", "gpus")


@contextmanager
def free_slot(names: Sequence[str], slots: int, folder: Path) -> Iterator[int]:
    """Hold a slot of one of `names`, which are GPUs, during the block, and yield its position in `names`.

    The first slot of each comes before the second of any, so that the load is spread. A slot is a lock (flock) on
    a file in `folder`, and ends with the process that holds it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as stack:
        files = [
            (number, stack.enter_context((folder / f"{name}-{slot}").open("a", encoding="utf-8")))
            for slot in range(slots)
            for number, name in enumerate(names)
        ]
        while (found := next((number for number, file in files if try_exclusively(file)), None)) is None:
            interruption.check()
            time.sleep(PAUSE_SECONDS)
        yield found
