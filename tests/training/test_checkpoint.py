"""Checkpoints: two slots, of which one can always be read."""

import hashlib
import io
import os
import pickle
import random
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch

from replication.training import checkpoint
from replication.training.checkpoint import DIGEST_BYTES, SLOTS, Checkpoints

IDENTITY = {"run_id": "study/arm/seed-1", "code_sha256": "abc"}


def state_of(step):
    return {"step": step, "weights": torch.full((50,), float(step)), "nested": {"list": [1.5, None, "text"]}}


def checkpoints_in(folder, log=None, **changes):
    return Checkpoints(folder, IDENTITY | changes, log)


def saved(folder, steps=(1, 2)):
    """Save states of these steps, and return the slots, the newest last."""
    checkpoints = checkpoints_in(folder)
    for step in steps:
        checkpoints.save(state_of(step))
    return sorted((folder / name for name in SLOTS if (folder / name).exists()), key=number_in)


def number_in(path):
    return torch.load(io.BytesIO(path.read_bytes()[DIGEST_BYTES:]))["number"]


def loaded_step(folder, log=None, **changes):
    state = checkpoints_in(folder, log, **changes).load()
    return None if state is None else state["step"]


def flip(path, position, bit=0):
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content)


def test_what_is_loaded_is_what_was_saved(tmp_path):
    saved(tmp_path)
    state = checkpoints_in(tmp_path).load()
    assert torch.equal(state.pop("weights"), torch.full((50,), 2.0))
    assert state == {"step": 2, "nested": {"list": [1.5, None, "text"]}}


def full_disk(_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("room", [True, False])
def test_one_is_due_some_seconds_after_the_last_was_tried(tmp_path, monkeypatch, room):
    now = [100.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: now[0])
    checkpoints = Checkpoints(tmp_path, IDENTITY, seconds=30.0)
    for start in (100.0, 200.0):
        now[0] = start + 29.5
        assert not checkpoints.due()
        now[0] = start + 30.0
        assert checkpoints.due()
        now[0] = 200.0
        with (
            nullcontext() if room else pytest.raises(OSError, match="No space"),
            monkeypatch.context() as patch,
        ):
            if not room:
                patch.setattr(checkpoint, "whole_file", full_disk)
            checkpoints.save(state_of(1))


def test_without_a_number_of_seconds_none_is_ever_due(tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, IDENTITY)
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: 1e9)
    assert not checkpoints.due()


def test_without_a_checkpoint_a_run_starts_from_the_beginning(tmp_path):
    log = io.StringIO()
    assert loaded_step(tmp_path / "no such folder", log) is None
    assert log.getvalue() == ""


def test_slots_are_written_in_turn(tmp_path):
    checkpoints = checkpoints_in(tmp_path)
    before = {}
    for step in range(1, 7):
        checkpoints.save(state_of(step))
        now = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        changed = {name for name, content in now.items() if before.get(name) != content}
        assert changed == {SLOTS[step % 2]}
        assert set(now) <= set(SLOTS)
        before = now


def test_a_new_process_writes_the_older_slot(tmp_path):
    for step in range(1, 7):
        checkpoints = checkpoints_in(tmp_path)
        assert (checkpoints.load() or {"step": 0})["step"] == step - 1
        checkpoints.save(state_of(step))


@pytest.mark.parametrize("damage", ["flipped", "cut off", "empty", "longer", "text"])
def test_a_damaged_slot_is_not_used_and_the_other_is(tmp_path, damage):
    older, newer = saved(tmp_path)
    content = newer.read_bytes()
    newer.write_bytes(
        {
            "flipped": content[:100] + bytes([content[100] ^ 16]) + content[101:],
            "cut off": content[:-1],
            "empty": b"",
            "longer": content + b"\0",
            "text": b"not a checkpoint at all, but longer than a digest",
        }[damage]
    )
    log = io.StringIO()
    checkpoints = checkpoints_in(tmp_path, log)
    assert checkpoints.load()["step"] == 1
    assert log.getvalue() == f"{newer}: damaged, not used\n"
    kept = older.read_bytes()
    checkpoints.save(state_of(3))
    assert older.read_bytes() == kept
    assert loaded_step(tmp_path) == 3


