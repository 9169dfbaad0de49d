"""Digits over patches of photographs: colour images, made from what comes with scikit-learn.

This is how MNIST-M was made (Y. Ganin, V. Lempitsky, Unsupervised Domain Adaptation by Backpropagation,
2015): a patch cut at random from a colour photograph, and on it a digit by the absolute difference in each
channel. Here the digits are those of `load_digits` and the photographs the two of `load_sample_images`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from replication.data.dataset import LABEL_TYPE, Dataset, Images, Source, Split
from replication.data.digits import DESCRIPTION, LICENCE, enlarge, load_digit_images, split_digits
from replication.data.portable_random import Draws, Integers

SplitName = Literal["train", "test"]

SIDE = 32
# Digits in one picture: pixels of each one's side. One leaves a border of 4; two stand side by side.
DIGIT_SIDE = {1: 24, 2: 16}
COUNTS: dict[int, dict[SplitName, int]] = {
    1: {"train": 4_000, "test": 1_000},
    2: {"train": 6_000, "test": 2_000},
}
# Columns of each photograph (427 x 640) from which the patches of a split are cut, whole patches only.
COLUMNS: dict[SplitName, tuple[int, int]] = {"train": (0, 480), "test": (480, 640)}
# Part of the seed, so that each split has a stream of its own.
STREAM: dict[SplitName, int] = {"train": 0, "test": 1}
SEED = 2015


@dataclass(frozen=True)
class Draw:
    """What the pictures of one split are made of.

    Attributes
    ----------
    labels
        Shape (pictures,): the number that the digits form.
    digits
        Shape (pictures, digits in each): indices into `load_digits`, from left to right.
    photographs, tops, lefts
        Shape (pictures,): the patch is the 32 x 32 pixels of this photograph from this row and column.
    """

    labels: Integers
    digits: Integers
    photographs: Integers
    tops: Integers
    lefts: Integers


def build_photo_digits(digits_each: int, raw: list[Path]) -> Dataset:  # noqa: ARG001 - no files are needed
    """Build 32 x 32 RGB pictures of one digit (10 classes) or of two side by side (100 classes, 00 to 99).

    Each class has the same number of pictures. No digit image and no region of a photograph serves both for
    training and for testing.
    """
    photographs = _load_photographs()
    ink, digit_labels = load_digit_images()
    enlarged = enlarge(ink, DIGIT_SIDE[digits_each])

    def split(name: SplitName) -> Split:
        drawn = draw(name, digits_each, digit_labels, photographs.shape[1])
        return compose(drawn, enlarged, photographs), drawn.labels.astype(LABEL_TYPE)

    classes = [f"{number:0{digits_each}}" for number in range(10**digits_each)]
    name = f"photo-digits-{len(classes)}"
    return Dataset.from_splits(name, split("train"), split("test"), classes, _source())


def draw(split: SplitName, digits_each: int, digit_labels: Integers, photograph_height: int) -> Draw:
    """Choose digits and patches: the same ones at each call.

    Labels run through all classes in turn, so that each class is as frequent as any other.

    Parameters
    ----------
    split
        Which of the two.
    digits_each
        Digits in one picture.
    digit_labels
        Labels of all images of `load_digits`; only those of this split are drawn.
    photograph_height
        Rows of the photographs.
    """
    count = COUNTS[digits_each][split]
    draws = Draws(SEED, digits_each, STREAM[split])
    labels = np.arange(count) % 10**digits_each
    members = np.sort(split_digits(digit_labels)[STREAM[split]])
    places = [labels // 10**place % 10 for place in reversed(range(digits_each))]
    digits = [_draw_digits(draws, wanted, members, digit_labels) for wanted in places]
    first, stop = COLUMNS[split]
    return Draw(
        labels=labels,
        digits=np.stack(digits, axis=1),
        photographs=draws.below(2, count),
        tops=draws.below(photograph_height - SIDE + 1, count),
        lefts=first + draws.below(stop - first - SIDE + 1, count),
    )


def _draw_digits(draws: Draws, wanted: Integers, members: Integers, digit_labels: Integers) -> Integers:
    """Choose for each wanted digit one of its images among `members`."""
    by_class = [members[digit_labels[members] == label] for label in range(10)]
    ranks = draws.below(np.array([len(by_class[label]) for label in wanted]), len(wanted))
    return np.array([by_class[label][rank] for label, rank in zip(wanted, ranks, strict=True)])


def compose(drawn: Draw, digit_images: Images, photographs: Images) -> Images:
    """Blend the drawn digits and patches: |patch - digit| in each channel, shape (pictures, 32, 32, 3)."""
    rows = np.concatenate([digit_images[drawn.digits[:, place]] for place in range(drawn.digits.shape[1])], 2)
    margins = [(0, 0), *(((SIDE - length) // 2,) * 2 for length in rows.shape[1:])]
    digits = np.pad(rows, margins)[..., np.newaxis].astype(np.int16)
    corners = zip(drawn.photographs, drawn.tops, drawn.lefts, strict=True)
    patches = np.stack(
        [photographs[which, top : top + SIDE, left : left + SIDE] for which, top, left in corners]
    )
    blended: Images = np.abs(patches - digits).astype(np.uint8)
    return blended


def _load_photographs() -> NDArray[np.uint8]:
    """Return the two photographs, uint8 of shape (2, 427, 640, 3).

    They are JPEG files: another decoder than that of Pillow's own packages may give other bytes, and then the
    data sets made from them another identity.
    """
    from sklearn.datasets import load_sample_images

    return np.stack(load_sample_images().images)


def _source() -> Source:
    return Source(
        kind="embedded",
        description=f"{DESCRIPTION}, blended over patches of the photographs china.jpg (danielbuechele) and "
        "flower.jpg (vultilion) of its load_sample_images, as MNIST-M was made (Ganin and Lempitsky 2015)",
        licence=f"digits: {LICENCE}; photographs: Creative Commons Attribution 2.0",
    )
