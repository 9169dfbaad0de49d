"""One prepared data set: images, labels, names and constants, and the verified file that holds them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from replication.data.statistics import channel_statistics
from replication.errors import DataError
from replication.system.files import whole_file

Images = NDArray[np.uint8]
Labels = NDArray[np.uint16]
Split = tuple[Images, Labels]

# Little-endian whatever the machine, since an identity is a hash of raw bytes.
IMAGE_TYPE = np.dtype("|u1")
LABEL_TYPE = np.dtype("<u2")
TENSORS = ("train_images", "train_labels", "test_images", "test_labels")
# The names of the two types in safetensors' header.
STORED_TYPES: dict[str, np.dtype[Any]] = {"U8": IMAGE_TYPE, "U16": LABEL_TYPE}


@dataclass(frozen=True)
class Source:
    """Where the images came from, and on what terms they may be used."""

    kind: Literal["embedded", "downloaded", "image folder"]
    description: str
    licence: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images with their labels, checked on construction.

    Attributes
    ----------
    name
        As in the registry.
    train_images, test_images
        uint8, shape (images, height, width, channels), contiguous; both of the same height, width, channels.
    train_labels, test_labels
        uint16, shape (images,): positions in `classes`.
    classes
        The classes' names, all different.
    mean, standard_deviation
        For each channel, on the scale where 255 is 1: `(x / 255 - mean) / standard_deviation` normalises.
    normalisation_source
        Where these constants come from, in words.
    source
        Where the images come from.

    Raises
    ------
    DataError
        An array has the wrong type or shape, a label names no class, something is empty, or a channel is the
        same everywhere.
    """

    name: str
    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    classes: tuple[str, ...]
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]
    normalisation_source: str
    source: Source

    def __post_init__(self) -> None:
        _check_splits(self.name, self.train, self.test, self.classes)
        channels = self.train_images.shape[-1]
        _require(self.name, len(self.mean) == channels, f"needs {channels} means")
        _require(self.name, len(self.standard_deviation) == channels, f"needs {channels} standard deviations")
        varied = all(deviation > 0 for deviation in self.standard_deviation)
        _require(self.name, varied, "has a channel that is the same in every training image")

    @classmethod
    def from_splits(cls, name: str, train: Split, test: Split, classes: list[str], source: Source) -> Self:
        """Build a data set whose normalisation constants are those of its own training images."""
        _check_splits(name, train, test, tuple(classes))
        mean, standard_deviation = channel_statistics(train[0])
        return cls(
            name,
            *train,
            *test,
            classes=tuple(classes),
            mean=mean,
            standard_deviation=standard_deviation,
            normalisation_source=f"computed from the {len(train[0])} training images",
            source=source,
        )

    @property
    def train(self) -> Split:
        """Training images and their labels."""
        return self.train_images, self.train_labels

    @property
    def test(self) -> Split:
        """Test images and their labels."""
        return self.test_images, self.test_labels

    @cached_property
    def identity(self) -> str:
        """SHA-256, in hexadecimal, of the four arrays: name, type, shape and raw bytes of each."""
        digest = hashlib.sha256()
        for name in TENSORS:
            array = getattr(self, name)
            digest.update(_canonical([name, array.dtype.str, list(array.shape)]).encode())
            digest.update(array.data)
        return digest.hexdigest()


def describe(dataset: Dataset) -> dict[str, Any]:
    """Return everything about a data set but its pixels and labels, as plain values for JSON."""
    return {
        "name": dataset.name,
        "identity": dataset.identity,
        "shapes": {name: list(getattr(dataset, name).shape) for name in TENSORS},
        "classes": list(dataset.classes),
        "mean": list(dataset.mean),
        "standard_deviation": list(dataset.standard_deviation),
        "normalisation_source": dataset.normalisation_source,
        "source": asdict(dataset.source),
    }


def write_dataset(dataset: Dataset, path: str | Path) -> None:
    """Write `dataset` as one safetensors file, whole or not at all; equal data sets give equal bytes.

    Raises
    ------
    DataError
        The file cannot be written.
    """
    # One key only: safetensors does not order its metadata, and the bytes must not vary.
    metadata = {"dataset": _sealed(describe(dataset))}
    try:
        with whole_file(path) as temporary:
            save_file({name: getattr(dataset, name) for name in TENSORS}, temporary, metadata)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{path}: cannot be written ({error}); make room or change permissions") from error


