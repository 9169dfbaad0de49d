"""Checkpoints: the state of a run, in two slots that are written in turn."""

import hashlib
import io
import math
import pickle
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import torch

from replication.system.files import PARTIAL, whole_file

SLOTS = (".checkpoint-0", ".checkpoint-1")
DIGEST_BYTES = hashlib.sha256().digest_size
Identity = Mapping[str, Any]
State = dict[str, Any]


class Checkpoints:
    """The two slots of one run.

    A slot is a SHA-256 followed by what `torch.save` writes of tensors and plain values: torch itself notices
    few damages. A slot is replaced whole, and never the one that was written last, so that at any moment the
    other one can be read, whatever happens to this write.

    Parameters
    ----------
    folder
        Of the run.
    identity
        What the state depends on: plain values. A checkpoint of another identity is not used.
    log
        Where to say which checkpoint is used and which is not; None: nowhere.
    seconds
        After the start, or after a checkpoint, when the next one is due.
    """

    def __init__(
        self,
        folder: str | Path,
        identity: Identity,
        log: IO[str] | None = None,
        seconds: float = math.inf,
    ) -> None:
        self._paths = [Path(folder, name) for name in SLOTS]
        self._identity = dict(identity)
        self._log = log
        self._seconds = seconds
        self._saved_at = time.monotonic()
        self._number = 0

    def due(self) -> bool:
        """Return whether it is time to save the state again."""
        return time.monotonic() - self._saved_at >= self._seconds

    def save(self, state: State) -> None:
        """Write `state` to the slot that holds the older one.

        Raises
        ------
        OSError
            The disk is full, or does not take it. The other slot is as it was.
        """
        number = self._number + 1
        content = io.BytesIO()
        torch.save({"number": number, "identity": self._identity, "state": state}, content)
        try:
            with whole_file(self._paths[number % 2]) as temporary, temporary.open("wb") as stream:
                stream.write(hashlib.sha256(content.getbuffer()).digest())
                stream.write(content.getbuffer())
        finally:
            self._saved_at = time.monotonic()  # on a full disk too: there may be room again for the next
        self._number = number

    def load(self) -> State | None:
        """Return the newest state that can be used, tensors on the CPU; None to start from the beginning."""
        found = sorted(self._readable(), key=lambda saved: int(saved["number"]))
        if not found:
            return None
        self._number = found[-1]["number"]
        state: State = found[-1]["state"]
        return state

    def _readable(self) -> Iterator[dict[str, Any]]:
        for path in self._paths:
            if not path.exists():
                continue
            saved = _read(path)
            if saved is None:
                self._say(f"{path}: damaged, not used")
            elif saved["identity"] != self._identity:
                changed = ", ".join(_differences(saved["identity"], self._identity))
                self._say(f"{path}: of another run ({changed} changed), not used")
            else:
                yield saved

    def _say(self, message: str) -> None:
        if self._log is not None:
            print(message, file=self._log)

    def clear(self) -> None:
        """Remove both slots, and what killed processes have left of them."""
        for path in self._paths:
            for leftover in (path, *path.parent.glob(f".{path.name}.*{PARTIAL}")):
                leftover.unlink(missing_ok=True)


def _differences(one: Identity, other: Identity) -> list[str]:
    """Return the keys that are in one of the two only, or have another value in each."""
    return sorted(
        key for key in {*one, *other} if (key in one, one.get(key)) != (key in other, other.get(key))
    )


def _read(path: Path) -> dict[str, Any] | None:
    """Return what a slot holds, or None if it is damaged."""
    try:
        content = path.read_bytes()
        if hashlib.sha256(content[DIGEST_BYTES:]).digest() != content[:DIGEST_BYTES]:
            return None
        saved: dict[str, Any] = torch.load(
            io.BytesIO(content[DIGEST_BYTES:]), map_location="cpu", weights_only=True
        )
    except (OSError, pickle.UnpicklingError, RuntimeError, EOFError):
        return None
    return saved if isinstance(saved, dict) and {"number", "identity", "state"} <= saved.keys() else None
