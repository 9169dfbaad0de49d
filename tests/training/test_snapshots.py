"""Snapshots: the class probabilities that a run keeps for ensembles, and what the audit says of them."""

import numpy as np
import pytest
from pydantic import ValidationError

from replication.audit.datasets import Labels
from replication.audit.expected import metric_problems
from replication.training.predictions import PredictionLog, read_predictions, write_predictions
from replication.training.session import RunResult
from support import run_settings, tiny_dataset, trained

SNAPSHOTS = {"evaluate_test": "every_epoch", "snapshot_epochs": [1, 3]}
DATASET = tiny_dataset()


@pytest.fixture(scope="module")
def kept() -> RunResult:
    """Return a run of three epochs that keeps the first and the last."""
    return trained(DATASET, **SNAPSHOTS)


def problems(result: RunResult, **changes: object) -> list[str]:
    labels = Labels("", len(DATASET.classes), DATASET.train_labels, DATASET.test_labels)
    settings = run_settings(**(SNAPSHOTS | changes))
    return list(metric_problems(settings, result.history, result.predictions, labels))


def copy_of(result: RunResult) -> RunResult:
    log = PredictionLog.from_tensors({name: a.copy() for name, a in result.predictions.tensors().items()})
    return RunResult(history=result.history, predictions=log)


def test_snapshots_are_kept_of_their_epochs_only(kept: RunResult) -> None:
    assert list(kept.predictions.snapshots) == [1, 3]
    for probabilities in kept.predictions.snapshots.values():
        assert probabilities.shape == (13, 3)
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    assert kept.predictions.test_labels is not None
    assert kept.predictions.test_labels.tolist() == DATASET.test_labels.tolist()


def test_they_change_nothing_else(kept: RunResult) -> None:
    assert trained(DATASET, evaluate_test="every_epoch").weights_digest == kept.weights_digest
    assert trained(DATASET).predictions.test_labels is None


def test_they_survive_a_file(kept: RunResult, tmp_path) -> None:
    write_predictions(kept.predictions, tmp_path / "predictions.safetensors")
    read = read_predictions(tmp_path / "predictions.safetensors")
    for epoch, probabilities in kept.predictions.snapshots.items():
        np.testing.assert_array_equal(read.snapshots[epoch], probabilities)
    np.testing.assert_array_equal(read.test_labels, kept.predictions.test_labels)


def test_the_audit_finds_nothing_in_what_a_run_has_kept(kept: RunResult) -> None:
    assert problems(kept) == []


def test_the_audit_finds_an_edited_probability(kept: RunResult) -> None:
    edited = copy_of(kept)
    image = int(edited.predictions.by_split["test"][3].losses.argmin())  # right, also after the edit
    label = DATASET.test_labels[image]
    edited.predictions.snapshots[3][image, label] -= 0.001
    assert problems(edited) == ["epoch 3: holds probabilities that do not give its losses"]


def test_the_audit_finds_another_class(kept: RunResult) -> None:
    edited = copy_of(kept)
    edited.predictions.snapshots[1][0] = edited.predictions.snapshots[1][0][::-1].copy()
    found = problems(edited)
    assert len(found) == 1
    assert found[0].startswith("epoch 1: holds probabilities")


def test_the_audit_finds_other_labels(kept: RunResult) -> None:
    edited = copy_of(kept)
    assert edited.predictions.test_labels is not None
    edited.predictions.test_labels[0] = (edited.predictions.test_labels[0] + 1) % 3
    assert problems(edited) == ["holds labels that are not those of the test images"]


def test_the_audit_finds_missing_snapshots(kept: RunResult) -> None:
    assert problems(kept, snapshot_epochs=[1, 2, 3]) == ["holds snapshots of epochs [1, 3], not [1, 2, 3]"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"snapshot_epochs": [1]}, "need evaluate_test: every_epoch"),
        (SNAPSHOTS | {"snapshot_epochs": [4]}, "4 comes after the last of 3 epochs"),
        (SNAPSHOTS | {"snapshot_epochs": [2, 1]}, "should increase"),
        (SNAPSHOTS | {"snapshot_epochs": [0]}, "greater than or equal to 1"),
    ],
)
def test_epochs_that_cannot_be_kept_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        run_settings(**changes)


def test_members_of_one_seed_are_independent() -> None:
    first, second, third = (trained(DATASET, member=member) for member in (1, 2, 3))
    assert first.weights_digest == trained(DATASET).weights_digest
    assert len({first.weights_digest, second.weights_digest, third.weights_digest}) == 3
    assert trained(DATASET, seed=2, member=2).weights_digest != second.weights_digest
    assert trained(DATASET, member=2).weights_digest == second.weights_digest
