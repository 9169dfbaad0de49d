"""Images that live on the device, and the batches made of them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from replication.data.dataset import Dataset
from replication.errors import DataError
from replication.settings.run import DataSettings

PADDING = 4  # pixels of zeros around an image before a random crop, the usual choice for CIFAR


@dataclass(frozen=True)
class Split:
    """Images and labels of one split, on the device.

    Attributes
    ----------
    images
        uint8, shape (N, height, width, channels).
    labels
        int64, shape (N,).
    scale, shift
        float32, shape (channels,): a pixel enters the model as `pixel * scale + shift`.
    """

    images: Tensor
    labels: Tensor
    scale: Tensor
    shift: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, start: int, stop: int) -> "Split":
        """Return the images from `start` to before `stop`."""
        return Split(self.images[start:stop], self.labels[start:stop], self.scale, self.shift)

    def batch(self, indices: Tensor, augmentation: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
        """Return images, float32 of shape (N, channels, height, width), channels-last in memory, and labels.

        With a generator, each image is cropped at random after padding, and flipped with probability 1/2.
        """
        indices = indices.to(self.images.device)
        images = self.images[indices]
        if augmentation is not None:
            images = crop_and_flip(images, augmentation)
        return (images * self.scale + self.shift).permute(0, 3, 1, 2), self.labels[indices]


def crop_and_flip(images: Tensor, generator: torch.Generator) -> Tensor:
    """Crop each image at random after `PADDING` zeros on each side, and flip half of them left to right.

    Parameters
    ----------
    images
        Shape (N, height, width, channels), any type.
    generator
        On the CPU; it draws two offsets and one flip for each image.

    Returns
    -------
    Tensor
        Same shape and type.
    """
    count, height, width, _ = images.shape
    offsets = torch.randint(0, 2 * PADDING + 1, (count, 2), generator=generator).to(images.device)
    flips = torch.randint(0, 2, (count, 1), generator=generator).to(images.device).bool()
    padded = functional.pad(images, (0, 0, PADDING, PADDING, PADDING, PADDING))
    across = torch.arange(width, device=images.device).expand(count, width)
    columns = torch.where(flips, across.flip(1), across) + offsets[:, 1:]
    rows = torch.arange(height, device=images.device) + offsets[:, :1]
    which = torch.arange(count, device=images.device)
    return padded[which[:, None, None], rows[:, :, None], columns[:, None, :]]


def load_splits(dataset: Dataset, settings: DataSettings, device: torch.device) -> tuple[Split, Split, Split]:
    """Put the images of a run on `device`: training, validation and test.

    Raises
    ------
    DataError
        More images are wanted than there are, or a split would be empty.
    """
    train_count = _count("train_images", settings.train_images, len(dataset.train_labels), dataset.name)
    test_count = _count("test_images", settings.test_images, len(dataset.test_labels), dataset.name)
    held_out = settings.held_out(train_count)
    if not 0 < held_out < train_count:
        raise DataError(
            f"validation_fraction {settings.validation_fraction} of {train_count} images of {dataset.name} leaves "
            "no training or no validation image: change it, or use more images"
        )
    scale, shift = _normalisation(dataset, settings, device)
    chosen = _split(dataset.train_images[:train_count], dataset.train_labels[:train_count], scale, shift)
    test = _split(dataset.test_images[:test_count], dataset.test_labels[:test_count], scale, shift)
    border = train_count - held_out
    return chosen.part(0, border), chosen.part(border, train_count), test


def _count(key: str, wanted: int | None, available: int, name: str) -> int:
    if wanted is not None and wanted > available:
        raise DataError(
            f"{key}: {wanted} images wanted, but {name} has {available}: ask for fewer, or null for all"
        )
    return available if wanted is None else wanted


def _normalisation(dataset: Dataset, settings: DataSettings, device: torch.device) -> tuple[Tensor, Tensor]:
    mean = torch.tensor(dataset.mean if settings.scaling == "standard" else [0.0], dtype=torch.float64)
    deviation = torch.tensor(
        dataset.standard_deviation if settings.scaling == "standard" else [1.0], dtype=torch.float64
    )
    # In double precision first, so that the constants are the nearest floats.
    return (1 / (255 * deviation)).float().to(device), (-mean / deviation).float().to(device)


def _split(images: np.ndarray, labels: np.ndarray, scale: Tensor, shift: Tensor) -> Split:
    # Copied: the arrays are read-only views of the file.
    return Split(
        images=torch.from_numpy(images.copy()).to(scale.device),
        labels=torch.from_numpy(labels.astype(np.int64)).to(scale.device),
        scale=scale,
        shift=shift,
    )
