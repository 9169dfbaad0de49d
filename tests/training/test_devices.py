"""Where a run trains."""

import subprocess

import pytest
import torch

from replication.errors import ConfigurationError
from replication.training.devices import choose_device, device_name, driver_version, peak_memory_of

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("name", "available", "expected"),
    [
        ("auto", False, CPU),
        ("auto", True, CUDA),
        ("cpu", False, CPU),
        ("cpu", True, CPU),
        ("cuda", True, CUDA),
    ],
)
def test_the_device_that_a_name_stands_for(monkeypatch, name, available, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert choose_device(name) == expected


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigurationError, match="PyTorch sees no GPU: use auto or cpu"):
        choose_device("cuda")


def test_names(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"a GPU at {device}")
    assert device_name(CPU) == "cpu"
    assert device_name(CUDA) == "a GPU at cuda"


def test_the_driver_is_asked_for_on_a_gpu_only(monkeypatch):
    def answer(command, **_):
        assert command[0] == "nvidia-smi"
        return subprocess.CompletedProcess(command, 0, stdout="580.1\n580.1\n")

    monkeypatch.setattr(subprocess, "run", answer)
    assert driver_version(CUDA) == "580.1"
    monkeypatch.setattr(subprocess, "run", None)
    assert driver_version(CPU) is None


@pytest.mark.parametrize(
    "error", [FileNotFoundError("nvidia-smi"), subprocess.CalledProcessError(9, "nvidia-smi")]
)
def test_without_the_drivers_tool_its_version_is_unknown(monkeypatch, error):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert driver_version(CUDA) is None


def test_the_largest_memory_is_that_of_the_process_or_of_the_gpu(monkeypatch):
    before = peak_memory_of(CPU)
    held = torch.ones(32 * 2**20 // 4)  # 32 MiB
    assert peak_memory_of(CPU) >= before >= held.nbytes / 1e6
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 7_000_000 if device == CUDA else 0)
    assert peak_memory_of(CUDA) == 7
