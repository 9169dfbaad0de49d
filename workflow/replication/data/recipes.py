"""What a built-in data set is made from."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from replication.data.dataset import Dataset


@dataclass(frozen=True)
class RawFile:
    """A file as its publisher offers it.

    Attributes
    ----------
    name
        File name, the same on every mirror.
    size
        In bytes, of what `sha256` is of.
    sha256
        In hexadecimal.
    hashed
        What `sha256` is of. Where it is the uncompressed content, a gzip made by any compressor is right, and
        so is the bare content.
    """

    name: str
    size: int
    sha256: str
    hashed: Literal["file", "uncompressed content"]

    @property
    def accepted_names(self) -> tuple[str, ...]:
        """File names whose bearer is taken for it before it is read."""
        bare = (self.name.removesuffix(".gz"),) if self.hashed == "uncompressed content" else ()
        return (self.name, *bare)


@dataclass(frozen=True)
class Shape:
    """How many images a data set has, and what each is.

    Attributes
    ----------
    pixels
        Height, width and channels.
    classes
        Number of classes.
    """

    train_images: int
    test_images: int
    pixels: tuple[int, int, int]
    classes: int


@dataclass(frozen=True)
class Recipe:
    """How to get a built-in data set.

    Attributes
    ----------
    build
        Makes the data set from the paths of `files`, in that order, each already verified.
    shape
        Of the data set that `build` makes.
    files
        What must be downloaded; empty if the images come with the installed packages.
    mirrors
        Addresses of folders that hold all `files`, in the order in which to try them.
    subfolders
        Where `files` lie in a user's own folder, if they have their own names.
    """

    build: Callable[[list[Path]], Dataset]
    shape: Shape
    files: tuple[RawFile, ...] = ()
    mirrors: tuple[str, ...] = ()
    subfolders: tuple[str, ...] = ()
