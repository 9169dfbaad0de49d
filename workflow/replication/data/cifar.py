"""CIFAR-10 and CIFAR-100, from the archives of Python pickles that their author published."""

import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from replication.data.dataset import LABEL_TYPE, Dataset, Source, Split
from replication.data.restricted_pickle import read_pickle
from replication.errors import DataError

CHANNELS, SIDE = 3, 32


@dataclass(frozen=True)
class ArchiveLayout:
    """Where an archive keeps its parts: members, and keys of the dictionaries in them."""

    name: str
    train: tuple[str, ...]
    test: str
    classes: str
    labels_key: str
    classes_key: str
    source: Source


def _source(title: str) -> Source:
    return Source(
        kind="downloaded",
        description=f"{title}: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009, "
        "https://www.cs.toronto.edu/~kriz/cifar.html",
        licence="none stated; its page asks that the technical report be cited",
    )


CIFAR10 = ArchiveLayout(
    name="cifar10",
    train=tuple(f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)),
    test="cifar-10-batches-py/test_batch",
    classes="cifar-10-batches-py/batches.meta",
    labels_key="labels",
    classes_key="label_names",
    source=_source("CIFAR-10"),
)
CIFAR100 = ArchiveLayout(
    name="cifar100",
    train=("cifar-100-python/train",),
    test="cifar-100-python/test",
    classes="cifar-100-python/meta",
    labels_key="fine_labels",
    classes_key="fine_label_names",
    source=_source("CIFAR-100"),
)


def build_cifar(layout: ArchiveLayout, raw: list[Path]) -> Dataset:
    """Build CIFAR-10 or CIFAR-100 with its fine labels.

    Both have 32 x 32 RGB images, 50,000 for training and 10,000 for testing.

    Parameters
    ----------
    layout
        Where the archive keeps its parts.
    raw
        The archive, whose hash must have been checked: it holds pickles.

    Raises
    ------
    DataError
        A member is missing, or does not hold what it should.
    """
    [archive] = raw
    values = dict(_read_members(archive, {*layout.train, layout.test, layout.classes}))
    batches = {
        member: _split(values.pop(member), layout, f"{archive}, {member}")
        for member in (*layout.train, layout.test)
    }
    classes = _entry(values[layout.classes], layout.classes_key, list, f"{archive}, {layout.classes}")
    images, labels = zip(*(batches[member] for member in layout.train), strict=True)
    train = np.concatenate(images), np.concatenate(labels)
    return Dataset.from_splits(layout.name, train, batches[layout.test], classes, layout.source)


def _read_members(archive: Path, wanted: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield the wanted members' values, reading the archive once from its start to its end."""
    missing = set(wanted)
    try:
        with tarfile.open(archive, "r|gz") as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() and member.name in missing else None
                if file:
                    missing.remove(member.name)
                    yield member.name, read_pickle(file.read(), f"{archive}, {member.name}")
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{archive}: cannot be read as a .tar.gz ({error}); get it again") from error
    if missing:
        raise DataError(f"{archive}: lacks {', '.join(sorted(missing))}; get it again")


def _split(batch: Any, layout: ArchiveLayout, place: str) -> Split:
    """Turn rows of 1,024 red, 1,024 green and 1,024 blue values into images with channels last."""
    rows = _entry(batch, "data", np.ndarray, place)
    labels = _entry(batch, layout.labels_key, list, place)
    if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] != CHANNELS * SIDE * SIDE:
        raise DataError(
            f"{place}: data is {rows.dtype} of {rows.shape}, not uint8 rows of 3072; get it again"
        )
    if not all(type(label) is int and 0 <= label <= np.iinfo(LABEL_TYPE).max for label in labels):
        raise DataError(f"{place}: {layout.labels_key} are not whole numbers from 0; get it again")
    images = rows.reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), np.array(labels, LABEL_TYPE)


def _entry(batch: Any, key: str, kind: type, place: str) -> Any:
    value = batch.get(key) if isinstance(batch, dict) else None
    if not isinstance(value, kind):
        raise DataError(f"{place}: has no {key} that is a {kind.__name__}; get it again")
    return value
