"""What a model predicted for each image: from it every evaluation metric can be computed again."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from replication.errors import ResultsError
from replication.system.files import whole_file

SPLITS = ("validation", "test")
Classes = NDArray[np.unsignedinteger[Any]]
Losses = NDArray[np.float32]
Probabilities = NDArray[np.float32]


@dataclass(frozen=True)
class Predictions:
    """The predictions for one split after one epoch.

    Attributes
    ----------
    classes
        uint8 (uint16 for more than 256 classes), shape (images,): the class of the largest logit.
    losses
        float32, shape (images,): the cross-entropy of each image, in nats.
    probabilities
        float32, shape (images, classes), which an ensemble averages; None where they are not kept.
    """

    classes: Classes
    losses: Losses
    probabilities: Probabilities | None = None

    def loss(self) -> float:
        """Return the mean loss, in nats.

        The sum is rounded once, so that it does not depend on the order of summation or the machine.
        """
        return math.fsum(self.losses.tolist()) / len(self.losses)

    def accuracy(self, labels: NDArray[Any]) -> float:
        """Return the share of images, of true classes `labels` of shape (images,), that are classified right."""
        return int((self.classes == labels).sum()) / len(self.classes)


@dataclass
class PredictionLog:
    """The predictions of a run: by split (validation, test), then by epoch, counted from 1.

    Attributes
    ----------
    test_labels
        The true classes of the test images, shape (images,), where there are snapshots; else None.
    """

    by_split: dict[str, dict[int, Predictions]] = field(
        default_factory=lambda: {split: {} for split in SPLITS}
    )
    test_labels: Classes | None = None

    @property
    def snapshots(self) -> dict[int, Probabilities]:
        """The class probabilities of the test images, shape (images, classes), by epoch in order."""
        tested = sorted(self.by_split["test"].items())
        return {epoch: p.probabilities for epoch, p in tested if p.probabilities is not None}

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the log as arrays.

        `<split>_epochs` (k,), `<split>_classes` and `<split>_losses` (k, images), epochs in order; and where there are
        snapshots `snapshot_epochs` (s,), `snapshot_probabilities` (s, images, classes) and `test_labels` (images,).
        """
        tensors: dict[str, NDArray[Any]] = {}
        for split, epochs in self.by_split.items():
            if epochs:
                numbers = sorted(epochs)
                tensors[f"{split}_epochs"] = np.array(numbers, np.int32)
                tensors[f"{split}_classes"] = np.stack([epochs[number].classes for number in numbers])
                tensors[f"{split}_losses"] = np.stack([epochs[number].losses for number in numbers])
        if self.snapshots and self.test_labels is not None:
            tensors["snapshot_epochs"] = np.array(list(self.snapshots), np.int32)
            tensors["snapshot_probabilities"] = np.stack(list(self.snapshots.values()))
            tensors["test_labels"] = self.test_labels
        return tensors

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, NDArray[Any]]) -> "PredictionLog":
        """Build the log that has given `tensors`.

        Raises
        ------
        KeyError, ValueError
            They are not those of a log.
        """
        log = cls()
        for split in SPLITS:
            if f"{split}_epochs" in tensors:
                rows = [tensors[f"{split}_{part}"] for part in ("epochs", "classes", "losses")]
                for epoch, classes, losses in zip(*rows, strict=True):
                    log.by_split[split][int(epoch)] = Predictions(classes, losses)
        if "snapshot_epochs" in tensors:
            log.test_labels = tensors["test_labels"]
            tested = log.by_split["test"]
            kept = zip(tensors["snapshot_epochs"], tensors["snapshot_probabilities"], strict=True)
            tested |= {int(epoch): replace(tested[int(epoch)], probabilities=p) for epoch, p in kept}
        return log


def class_type(classes: int) -> type[np.unsignedinteger[Any]]:
    """Return the smallest type that holds the numbers 0 to `classes` - 1."""
    return np.uint8 if classes <= 256 else np.uint16


def write_predictions(log: PredictionLog, path: str | Path) -> None:
    """Write a log as one safetensors file, whole or not at all; equal logs give equal bytes."""
    with whole_file(path) as temporary:
        # Not with `save_file`, whose errors do not tell a full disk from others.
        temporary.write_bytes(save(log.tensors()))


def read_predictions(path: str | Path) -> PredictionLog:
    """Read a file of `write_predictions`.

    Raises
    ------
    ResultsError
        It is missing or damaged.
    """
    try:
        return PredictionLog.from_tensors(load_file(path))
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ResultsError(
            f"{path}: missing or damaged ({error}); delete the run's folder and run again"
        ) from error


def write_classes(log: PredictionLog, epochs: Collection[int], path: str | Path) -> None:
    """Write the predicted classes after some epochs, a hundredth of the log: `<split>_epochs`, `<split>_classes`."""
    tensors: dict[str, NDArray[Any]] = {}
    for split, found in log.by_split.items():
        if numbers := sorted(found.keys() & set(epochs)):
            tensors[f"{split}_epochs"] = np.array(numbers, np.int32)
            tensors[f"{split}_classes"] = np.stack([found[number].classes for number in numbers])
    with whole_file(path) as temporary:
        temporary.write_bytes(save(tensors))


def read_classes(path: str | Path) -> dict[str, dict[int, Classes]]:
    """Read a file of `write_classes`: by split, then by epoch.

    Raises
    ------
    ResultsError
        It is missing or damaged.
    """
    try:
        tensors = load_file(path)
        return {
            split: dict(zip(tensors[f"{split}_epochs"].tolist(), tensors[f"{split}_classes"], strict=True))
            for split in SPLITS
            if f"{split}_epochs" in tensors
        }
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ResultsError(
            f"{path}: missing or damaged ({error}); restore the published results again"
        ) from error
