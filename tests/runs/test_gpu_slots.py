import multiprocessing
import os
import signal
import threading

import pytest
import torch

from replication.runs import gpu_slots
from replication.runs.gpu_slots import free_slot, gpu_slot
from replication.system import interruption
from replication.system.interruption import RunInterruptedError
from waiting import PATIENCE_SECONDS


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(gpu_slots, "PAUSE_SECONDS", 0.01)


def test_runs_are_spread_before_they_share(tmp_path):
    slots = [free_slot(["first", "second"], 2, tmp_path) for _ in range(4)]
    assert [slot.__enter__() for slot in slots] == [0, 1, 0, 1]
    slots[1].__exit__(None, None, None)
    with free_slot(["first", "second"], 2, tmp_path) as place:
        assert place == 1
    for slot in (slots[0], slots[2], slots[3]):
        slot.__exit__(None, None, None)


def test_one_too_many_waits_for_its_turn(tmp_path, monkeypatch):
    order, waits = [], threading.Event()
    monkeypatch.setattr(interruption, "check", waits.set)  # called between two looks

    def second() -> None:
        with free_slot(["only"], 1, tmp_path):
            order.append("second")

    waiting = threading.Thread(target=second)
    with free_slot(["only"], 1, tmp_path):
        waiting.start()
        assert waits.wait(PATIENCE_SECONDS)
        order.append("first")
    waiting.join()
    assert order == ["first", "second"]


def hold(folder, ready) -> None:
    with free_slot(["only"], 1, folder):
        ready.set()
        signal.pause()


def test_a_slot_ends_with_its_process(tmp_path):
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    holder = context.Process(target=hold, args=(tmp_path, ready))
    holder.start()
    assert ready.wait(PATIENCE_SECONDS)
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with free_slot(["only"], 1, tmp_path) as place:
        assert place == 0


def test_a_signal_ends_the_wait(tmp_path, monkeypatch):
    def interrupted() -> None:
        raise RunInterruptedError("SIGTERM")

    monkeypatch.setattr(interruption, "check", interrupted)
    with (
        free_slot(["only"], 1, tmp_path),
        pytest.raises(RunInterruptedError),
        free_slot(["only"], 1, tmp_path),
    ):
        pass


def test_the_cpu_has_no_slots():
    cpu = torch.device("cpu")
    with gpu_slot(cpu, 1) as first, gpu_slot(cpu, 1) as second:
        assert first is second is cpu


def test_visible_gpus_are_told_apart_by_their_hardware(tmp_path, monkeypatch):
    class Properties:
        def __init__(self, number):
            self.uuid = f"GPU-{number}"

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", Properties)
    monkeypatch.setattr(gpu_slots, "slots_folder", lambda: tmp_path)
    cuda = torch.device("cuda")
    with gpu_slot(cuda, 1) as first, gpu_slot(cuda, 1) as second:
        assert [str(first), str(second)] == ["cuda:0", "cuda:1"]
    assert {path.name for path in tmp_path.iterdir()} == {"GPU-0-0", "GPU-1-0"}
