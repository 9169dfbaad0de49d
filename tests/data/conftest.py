"""Data sets small enough for a web server of the tests."""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from idx_files import IDX_SHAPES, idx_file
from loopback import Mirrors, serve
from replication.data.dataset import Dataset, Source
from replication.data.registry import DATASETS


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirrors]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("replication.data.downloading.FIRST_PAUSE_SECONDS", 0.0)
    with serve() as scripted:
        yield scripted


@pytest.fixture
def tiny_mnist(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Let `mnist` mean four tiny IDX files; returns their content, compressed, by the published names."""
    random = np.random.default_rng(0)
    arrays = {name: random.integers(0, 10, shape, np.uint8) for name, shape in IDX_SHAPES.items()}
    content = {name: idx_file(values) for name, values in arrays.items()}
    recipe = DATASETS["mnist"]
    bare = {file: content[file.name.removesuffix(".gz")] for file in recipe.files}
    files = tuple(
        replace(file, size=len(idx), sha256=hashlib.sha256(idx).hexdigest()) for file, idx in bare.items()
    )
    monkeypatch.setitem(DATASETS, "mnist", replace(recipe, files=files))
    return {f"{name}.gz": gzip.compress(idx) for name, idx in content.items()}


@pytest.fixture
def small_dataset() -> Dataset:
    random = np.random.default_rng(1)

    def split(count: int) -> tuple[np.ndarray, np.ndarray]:
        images = random.integers(0, 256, (count, 2, 3, 3), np.uint8)
        return images, random.integers(0, 2, count, np.uint16)

    source = Source("embedded", "random numbers", "none needed")
    return Dataset.from_splits("small", split(5), split(2), ["cat", "chien é"], source)
