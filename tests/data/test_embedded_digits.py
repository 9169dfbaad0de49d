"""The data sets that come with scikit-learn: pinned, and made as they say."""

from fractions import Fraction

import numpy as np
import pytest

from replication.data import Dataset, prepare
from replication.data.digits import enlarge, load_digit_images, place, split_digits
from replication.data.photo_digits import COLUMNS, COUNTS, SIDE, compose, draw
from replication.data.portable_random import Draws
from replication.settings.sources import DataSources

PHOTOGRAPH_SHAPE = (427, 640, 3)
SPLITS = ("train", "test")


@pytest.fixture(scope="module")
def embedded() -> dict[str, Dataset]:
    names = ("digits", "moved-digits", "photo-digits-10", "photo-digits-100")
    return {name: prepare(name, [], DataSources()) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "train", "test", "class_count", "identity"),
    [
        (
            "digits",
            (1397, 28, 28, 1),
            (400, 28, 28, 1),
            10,
            "7b8060990232d7d775d175f2125c21411aa519fc88c45dc33fbbb9dc3a989d8e",
        ),
        (
            "moved-digits",
            (4000, 28, 28, 1),
            (2000, 28, 28, 1),
            10,
            "b502c831ca2120f3c5f054b0d196c2d8187474d56e3a61e8dc05461715d8f088",
        ),
        (
            "photo-digits-10",
            (4000, 32, 32, 3),
            (1000, 32, 32, 3),
            10,
            "e60d6721dae6d28c3d7f15f5f2d73ebc769aa0422d11eda6f7b6a6161b8a42d9",
        ),
        (
            "photo-digits-100",
            (6000, 32, 32, 3),
            (2000, 32, 32, 3),
            100,
            "2b65c37a21e90b9dc840af3717087b5943d39d0906f96487a343ac7514a01851",
        ),
    ],
)
def test_is_the_same_everywhere(embedded, name, train, test, class_count, identity) -> None:
    dataset = embedded[name]
    assert dataset.name == name
    assert dataset.train_images.shape == train
    assert dataset.test_images.shape == test
    assert len(dataset.classes) == class_count
    assert dataset.identity == identity


@pytest.mark.parametrize(("digits_each", "name"), [(1, "photo-digits-10"), (2, "photo-digits-100")])
def test_classes_are_equally_frequent(embedded, digits_each: int, name: str) -> None:
    for split, labels in (("train", embedded[name].train_labels), ("test", embedded[name].test_labels)):
        counts = np.bincount(labels, minlength=10**digits_each)
        assert set(counts.tolist()) == {COUNTS[digits_each][split] // 10**digits_each}


def test_moved_digits_are_those_of_their_split_moved(embedded) -> None:
    def cut_out(images):
        """Give the ink of each image, from its first row and column on."""
        found = []
        for image in images[..., 0]:
            rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
            found.append(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].tobytes())
        return found

    still, moved = embedded["digits"], embedded["moved-digits"]
    for name in SPLITS:
        labels = dict(
            zip(cut_out(getattr(still, f"{name}_images")), getattr(still, f"{name}_labels"), strict=True)
        )
        found = [labels[ink] for ink in cut_out(getattr(moved, f"{name}_images"))]
        assert found == getattr(moved, f"{name}_labels").tolist()


def test_a_digit_comes_to_every_place_within_the_image() -> None:
    placed = place(np.ones((2_000, 20, 20), np.uint8), Draws(5))[..., 0]
    assert set(placed.sum(axis=(1, 2)).tolist()) == {400}
    corners = {(int(image.any(axis=1).argmax()), int(image.any(axis=0).argmax())) for image in placed}
    assert corners == {(top, left) for top in range(9) for left in range(9)}


def test_digits_split_is_a_stratified_partition() -> None:
    _, labels = load_digit_images()
    train, test = split_digits(labels)
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert np.bincount(labels[test]).tolist() == [40] * 10


def test_no_two_digit_images_are_equal() -> None:
    images, _ = load_digit_images()
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


