import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch

from replication.errors import DataError
from replication.settings.run import DataSettings
from replication.training.batches import PADDING, Split, crop_and_flip, load_splits
from replication.training.randomness import stream
from support import CPU, tiny_dataset

# Large enough for no two crops of it to be alike.
HEIGHT, WIDTH = 6, 7


def settings(**fields):
    return DataSettings(**{"dataset": "tiny", "validation_fraction": 0.2, "scaling": "unit", **fields})


def slow_crop(image, down, right, flip):
    """Pad, cut and flip one image, pixel by pixel."""
    height, width, _ = image.shape
    result = np.zeros_like(image)
    for row in range(height):
        for across in range(width):
            from_row = row + down - PADDING
            from_column = (width - 1 - across if flip else across) + right - PADDING
            if 0 <= from_row < height and 0 <= from_column < width:
                result[row, across] = image[from_row, from_column]
    return result


def every_crop(image):
    """Give all crops of one image: bytes to (down, right, flip)."""
    offsets = range(2 * PADDING + 1)
    choices = [(down, right, flip) for down in offsets for right in offsets for flip in (False, True)]
    return {slow_crop(image, *choice).tobytes(): choice for choice in choices}


@pytest.mark.parametrize("channels", [1, 3])
def test_an_augmented_image_is_a_crop_of_its_own_and_every_crop_is_as_likely(channels):
    random = np.random.default_rng(2)
    originals = random.integers(1, 256, (2, HEIGHT, WIDTH, channels), np.uint8)
    crops = [every_crop(image) for image in originals]
    assert len(crops[0]) == 2 * 81
    which = random.integers(0, 2, 2000)
    augmented = crop_and_flip(torch.from_numpy(originals[which]), stream(1, "augmentation"))
    assert augmented.shape == (2000, HEIGHT, WIDTH, channels)
    assert augmented.dtype == torch.uint8
    # A KeyError here is an image that is no crop of the one it came from.
    drawn = np.array(
        [crops[number][image.tobytes()] for number, image in zip(which, augmented.numpy(), strict=True)]
    )
    for offsets in (drawn[:, 0], drawn[:, 1]):
        assert np.bincount(offsets, minlength=9) == pytest.approx(np.full(9, 2000 / 9), abs=60)
    assert drawn[:, 2].mean() == pytest.approx(0.5, abs=0.05)
    # The three are drawn independently of each other.
    assert np.corrcoef(drawn.T) == pytest.approx(np.eye(3), abs=0.1)
    assert len({tuple(choice) for choice in drawn}) == 2 * 81


def test_augmentation_repeats_with_its_generator():
    images = torch.from_numpy(tiny_dataset().train_images)
    generator = stream(1, "augmentation")
    first = crop_and_flip(images, generator)
    assert not torch.equal(first, crop_and_flip(images, generator))
    assert torch.equal(first, crop_and_flip(images, stream(1, "augmentation")))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("augmentation", [None, "crop_and_flip"])
def test_a_batch_is_float_channels_first_in_shape_and_channels_last_in_memory(channels, augmentation):
    training, _, _ = load_splits(tiny_dataset(size=8, channels=channels), settings(), CPU)
    images, labels = training.batch(torch.tensor([4, 0, 7]), augmentation and stream(1, "augmentation"))
    assert images.shape == (3, channels, 8, 8)
    assert images.dtype == torch.float32
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert labels.dtype == torch.int64
    assert torch.equal(labels, training.labels[[4, 0, 7]])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("scaling", ["unit", "standard"])
def test_scaling_follows_its_formula(channels, scaling):
    dataset = tiny_dataset(size=8, channels=channels)
    extremes = dataset.train_images.copy()
    extremes[0, 0, :2] = np.array([[0], [255]], np.uint8)
    # Constants that are not those of these very images, as for MNIST and CIFAR.
    mean, deviation = (0.1, 0.4, 0.7)[:channels], (0.2, 0.3, 0.9)[:channels]
    dataset = replace(dataset, train_images=extremes, mean=mean, standard_deviation=deviation)
    pixels = extremes[[0, 5]].astype(np.float64) / 255
    expected = pixels if scaling == "unit" else (pixels - mean) / deviation
    training, _, _ = load_splits(dataset, settings(scaling=scaling), CPU)
    images, _ = training.batch(torch.tensor([0, 5]))
    assert images.numpy().transpose(0, 2, 3, 1) == pytest.approx(expected, rel=1e-6, abs=1e-6)
    if scaling == "unit":
        assert images[0, 0, 0, :2].tolist() == [0, 1]


def test_padding_is_black_before_scaling():
    split = Split(torch.full((50, 8, 8, 1), 255, dtype=torch.uint8), torch.zeros(50), torch.tensor([1 / 255]),
                  torch.tensor([-0.25]))  # fmt: skip
    images, _ = split.batch(torch.arange(50), stream(1, "augmentation"))
    assert set(images.unique().tolist()) == {-0.25, 0.75}


@pytest.mark.parametrize(
    ("fields", "training", "validation", "test"),
    [
        ({}, range(36), range(36, 45), range(13)),
        ({"train_images": 10, "test_images": 5}, range(8), range(8, 10), range(5)),
        ({"train_images": 45, "test_images": 13}, range(36), range(36, 45), range(13)),
        ({"validation_fraction": 0.5}, range(23), range(23, 45), range(13)),  # 22.5 rounds to even
        ({"train_images": 2, "validation_fraction": 0.5}, range(1), range(1, 2), range(13)),
    ],
)
def test_the_first_images_are_used_and_the_last_of_them_validate(fields, training, validation, test):
    dataset = tiny_dataset()
    splits = load_splits(dataset, settings(**fields), CPU)
    sources = (dataset.train, dataset.train, dataset.test)
    for split, (images, labels), indices in zip(splits, sources, (training, validation, test), strict=True):
        assert len(split) == len(indices)
        assert np.array_equal(split.images.numpy(), images[list(indices)])
        assert np.array_equal(split.labels.numpy(), labels[list(indices)])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"train_images": 46}, "train_images: 46 images wanted, but tiny has 45"),
        ({"test_images": 14}, "test_images: 14 images wanted, but tiny has 13"),
        ({"validation_fraction": 0.01}, "no training or no validation image"),
        ({"validation_fraction": 0.99}, "no training or no validation image"),
        ({"train_images": 2, "validation_fraction": 0.1}, "0.1 of 2 images of tiny leaves"),
    ],
)
def test_what_the_data_cannot_give_is_refused(fields, message):
    with pytest.raises(DataError, match=message):
        load_splits(tiny_dataset(), settings(**fields), CPU)


def test_arrays_that_are_read_only_views_of_a_file_are_left_alone():
    dataset = tiny_dataset()
    for array in (*dataset.train, *dataset.test):
        array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        training, _, _ = load_splits(dataset, settings(), CPU)
    before = dataset.train_images.copy()
    training.images.zero_()
    assert np.array_equal(dataset.train_images, before)
