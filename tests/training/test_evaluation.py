"""Evaluation, against one image at a time."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from replication.system import interruption
from replication.system.interruption import RunInterruptedError
from replication.training import evaluation
from replication.training.batches import load_splits
from replication.training.evaluation import predict
from replication.training.models import build_model
from support import CPU, run_settings, tiny_dataset


@pytest.fixture(scope="module")
def split():
    return load_splits(tiny_dataset(test_count=23), run_settings().data, CPU)[2]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return build_model(run_settings().model, 1, 3)


def logits(model, images):
    return model(images).float()


def test_classes_and_losses_are_those_of_each_image_alone(model, split):
    found = predict(model, split, logits, 3)
    model.eval()
    with torch.no_grad():
        for number in range(len(split)):
            images, labels = split.batch(torch.tensor([number]))
            alone = model(images)
            assert found.classes[number] == int(alone.argmax(1))
            assert found.losses[number] == pytest.approx(
                float(functional.cross_entropy(alone, labels)), rel=1e-5
            )


def test_types_and_shapes(model, split):
    found = predict(model, split, logits, 3)
    assert (found.classes.dtype, found.losses.dtype) == (np.uint8, np.float32)
    assert found.classes.shape == found.losses.shape == (len(split),)
    assert predict(model, split, logits, 300).classes.dtype == np.uint16


@pytest.mark.parametrize("size", [1, 10, 22, 23, 24])
def test_every_image_counts_once_whatever_the_batch(model, split, monkeypatch, size):
    expected = predict(model, split, logits, 3)
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", size)
    found = predict(model, split, logits, 3)
    assert np.array_equal(found.classes, expected.classes)
    assert found.losses == pytest.approx(expected.losses, rel=1e-5)


def test_the_model_is_evaluated_without_dropout_and_without_gradients(model, split):
    model.train()
    modes = []

    def watched(model, images):
        modes.append((model.training, torch.is_grad_enabled()))
        return logits(model, images)

    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    predict(model, split, watched, 3)
    assert modes == [(False, False)]
    assert not model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_signal_ends_it_between_two_batches(model, split, monkeypatch):
    checks = []

    def check():
        checks.append(1)
        if len(checks) == 3:
            raise RunInterruptedError("SIGTERM")

    monkeypatch.setattr(interruption, "check", check)
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 5)
    with pytest.raises(RunInterruptedError):
        predict(model, split, logits, 3)
    assert len(checks) == 3