def test_with_both_slots_damaged_a_run_starts_from_the_beginning_and_says_so(tmp_path):
    slots = saved(tmp_path)
    for path in slots:
        flip(path, 200)
    log = io.StringIO()
    checkpoints = checkpoints_in(tmp_path, log)
    assert checkpoints.load() is None
    assert sorted(log.getvalue().splitlines()) == sorted(f"{path}: damaged, not used" for path in slots)
    checkpoints.save(state_of(1))
    assert loaded_step(tmp_path) == 1


def test_every_flipped_bit_is_noticed(tmp_path):
    (path,) = saved(tmp_path, steps=[1])
    whole = path.read_bytes()
    chance = random.Random(0)
    positions = {*range(DIGEST_BYTES + 70), *chance.sample(range(len(whole)), 300), len(whole) - 1}
    for position in positions:
        flip(path, position, chance.randrange(8))
        assert loaded_step(tmp_path) is None, position
        path.write_bytes(whole)
    assert loaded_step(tmp_path) == 1


def test_torch_alone_would_not_notice(tmp_path):
    (path,) = saved(tmp_path, steps=[1])
    content = path.read_bytes()[DIGEST_BYTES:]
    at = content.index(torch.full((50,), 1.0).numpy().tobytes())
    state = torch.load(io.BytesIO(content[:at] + b"\1" + content[at + 1 :]))["state"]
    assert not torch.equal(state["weights"], state_of(1)["weights"])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code_sha256": "abd"}, "code_sha256"),
        ({"code_sha256": "abd", "run_id": "study/arm/seed-2"}, "code_sha256, run_id"),
        ({"device": "cuda"}, "device"),
    ],
)
def test_a_checkpoint_of_another_run_is_not_used(tmp_path, changes, said):
    (path,) = saved(tmp_path, steps=[1])
    log = io.StringIO()
    assert loaded_step(tmp_path, log, **changes) is None
    assert log.getvalue() == f"{path}: of another run ({said} changed), not used\n"


def test_an_identity_with_less_in_it_says_what_is_gone(tmp_path):
    (path,) = saved(tmp_path, steps=[1])
    log = io.StringIO()
    assert Checkpoints(tmp_path, {"run_id": IDENTITY["run_id"]}, log).load() is None
    assert log.getvalue() == f"{path}: of another run (code_sha256 changed), not used\n"


def test_a_run_among_checkpoints_of_another_uses_its_own(tmp_path):
    saved(tmp_path, steps=range(1, 8))
    other = checkpoints_in(tmp_path, code_sha256="new")
    assert other.load() is None
    for step in (10, 20, 30):
        other.save(state_of(step))
        assert loaded_step(tmp_path, code_sha256="new") == step


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    stream = io.BytesIO()
    torch.save({"number": 1, "identity": IDENTITY, "state": Harmful()}, stream)
    for content in (stream.getvalue(), pickle.dumps(Harmful())):
        (tmp_path / SLOTS[1]).write_bytes(hashlib.sha256(content).digest() + content)
        log = io.StringIO()
        assert loaded_step(tmp_path, log) is None
        assert log.getvalue() == f"{tmp_path / SLOTS[1]}: damaged, not used\n"
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("content", [{"number": 1}, [1, 2], 5])
def test_something_else_that_torch_saves_is_not_a_checkpoint(tmp_path, content):
    stream = io.BytesIO()
    torch.save(content, stream)
    (tmp_path / SLOTS[0]).write_bytes(hashlib.sha256(stream.getvalue()).digest() + stream.getvalue())
    assert loaded_step(tmp_path) is None


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_both_slots(tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError(28, "No space left on device")

    saved(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    checkpoints = checkpoints_in(tmp_path)
    checkpoints.load()
    with monkeypatch.context() as patch:
        patch.setattr(os if step == "fsync" else Path, step, fail)
        for _ in range(3):
            with pytest.raises(OSError, match="No space"):
                checkpoints.save(state_of(3))
            assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    checkpoints.save(state_of(4))
    assert loaded_step(tmp_path) == 4
    assert (tmp_path / SLOTS[0]).read_bytes() == before[SLOTS[0]]


def test_at_the_end_nothing_is_left_of_them(tmp_path):
    saved(tmp_path)
    leftover = tmp_path / f".{SLOTS[1]}.host-99999999-abc.partial"
    leftover.touch()
    (tmp_path / "history.csv").touch()
    checkpoints = checkpoints_in(tmp_path)
    checkpoints.clear()
    checkpoints.clear()
    assert {path.name for path in tmp_path.iterdir()} == {"history.csv"}
    assert checkpoints.load() is None