@pytest.mark.parametrize("digits_each", [1, 2])
def test_splits_share_neither_digits_nor_photograph_regions(digits_each: int) -> None:
    _, labels = load_digit_images()
    used_digits, used_pixels = {}, {}
    for split in SPLITS:
        drawn = draw(split, digits_each, labels, PHOTOGRAPH_SHAPE[0])
        used_digits[split] = set(drawn.digits.ravel().tolist())
        used_pixels[split] = np.zeros((2, *PHOTOGRAPH_SHAPE[:2]), bool)
        for which, top, left in zip(drawn.photographs, drawn.tops, drawn.lefts, strict=True):
            patch = used_pixels[split][which, top : top + SIDE, left : left + SIDE]
            assert patch.shape == (SIDE, SIDE), "reaches beyond the photograph"
            patch[:] = True
    assert not used_digits["train"] & used_digits["test"]
    assert not (used_pixels["train"] & used_pixels["test"]).any()
    for split, (first, stop) in COLUMNS.items():
        columns = np.flatnonzero(used_pixels[split].any(axis=(0, 1)))
        assert (columns[0], columns[-1]) == (first, stop - 1), "the area is used up to its edges"
        assert used_pixels[split].any(axis=(1, 2)).all(), "both photographs are used"


@pytest.mark.parametrize("split", SPLITS)
def test_labels_spell_the_digits(split) -> None:
    _, labels = load_digit_images()
    single, double = (draw(split, count, labels, PHOTOGRAPH_SHAPE[0]) for count in (1, 2))
    np.testing.assert_array_equal(single.labels, labels[single.digits[:, 0]])
    np.testing.assert_array_equal(
        double.labels, 10 * labels[double.digits[:, 0]] + labels[double.digits[:, 1]]
    )


@pytest.mark.parametrize(("digits_each", "side"), [(1, 24), (2, 16)])
def test_blending_is_the_absolute_difference(digits_each: int, side: int) -> None:
    _, labels = load_digit_images()
    random = np.random.default_rng(3)
    photographs = random.integers(0, 256, (2, *PHOTOGRAPH_SHAPE), np.uint8)
    digit_images = random.integers(0, 256, (len(labels), side, side), np.uint8)
    drawn = draw("test", digits_each, labels, PHOTOGRAPH_SHAPE[0])
    images = compose(drawn, digit_images, photographs)
    for index in (0, 17, len(images) - 1):
        canvas = np.zeros((SIDE, SIDE), int)
        for position, digit in enumerate(drawn.digits[index]):
            top, left = (SIDE - side) // 2, (SIDE - side * digits_each) // 2 + position * side
            canvas[top : top + side, left : left + side] = digit_images[digit]
        for row, column, channel in [(0, 0, 0), (15, 15, 1), (16, 20, 2), (31, 31, 0)]:
            which, top, left = drawn.photographs[index], drawn.tops[index], drawn.lefts[index]
            pixel = int(photographs[which, top + row, left + column, channel])
            assert images[index, row, column, channel] == abs(pixel - canvas[row, column])


@pytest.mark.parametrize("side", [16, 20, 24])
def test_enlarging_is_bilinear(side: int) -> None:
    """Against the definition, one pixel after another, in fractions."""
    image = np.random.default_rng(side).integers(0, 17, (8, 8))
    enlarged = enlarge(image[np.newaxis], side)[0]

    def neighbours(index: int) -> list[tuple[int, Fraction]]:
        centre = Fraction(2 * index + 1, 2) * Fraction(8, side) - Fraction(1, 2)
        floor = centre.__floor__()
        pairs = ((floor, 1 - (centre - floor)), (floor + 1, centre - floor))
        return [(min(max(position, 0), 7), weight) for position, weight in pairs]

    for row in range(side):
        for column in range(side):
            ink = sum(
                int(image[i, j]) * down * across
                for i, down in neighbours(row)
                for j, across in neighbours(column)
            )
            assert enlarged[row, column] == (ink * Fraction(255, 16) + Fraction(1, 2)).__floor__()


def test_the_digit_is_within_its_border(embedded) -> None:
    images = embedded["digits"].train_images
    inner = images[:, 4:24, 4:24]
    assert images.sum(dtype=int) == inner.sum(dtype=int)
    assert (inner.max(axis=(1, 2, 3)) > 200).all()


def test_draws_are_those_of_the_bit_generator() -> None:
    """NumPy promises never to change the raw stream of PCG64; these numbers pin what is made of it."""
    raw = [int(value) for value in np.random.PCG64((1, 2)).random_raw(5)]
    assert Draws(1, 2).below(10, 5).tolist() == [value % 10 for value in raw]
    assert Draws(1, 2).below(np.array([1, 2, 3, 4, 5]), 5).tolist() == [
        value % bound for value, bound in zip(raw, range(1, 6), strict=True)
    ]
    assert Draws(1, 2).shuffled(np.arange(5)).tolist() == sorted(range(5), key=raw.__getitem__)
