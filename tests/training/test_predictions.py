"""What a run keeps of its predictions."""

import math

import numpy as np
import pytest
import torch

from replication.errors import ResultsError
from replication.training.predictions import (
    PredictionLog,
    Predictions,
    class_type,
    read_predictions,
    write_predictions,
)


def predictions(seed=0, images=7, classes=3):
    random = np.random.default_rng(seed)
    return Predictions(
        random.integers(0, classes, images).astype(class_type(classes)), random.random(images, np.float32)
    )


def log_of(**epochs):
    log = PredictionLog()
    for split, numbers in epochs.items():
        for number in numbers:
            log.by_split[split][number] = predictions(number, images=7 if split == "validation" else 4)
    return log


def test_the_mean_loss_is_the_exact_sum_rounded_once():
    losses = np.array([1e8, 1.0, -1e8, 1e-3] * 10, np.float32)
    exact = math.fsum(float(loss) for loss in losses) / 40
    shuffled = np.random.default_rng(0).permutation(losses)
    for values in (losses, shuffled):
        assert Predictions(np.zeros(40, np.uint8), values).loss() == exact
    assert float(losses.sum()) / 40 != exact  # what one would write at first


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_shows(bad):
    losses = np.array([1.0, bad], np.float32)
    assert str(Predictions(np.zeros(2, np.uint8), losses).loss()) == str(bad)


def test_the_accuracy_is_the_share_of_right_classes():
    found = Predictions(np.array([0, 1, 2], np.uint8), np.zeros(3, np.float32))
    assert found.accuracy(np.array([0, 1, 1])) == 2 / 3
    # Labels are of a wider type: 256 is not 0.
    assert found.accuracy(np.array([256, 257, 258])) == 0.0


@pytest.mark.parametrize(("classes", "expected"), [(2, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_the_smallest_type_that_holds_the_classes(classes, expected):
    assert class_type(classes) is expected
    assert np.array([classes - 1]).astype(class_type(classes))[0] == classes - 1


@pytest.mark.parametrize("log", [PredictionLog(), log_of(validation=[1, 2, 3], test=[3]), log_of(test=[1])])
def test_a_file_gives_back_its_log(tmp_path, log):
    write_predictions(log, tmp_path / "new" / "predictions.safetensors")
    read = read_predictions(tmp_path / "new" / "predictions.safetensors")
    for split, epochs in log.by_split.items():
        assert list(read.by_split[split]) == list(epochs)
        for number, expected in epochs.items():
            found = read.by_split[split][number]
            for part in ("classes", "losses"):
                assert np.array_equal(getattr(found, part), getattr(expected, part))
                assert getattr(found, part).dtype == getattr(expected, part).dtype


def test_the_documented_tensors():
    tensors = log_of(validation=[1, 2], test=[2]).tensors()
    assert {name: (str(array.dtype), array.shape) for name, array in tensors.items()} == {
        "validation_epochs": ("int32", (2,)),
        "validation_classes": ("uint8", (2, 7)),
        "validation_losses": ("float32", (2, 7)),
        "test_epochs": ("int32", (1,)),
        "test_classes": ("uint8", (1, 4)),
        "test_losses": ("float32", (1, 4)),
    }


def test_equal_logs_give_equal_bytes_in_whatever_order_they_were_made(tmp_path):
    for name, log in {
        "a": log_of(validation=[1, 2, 3], test=[3]),
        "b": log_of(test=[3], validation=[3, 1, 2]),
    }.items():
        write_predictions(log, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_more_than_256_classes_survive_a_checkpoint():
    tensor = torch.from_numpy(predictions(classes=1000).classes)
    assert np.array_equal(tensor.numpy(), predictions(classes=1000).classes)
    assert tensor.dtype == torch.uint16


@pytest.mark.parametrize("damage", ["missing", "cut off", "a tensor less", "an epoch less"])
def test_a_damaged_file_is_an_error_with_a_remedy(tmp_path, damage):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "predictions.safetensors"
    write_predictions(log_of(validation=[1, 2], test=[2]), path)
    tensors = load_file(path)
    if damage == "missing":
        path.unlink()
    elif damage == "cut off":
        path.write_bytes(path.read_bytes()[:-1])
    elif damage == "a tensor less":
        save_file({name: array for name, array in tensors.items() if name != "test_losses"}, path)
    else:
        save_file(tensors | {"validation_losses": tensors["validation_losses"][:1]}, path)
    with pytest.raises(
        ResultsError, match=r"predictions\.safetensors: missing or damaged .* delete the run's folder"
    ):
        read_predictions(path)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "predictions.safetensors"
    write_predictions(log_of(test=[1]), path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*predictions\.safetensors"):
        write_predictions(log_of(test=[1, 2]), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
