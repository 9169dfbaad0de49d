"""MNIST's files: their format, and the real ones where they are at hand."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from idx_files import IDX_SHAPES, idx_file
from replication.data import prepare, raw_files
from replication.data.mnist import build_mnist, read_idx
from replication.errors import DataError
from replication.settings.sources import DataSources

IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["bare", "gzip"])
def test_values_are_read_in_order(tmp_path: Path, compress) -> None:
    (tmp_path / "images").write_bytes(compress(idx_file(IMAGES)))
    np.testing.assert_array_equal(read_idx(tmp_path / "images", dimensions=3), IMAGES, strict=True)


def rewrite(position: int, value: int) -> bytes:
    content = bytearray(idx_file(IMAGES))
    content[position] = value
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (rewrite(0, 1), "not an IDX file of bytes in 3 dimensions"),
        (rewrite(2, 0x0D), "not an IDX file of bytes"),
        (rewrite(3, 1), "not an IDX file of bytes"),
        (idx_file(IMAGES[0]), "not an IDX file of bytes"),
        (b"", "not an IDX file of bytes"),
        (idx_file(IMAGES)[:15], "not an IDX file of bytes"),
        (idx_file(IMAGES)[:-1], r"holds 23 values where \[2, 3, 4\]"),
        (idx_file(IMAGES) + b"\0", r"holds 25 values where \[2, 3, 4\]"),
        (rewrite(4, 0x80), r"holds 24 values where \[2147483650, 3, 4\]"),
    ],
)
def test_another_format_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "images").write_bytes(content)
    with pytest.raises(DataError, match=f"{tmp_path / 'images'}: {message}"):
        read_idx(tmp_path / "images", dimensions=3)


def test_files_become_splits(tmp_path: Path, tiny_mnist: dict[str, bytes]) -> None:
    for name, content in tiny_mnist.items():
        (tmp_path / name).write_bytes(content)
    dataset = build_mnist([tmp_path / name for name in tiny_mnist])
    assert dataset.train_images.shape == (*IDX_SHAPES["train-images-idx3-ubyte"], 1)
    assert dataset.test_images.shape == (*IDX_SHAPES["t10k-images-idx3-ubyte"], 1)
    labels = gzip.decompress(tiny_mnist["t10k-labels-idx1-ubyte.gz"])[8:]
    assert dataset.test_labels.tolist() == list(labels)
    assert dataset.classes == tuple("0123456789")


@pytest.mark.slow
def test_real_mnist() -> None:
    folder = os.environ.get("REPLICATION_TEST_DATA")
    if not folder:
        pytest.skip("REPLICATION_TEST_DATA does not name a folder with mnist/*.gz")
    sources = DataSources(data_dir=folder)
    dataset = prepare("mnist", raw_files("mnist", sources, "unused"), sources)
    assert dataset.train_images.shape == (60_000, 28, 28, 1)
    assert dataset.test_images.shape == (10_000, 28, 28, 1)
    assert dataset.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert dataset.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert dataset.mean == pytest.approx((0.1307,), abs=5e-5)
    assert dataset.standard_deviation == pytest.approx((0.3081,), abs=5e-5)
    assert dataset.identity == "0785340ddccd95fc975d7f6545c1b7980e5ddc12e79f423925a08d0702b22414"
