"""Where a run trains."""

import subprocess
from typing import Literal

import torch

from replication.errors import ConfigurationError
from replication.system.memory import MEGABYTE, peak_memory_mb


def choose_device(name: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device that `name` stands for.

    Raises
    ------
    ConfigurationError
        A GPU is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigurationError("device: cuda is asked for, but PyTorch sees no GPU: use auto or cpu")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def device_name(device: torch.device) -> str:
    """Return what kind of device it is: `cpu`, or the GPU's model."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def driver_version(device: torch.device) -> str | None:
    """Return the version of the GPU's driver; None on the CPU, or where the driver's tool is missing."""
    if device.type != "cuda":
        return None
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.splitlines()[0].strip()


def peak_memory_of(device: torch.device) -> float:
    """Return the largest memory that this process has taken so far, in megabytes (10^6 bytes).

    That is its resident memory, or on a GPU that of its tensors there.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MEGABYTE
    return peak_memory_mb()
