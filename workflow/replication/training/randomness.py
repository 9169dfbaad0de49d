"""Random streams: one for each purpose, all drawn from the seed of the run."""

import hashlib
from typing import Any, Literal

import torch

Purpose = Literal["initial weights", "data order", "augmentation", "probing", "range test", "model"]


def stream_seed(seed: int, purpose: Purpose) -> int:
    """Return the seed of the stream for `purpose`, between 0 and 2**63 - 1.

    The streams are independent, so that arms of one seed share initial weights and data order whatever else
    they draw: this is what makes differences between arms paired by seed.
    """
    return _number_from(f"{seed}/{purpose}")


def _number_from(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def member_seed(seed: int, member: int) -> int:
    """Return the seed of one of several independent models that a run's seed stands for; the first has that seed."""
    return seed if member == 1 else _number_from(f"{seed}/member {member}")


def stream(seed: int, purpose: Purpose) -> torch.Generator:
    """Return a generator on the CPU, so that a GPU draws the same numbers."""
    return torch.Generator().manual_seed(stream_seed(seed, purpose))


def random_state(streams: list[torch.Generator]) -> dict[str, Any]:
    """Return the states of `streams`, and of torch's own generators, which dropout draws from."""
    return {
        "streams": [generator.get_state() for generator in streams],
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def load_random_state(state: dict[str, Any], streams: list[torch.Generator]) -> None:
    """Set all generators to the states that `random_state` has returned for the same streams."""
    for generator, saved in zip(streams, state["streams"], strict=True):
        generator.set_state(saved)
    torch.set_rng_state(state["torch"])
    for number, saved in enumerate(state["cuda"]):
        torch.cuda.set_rng_state(saved, number)