def read_dataset(path: str | Path, *, verify: bool = True) -> Dataset:
    """Open a file of `write_dataset`. Its arrays are read-only views of the file, read when they are used.

    Parameters
    ----------
    path
        The safetensors file. It must not change while the data set is in use.
    verify
        Also hash all images and labels, and compare with what was written.

    Raises
    ------
    DataError
        The file is missing, damaged, or not a prepared data set.
    """
    try:
        facts = _read_facts(Path(path))
        dataset = _from_facts(facts, _map_tensors(Path(path)))
        if verify and dataset.identity != facts["identity"]:
            raise ValueError("its images or labels have changed since it was written")
    except (DataError, OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        remedy = "delete it, and it is prepared again"
        raise DataError(f"{path}: damaged, or not a prepared data set ({error}); {remedy}") from error
    return dataset


def _read_facts(path: Path) -> dict[str, Any]:
    # safe_open also makes sure that the header is sound and describes every byte of the file.
    with safe_open(path, framework="numpy") as file:
        text = (file.metadata() or {})["dataset"]
    facts: dict[str, Any] = json.loads(text)
    del facts["checksum"]
    if text != _sealed(facts):
        raise ValueError("its description has changed since it was written")
    return facts


def _map_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Map the tensors into memory; safetensors' own reader for numpy would copy them."""
    with path.open("rb") as file:
        header_bytes = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_bytes))
    content = np.asarray(np.memmap(path, IMAGE_TYPE, mode="r", offset=8 + header_bytes))
    return {name: _view(content, header[name]) for name in TENSORS}


def _view(content: NDArray[np.uint8], entry: dict[str, Any]) -> NDArray[Any]:
    start, stop = entry["data_offsets"]
    values: NDArray[Any] = content[start:stop].view(STORED_TYPES[entry["dtype"]])
    return values.reshape(entry["shape"])


def _from_facts(facts: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Dataset:
    return Dataset(
        name=facts["name"],
        **tensors,
        classes=tuple(facts["classes"]),
        mean=tuple(facts["mean"]),
        standard_deviation=tuple(facts["standard_deviation"]),
        normalisation_source=facts["normalisation_source"],
        source=Source(**facts["source"]),
    )


def _check_splits(name: str, train: Split, test: Split, classes: tuple[str, ...]) -> None:
    _require(name, bool(classes) and len(set(classes)) == len(classes), "needs classes with different names")
    for split, (images, labels) in (("train", train), ("test", test)):
        _check_split(f"{name}, {split}", images, labels, len(classes))
    same = train[0].shape[1:] == test[0].shape[1:]
    _require(
        name, same, f"has images of {train[0].shape[1:]} for training and {test[0].shape[1:]} for testing"
    )


def _check_split(place: str, images: Images, labels: Labels, class_count: int) -> None:
    _require(place, images.dtype == IMAGE_TYPE, f"images are uint8, not {images.dtype}")
    _require(place, labels.dtype == LABEL_TYPE, f"labels are little-endian uint16, not {labels.dtype}")
    _require(place, images.ndim == 4, f"images have 4 dimensions, not {images.ndim}")
    _require(place, images.size > 0, "there are no images")
    contiguous = images.flags.c_contiguous and labels.flags.c_contiguous
    _require(place, contiguous, "images and labels are contiguous, channels last")
    _require(place, labels.shape == images.shape[:1], f"{len(images)} images have {labels.shape} labels")
    _require(
        place, int(labels.max()) < class_count, f"label {labels.max()} exceeds the {class_count} classes"
    )


def _require(place: str, holds: bool, otherwise: str) -> None:
    if not holds:
        raise DataError(f"{place}: {otherwise}")


def _sealed(facts: dict[str, Any]) -> str:
    """Return the text of `facts` and their own checksum, so that any change to it shows."""
    return _canonical(facts | {"checksum": hashlib.sha256(_canonical(facts).encode()).hexdigest()})


def _canonical(value: Any) -> str:
    """Return `value` as JSON; equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
