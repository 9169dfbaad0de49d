"""Handwritten digits that come with scikit-learn: real data of a size for minutes, without a download."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from replication.data.dataset import LABEL_TYPE, Dataset, Images, Source, Split
from replication.data.portable_random import Draws, Integers

CLASSES = [str(digit) for digit in range(10)]
TEST_IMAGES_PER_CLASS = 40
TEST_IMAGES = TEST_IMAGES_PER_CLASS * len(CLASSES)
TRAIN_IMAGES = 1_797 - TEST_IMAGES
SPLIT_SEED = 1797
INK_LEVELS = 16
SIDE, DIGIT_SIDE = 28, 20  # as in MNIST
MOVED_IMAGES = {"train": 4_000, "test": 2_000}
MOVED_SEED = 1998

DESCRIPTION = (
    "E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits (1998), the 1,797 images of 8 x 8 "
    "pixels that scikit-learn's load_digits gives"
)
LICENCE = "Creative Commons Attribution 4.0 (UCI Machine Learning Repository)"


def build_digits(raw: list[Path]) -> Dataset:  # noqa: ARG001 - a recipe's builder takes its files, here none
    """Build a small MNIST-like data set: 28 x 28 grey digits, 1,397 for training and 400 for testing.

    As in MNIST, the digit fills 20 x 20 pixels within a border of 4. The test set has 40 images of each
    class. The source does not tell apart the 13 people who wrote the digits, so both sets hold some of each.
    """
    images, labels = load_digit_images()
    border = (SIDE - DIGIT_SIDE) // 2
    enlarged = np.pad(enlarge(images, DIGIT_SIDE), ((0, 0), (border, border), (border, border)))[
        ..., np.newaxis
    ]

    def split(indices: Integers) -> Split:
        return enlarged[indices], labels[indices].astype(LABEL_TYPE)

    train, test = (split(indices) for indices in split_digits(labels))
    source = Source("embedded", f"{DESCRIPTION}, enlarged to 20 x 20 within 28 x 28", LICENCE)
    return Dataset.from_splits("digits", train, test, CLASSES, source)


def build_moved_digits(raw: list[Path]) -> Dataset:  # noqa: ARG001 - no files are needed
    """Build a harder and larger set: the same digits anywhere within 28 x 28, 4,000 for training and 2,000 for testing.

    Each picture is an image of its split of `build_digits`, drawn at random, at a place drawn at random. So no image
    serves both for training and for testing, and most serve several times.
    """
    images, labels = load_digit_images()
    enlarged = enlarge(images, DIGIT_SIDE)

    def split(number: int, name: str, members: Integers) -> Split:
        draws = Draws(MOVED_SEED, number)
        chosen = members[draws.below(len(members), MOVED_IMAGES[name])]
        return place(enlarged[chosen], draws), labels[chosen].astype(LABEL_TYPE)

    halves = zip(MOVED_IMAGES, split_digits(labels), strict=True)
    train, test = (split(number, name, members) for number, (name, members) in enumerate(halves))
    source = Source("embedded", f"{DESCRIPTION}, enlarged to 20 x 20 anywhere within 28 x 28", LICENCE)
    return Dataset.from_splits("moved-digits", train, test, CLASSES, source)


def place(digits: Images, draws: Draws) -> Images:
    """Put each digit at a place of its own in an empty image.

    Parameters
    ----------
    digits
        Shape (images, side, side), with a side below 28.

    Returns
    -------
    array
        Shape (images, 28, 28, 1). All places within the image are equally likely.
    """
    count, side, _ = digits.shape
    tops, lefts = (draws.below(SIDE - side + 1, count) for _ in range(2))
    placed = np.zeros((count, SIDE, SIDE, 1), np.uint8)
    for image, digit, top, left in zip(placed, digits, tops, lefts, strict=True):
        image[top : top + side, left : left + side, 0] = digit
    return placed


def load_digit_images() -> tuple[NDArray[np.int64], Integers]:
    """Return the 1,797 images, 8 x 8 with ink from 0 to 16, and their labels."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images.astype(np.int64), digits.target.astype(np.int64)


def split_digits(labels: Integers) -> tuple[Integers, Integers]:
    """Return the indices of the training and of the test images, each in a fixed random order."""
    draws = Draws(SPLIT_SEED)
    by_class = [draws.shuffled(np.flatnonzero(labels == label)) for label in range(len(CLASSES))]
    train = np.concatenate([indices[TEST_IMAGES_PER_CLASS:] for indices in by_class])
    test = np.concatenate([indices[:TEST_IMAGES_PER_CLASS] for indices in by_class])
    return draws.shuffled(train), draws.shuffled(test)


def enlarge(images: NDArray[np.int64], side: int) -> Images:
    """Enlarge square images of ink from 0 to 16 into grey ones from 0 to 255, by bilinear interpolation.

    Pixel `i` of `side` has its centre at :math:`(2 i + 1) n / (2 side) - 1/2` in the original of `n` pixels,
    and takes from the two pixels around it in proportion; beyond the outermost centres, the outermost pixel
    counts. All in integers, rounded once, so that every machine gives the same.

    Parameters
    ----------
    images
        Shape (images, n, n).
    side
        Pixels of the result, shape (images, side, side).
    """
    weights = _weights(images.shape[-1], side)
    total = INK_LEVELS * (2 * side) ** 2
    summed = weights @ images @ weights.T
    return ((summed * 255 + total // 2) // total).astype(np.uint8)


def _weights(original: int, side: int) -> NDArray[np.int64]:
    """Return the weight of each original pixel in each new one, in parts of 2 side; shape (side, original)."""
    parts = 2 * side
    left, offset = np.divmod((2 * np.arange(side) + 1) * original - side, parts)
    weights = np.zeros((side, original), np.int64)
    for neighbour, weight in ((left, parts - offset), (left + 1, offset)):
        np.add.at(weights, (np.arange(side), neighbour.clip(0, original - 1)), weight)
    return weights
