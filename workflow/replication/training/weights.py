"""The weights and buffers of a model as plain values."""

import hashlib
from typing import Any

from torch import Tensor, nn


def copy_of_weights(model: nn.Module) -> dict[str, Tensor]:
    """Return copies of all weights and buffers by name."""
    return {name: value.clone() for name, value in model.state_dict().items()}


def all_finite(model: nn.Module) -> bool:
    """Say whether no weight and no buffer is infinite or not a number."""
    return all(bool(value.isfinite().all()) for value in model.state_dict().values())


def digest_of_weights(model: nn.Module) -> str:
    """Return the SHA-256 of all weights and buffers: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        tensor: Any = value.detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
