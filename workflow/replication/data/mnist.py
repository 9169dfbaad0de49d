"""MNIST, from the four IDX files that its authors published."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from replication.data.dataset import LABEL_TYPE, Dataset, Source, Split
from replication.data.verification import open_uncompressed
from replication.errors import DataError

SOURCE = Source(
    kind="downloaded",
    description="Y. LeCun, C. Cortes, C. J. C. Burges: the MNIST database of handwritten digits, "
    "http://yann.lecun.com/exdb/mnist/",
    licence="Creative Commons Attribution-Share Alike 3.0; copyright of Yann LeCun and Corinna Cortes",
)
UNSIGNED_BYTES = 0x08


def build_mnist(raw: list[Path]) -> Dataset:
    """Build MNIST: 28 x 28 grey images of the digits 0 to 9, 60,000 for training and 10,000 for testing.

    Parameters
    ----------
    raw
        Training images, training labels, test images, test labels: IDX files, with gzip or without.

    Raises
    ------
    DataError
        A file is not of the IDX format.
    """
    train, test = _read_split(*raw[:2]), _read_split(*raw[2:])
    return Dataset.from_splits("mnist", train, test, [str(digit) for digit in range(10)], SOURCE)


def _read_split(images: Path, labels: Path) -> Split:
    pixels = read_idx(images, dimensions=3)
    return pixels[..., np.newaxis], read_idx(labels, dimensions=1).astype(LABEL_TYPE)


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes.

    The format: two zero bytes, one for the type, one for the number of dimensions; the size of each dimension
    as a big-endian 32-bit integer; the values, the last dimension running fastest.

    Raises
    ------
    DataError
        The file has another type, another number of dimensions, or too few or too many values.
    """
    with open_uncompressed(path) as file:
        content = file.read()
    start = 4 + 4 * dimensions
    magic = bytes([0, 0, UNSIGNED_BYTES, dimensions])
    if len(content) < start or content[:4] != magic:
        raise DataError(f"{path}: not an IDX file of bytes in {dimensions} dimensions; get it again")
    shape = [int(size) for size in np.frombuffer(content, ">u4", count=dimensions, offset=4)]
    if len(content) - start != math.prod(shape):
        raise DataError(
            f"{path}: holds {len(content) - start} values where {shape} is what its header says; get it again"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
