"""The data set's checks, its identity, and the file that holds it."""

import hashlib
import itertools
import json
import mmap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from replication.data import Dataset, describe, read_dataset, write_dataset
from replication.errors import DataError

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")


@pytest.fixture
def file(small_dataset: Dataset, tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "small.safetensors"
    write_dataset(small_dataset, path)
    return path


@pytest.mark.parametrize("verify", [True, False])
def test_reads_what_was_written(small_dataset: Dataset, file: Path, verify: bool) -> None:
    again = read_dataset(file, verify=verify)
    assert describe(again) == describe(small_dataset)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(again, name), getattr(small_dataset, name), strict=True)


def test_identity_is_the_hash_of_names_types_shapes_and_bytes(small_dataset: Dataset) -> None:
    content = b""
    for name in ARRAYS:
        array = getattr(small_dataset, name)
        kind = "|u1" if array.dtype == np.uint8 else "<u2"
        content += f'["{name}","{kind}",{list(array.shape)}]'.replace(" ", "").encode() + array.tobytes()
    assert small_dataset.identity == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", ARRAYS)
def test_identity_depends_on_every_array(small_dataset: Dataset, name: str) -> None:
    changed = getattr(small_dataset, name).copy()
    changed.flat[-1] ^= 1
    assert replace(small_dataset, **{name: changed}).identity != small_dataset.identity


def test_equal_data_sets_give_equal_bytes(file: Path, tmp_path: Path) -> None:
    write_dataset(read_dataset(file), tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == file.read_bytes()


def test_metadata_describes_the_data_set(small_dataset: Dataset, file: Path) -> None:
    with safe_open(file, framework="numpy") as opened:
        metadata = opened.metadata()
    assert list(metadata) == ["dataset"]
    facts = json.loads(metadata["dataset"])
    assert {key: facts[key] for key in describe(small_dataset)} == describe(small_dataset)


def test_arrays_are_views_of_the_file(file: Path) -> None:
    dataset = read_dataset(file)
    for name in ARRAYS:
        array = getattr(dataset, name)
        assert not array.flags.writeable
        while isinstance(array, np.ndarray):
            array = array.base
        assert isinstance(array, mmap.mmap)


@pytest.mark.slow
def test_flipped_bits_are_noticed(file: Path) -> None:
    good = file.read_bytes()
    # Every seventh bit, for all take ten seconds: so each byte is hit, and each of its bits in turn.
    for position, bit in itertools.islice(itertools.product(range(len(good)), range(8)), 0, None, 7):
        bad = bytearray(good)
        bad[position] ^= 1 << bit
        file.write_bytes(bad)
        with pytest.raises(DataError, match=r"small\.safetensors: damaged.*delete it"):
            read_dataset(file)


@pytest.mark.parametrize("length", [0, 7, 100, -1])
def test_a_shortened_file_is_noticed_without_hashing(file: Path, length: int) -> None:
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DataError, match=str(file)):
        read_dataset(file, verify=False)


def test_an_appended_byte_is_noticed_without_hashing(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(DataError, match=str(file)):
        read_dataset(file, verify=False)


@pytest.mark.parametrize(("old", "new"), [(b"u00e9", b"u00E9"), (b"random", b"rANDom"), (b"chien", b"Chien")])
def test_a_changed_description_is_noticed_without_hashing(file: Path, old: bytes, new: bytes) -> None:
    content = file.read_bytes()
    assert content.count(old) == 1
    file.write_bytes(content.replace(old, new))
    with pytest.raises(DataError, match="its description has changed"):
        read_dataset(file, verify=False)


def test_a_missing_or_foreign_file_is_refused(tmp_path: Path) -> None:
    save_file({"weights": np.zeros(3)}, tmp_path / "foreign.safetensors")
    for name in ("foreign.safetensors", "missing.safetensors"):
        with pytest.raises(DataError, match=name):
            read_dataset(tmp_path / name)


def test_failed_write_leaves_the_old_file(small_dataset: Dataset, file: Path, monkeypatch) -> None:
    def fail(_tensors: object, path: Path, _metadata: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    before = file.read_bytes()
    monkeypatch.setattr("replication.data.dataset.save_file", fail)
    with pytest.raises(DataError, match=r"small\.safetensors: cannot be written .*No space left"):
        write_dataset(small_dataset, file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_folder_that_cannot_be_made_is_named(small_dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a regular file")
    with pytest.raises(DataError, match="occupied"):
        write_dataset(small_dataset, tmp_path / "occupied" / "small.safetensors")


IMAGES = np.zeros((5, 2, 3, 3), np.uint8)
LABELS = np.zeros(5, np.uint16)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_images": IMAGES.astype(np.int64)}, "train: images are uint8, not int64"),
        ({"train_images": IMAGES[0]}, "train: images have 4 dimensions, not 3"),
        ({"test_images": IMAGES[:0]}, "test: there are no images"),
        ({"train_images": IMAGES.transpose(0, 2, 1, 3)}, "train: images and labels are contiguous"),
        ({"train_images": IMAGES[:4]}, r"train: 4 images have \(5,\) labels"),
        ({"train_labels": LABELS.astype(">u2")}, "train: labels are little-endian uint16"),
        ({"train_labels": LABELS.astype(np.int64)}, "train: labels are little-endian uint16, not int64"),
        ({"train_labels": LABELS + np.uint16(2)}, "train: label 2 exceeds the 2 classes"),
        ({"test_images": np.zeros((2, 2, 3, 1), np.uint8)}, r"\(2, 3, 3\) for training and \(2, 3, 1\)"),
        ({"classes": ("cat", "cat")}, "classes with different names"),
        ({"classes": ()}, "classes with different names"),
        ({"mean": (0.5,)}, "needs 3 means"),
        ({"standard_deviation": (0.5,)}, "needs 3 standard deviations"),
        ({"standard_deviation": (0.5, 0.0, 0.5)}, "has a channel that is the same in every training image"),
    ],
)
def test_impossible_data_sets_are_refused(small_dataset: Dataset, changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=f"^small.*{message}"):
        replace(small_dataset, **changes)
