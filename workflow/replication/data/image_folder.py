"""A user's own data set: a folder, tar or zip of train/<class>/* and test/<class>/*."""

import hashlib
import os
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from replication.data.archives import Reader, open_members
from replication.data.dataset import LABEL_TYPE, Dataset, Images, Labels, Source
from replication.errors import DataError

SPLITS = ("train", "test")
ROOTS = tuple((split,) for split in SPLITS)
CHANNELS = {"L": 1, "RGB": 3}
# Formats of still images whose decoders run within Pillow; EPS, for one, would start another program.
FORMATS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")


@dataclass(frozen=True)
class Layout:
    """Which file is which image.

    Attributes
    ----------
    classes
        Sorted names.
    members
        For each split, the files in the order of their images.
    labels
        For each split, uint16, shape (images,): positions in `classes`.
    """

    classes: list[str]
    members: dict[str, list[str]]
    labels: dict[str, Labels]


def build_image_folder(name: str, path: Path) -> Dataset:
    """Build a data set from a folder, tar or zip of `train/<class>/<image>` and `test/<class>/<image>`.

    All may lie in one top folder. What lies beside train and test, and files whose name begins with a dot, is
    ignored, and so is a class folder without images in both splits. Names of classes are compared in Unicode's composed
    form (NFC). An image is turned upright where its EXIF data say how; its colour profile is not applied. The order
    of the images depends on their paths alone, so that a folder and any archive of it give the same data set, and mixes
    the classes, so that the first images are a sample of all.

    Parameters
    ----------
    name
        Name of the data set.
    path
        The folder or archive. Archives are read in place, one image at a time.

    Raises
    ------
    DataError
        There are no images; a class is missing from a split, or has two folders; an image cannot be read, has several
        frames, is neither grey nor RGB (with transparency, say, or 16 bits), or differs from the others in size or
        mode; a name is not Unicode; or the archive is damaged or refused.
    """
    with open_members(path) as members:
        layout = arrange(path, members)
        images = _read_images(path, layout, members)
    train, test = ((images[split], layout.labels[split]) for split in SPLITS)
    source = Source("image folder", f"images from {path.name}", "not known: the files are the user's own")
    return Dataset.from_splits(name, train, test, layout.classes, source)


def arrange(path: Path, members: Collection[str]) -> Layout:
    """Find the images among the members' names, and check that each split has all classes."""
    _check_names(path, members)
    found = [parts for parts in map(_split_class_file, members) if parts]
    _check_depth(path, found)
    class_of = _classes(path, found)
    by_split = {split: sorted((p for p in found if p[1] == split), key=_shuffled) for split in SPLITS}
    classes = _common_classes(path, *({class_of[p[1:3]] for p in by_split[split]} for split in SPLITS))
    labels = {split: [classes.index(class_of[p[1:3]]) for p in by_split[split]] for split in SPLITS}
    return Layout(
        classes,
        members={split: [str(PurePosixPath(*parts)) for parts in by_split[split]] for split in SPLITS},
        labels={split: np.array(labels[split], LABEL_TYPE) for split in SPLITS},
    )


def _shuffled(parts: tuple[str, ...]) -> str:
    """Return a key that sorts paths in an arbitrary order that is the same everywhere: the hash of the path."""
    return hashlib.sha256(unicodedata.normalize("NFC", "/".join(parts[1:])).encode()).hexdigest()


def _split_class_file(member: str) -> tuple[str, ...] | None:
    """Return top folder (`.` if none), split, class and file of a member, None if it is not in a split."""
    parts = PurePosixPath(member).parts
    if any(part.startswith(".") for part in parts):
        return None
    if parts[:1] in ROOTS:
        return (".", *parts)
    return parts if parts[1:2] in ROOTS else None


def _check_names(path: Path, members: Collection[str]) -> None:
    for member in members:
        try:
            member.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(member).decode("ascii", errors="backslashreplace")
            raise DataError(f"{path}: the name {shown} is not Unicode (UTF-8); rename it") from None


def _classes(path: Path, found: list[tuple[str, ...]]) -> dict[tuple[str, ...], str]:
    """Return the class of each split and folder: what looks the same is the same, however it is composed."""
    classes = {parts[1:3]: unicodedata.normalize("NFC", parts[2]) for parts in found}
    folders: dict[tuple[str, str], str] = {}
    for (split, folder), name in classes.items():
        other = folders.setdefault((split, name), folder)
        if other != folder:
            raise DataError(
                f"{path}: {split} has two folders whose names look the same, {other!a} and {folder!a}; "
                "put their images into one"
            )
    return classes


def _check_depth(path: Path, found: list[tuple[str, ...]]) -> None:
    tops = sorted({top for top, *_ in found})
    if len(tops) > 1:
        raise DataError(f"{path}: train and test must lie in one folder, not in {', '.join(tops)}")
    for parts in found:
        if len(parts) != 4:
            wanted = f"{parts[1]}/<class>/<image>"
            raise DataError(f"{path}: {'/'.join(parts)} should be {wanted}; move or delete it")


def _common_classes(path: Path, train: set[str], test: set[str]) -> list[str]:
    for split, missing, other in (("test", train - test, "train"), ("train", test - train, "test")):
        if missing:
            names = ", ".join(sorted(missing))
            raise DataError(f"{path}: {split} has no images of {names}, which {other} has; add some")
    if not train:
        raise DataError(f"{path}: has no images in train/<class>/ and test/<class>/; check the path")
    return sorted(train)


def _read_images(path: Path, layout: Layout, members: dict[str, Reader]) -> dict[str, Images]:
    """Decode each image into its place, in the order in which they are stored."""
    places = {name: (split, index) for split in SPLITS for index, name in enumerate(layout.members[split])}
    stored = [name for name in members if name in places]
    images: dict[str, Images] = {}
    for name in stored:
        image = _decode(members[name](), f"{path}, {name}")
        if not images:
            images = {
                split: np.empty((len(layout.members[split]), *image.shape), np.uint8) for split in SPLITS
            }
        split, index = places[name]
        if image.shape != images[split].shape[1:]:
            different = f"{image.shape} (height, width, channels), but {stored[0]} {images[split].shape[1:]}"
            raise DataError(f"{path}: {name} is {different}; make all images alike")
        images[split][index] = image
    return images


def _decode(content: bytes, place: str) -> NDArray[np.uint8]:
    """Return the pixels of one image, shape (height, width, channels)."""
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            frames = getattr(image, "n_frames", 1)
            upright = ImageOps.exif_transpose(image)
            mode, pixels = upright.mode, np.asarray(upright)
            transparent = "transparency" in image.info
    except Exception as error:  # decoders raise whatever their format's parser does
        raise DataError(f"{place}: not an image that can be read ({error}); replace or delete it") from error
    if frames > 1:
        raise DataError(f"{place}: has {frames} frames, and an image should have one; choose one of them")
    if transparent:
        raise DataError(f"{place}: has a transparent colour, whose pixels have no one value; fill them")
    if mode not in CHANNELS:
        raise DataError(f"{place}: has mode {mode}, which is neither grey (L) nor RGB; convert it")
    return pixels.reshape(*pixels.shape[:2], CHANNELS[mode])
