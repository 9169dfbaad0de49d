"""Schedule-free SGD: the paper's recursion, written out, and a run that trains and evaluates at its points."""

import pytest
import torch
from torch.nn import functional

from replication.audit import expected
from replication.errors import ConfigurationError
from replication.settings.run import RunSettings
from replication.settings.validation import validate
from replication.system.interruption import RunInterruptedError
from replication.training.batches import load_splits
from replication.training.checkpoint import Checkpoints
from replication.training.models import build_model
from replication.training.randomness import stream, stream_seed
from replication.training.session import train
from support import CPU, column, numbers_of, run_settings, tiny_dataset, trained

pytestmark = pytest.mark.slow

RESNET = {"name": "resnet20", "width": 2}
AUGMENTED = {"augmentation": "crop_and_flip"}


def schedule_free(**fields):
    return {"name": "schedule_free_sgd", "learning_rate": 0.5, **fields}


class ThreePoints:
    """The paper's algorithm 1 (SGD), with weight decay at y and weights of the average as in its section 4.

    x is the average that is evaluated, z the sequence that takes the steps, y between them where gradients are taken.
    """

    def __init__(self, model, optimizer):
        self.settings = optimizer
        self.parameters = list(model.parameters())
        self.x = [p.detach().clone() for p in self.parameters]
        self.z = [p.detach().clone() for p in self.parameters]
        self.steps, self.weight_sum = 0, 0.0

    def rate(self):
        warm_up = self.settings.warmup_steps
        share = min((self.steps + 1) / warm_up, 1) if warm_up else 1
        return self.settings.learning_rate * share

    def put(self, points):
        with torch.no_grad():
            for parameter, point in zip(self.parameters, points, strict=True):
                parameter.copy_(point)

    def y(self):
        beta = self.settings.momentum
        return [(1 - beta) * z + beta * x for x, z in zip(self.x, self.z, strict=True)]

    def step(self):
        """Take the gradients at the parameters, which are y."""
        rate = self.rate()
        self.weight_sum += rate**2
        share = rate**2 / self.weight_sum
        for number, parameter in enumerate(self.parameters):
            gradient = parameter.grad + self.settings.weight_decay * parameter.detach()
            self.z[number] = self.z[number] - rate * gradient
            self.x[number] = (1 - share) * self.x[number] + share * self.z[number]
        self.steps += 1


def plain_loop(settings, dataset, seed=1):
    """Train with the three points kept apart; return training losses, validation losses and learning rates."""
    training, validation, _ = load_splits(dataset, settings.data, CPU)
    torch.manual_seed(stream_seed(seed, "initial weights"))
    model = build_model(settings.model, 1, len(dataset.classes)).to(memory_format=torch.channels_last)
    points = ThreePoints(model, settings.optimizer)
    order = stream(seed, "data order")
    train_losses, validation_losses, rates = [], [], []
    for _ in range(settings.epochs):
        model.train()
        batches = torch.randperm(len(training), generator=order).split(settings.batch_size)
        total = 0.0
        for indices in batches:
            images, labels = training.batch(indices)
            points.put(points.y())
            model.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            rates.append(points.rate())
            points.step()
            total += loss.item() * len(labels)
        train_losses.append(total / len(training))
        points.put(points.x)
        with torch.no_grad():
            for indices in batches[: settings.optimizer.batch_norm_batches]:
                model(training.batch(indices)[0])
            model.eval()
            images, labels = validation.batch(torch.arange(len(validation)))
            validation_losses.append(functional.cross_entropy(model(images), labels).item())
    return train_losses, validation_losses, rates


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ({"name": "mnist-cnn"}, {}),
        ({"name": "mnist-cnn"}, {"momentum": 0.6, "weight_decay": 0.05, "warmup_steps": 5}),
        (RESNET, {"learning_rate": 0.01, "batch_norm_batches": 2}),
        (RESNET, {"learning_rate": 0.01, "batch_norm_batches": 0}),
    ],
    ids=["plain", "everything", "batch norm", "batch norm as in training"],
)
def test_a_run_is_the_papers_recursion(model, fields):
    dataset = tiny_dataset()
    settings = run_settings(model=model, optimizer=schedule_free(**fields), record_every_step=True)
    result = train(settings, dataset, 1, CPU)
    train_losses, validation_losses, rates = plain_loop(settings, dataset)
    assert column(result, "train_loss") == pytest.approx(train_losses, rel=1e-4)
    assert column(result, "validation_loss") == pytest.approx(validation_losses, rel=1e-4)
    assert [row["learning_rate"] for row in result.steps] == pytest.approx(rates, rel=1e-12)
    assert column(result, "momentum") == [settings.optimizer.momentum] * 3
    # The two points are apart by more than the tolerance, so that one cannot stand for the other.
    assert abs(train_losses[-1] / validation_losses[-1] - 1) > 0.01


@pytest.mark.parametrize("warm_up", [0, 4])
def test_the_audit_expects_the_rates_that_are_recorded(warm_up):
    settings = run_settings(optimizer=schedule_free(warmup_steps=warm_up), record_every_step=True)
    result = train(settings, tiny_dataset(), 1, CPU)
    planned = list(expected.rates(settings, range(9), 3))
    assert [(row["learning_rate"], row["momentum"]) for row in result.steps] == planned


def test_gathering_statistics_changes_no_weight_and_no_draw():
    fields = {"model": RESNET, "data": AUGMENTED, "epochs": 3}
    with_it, without = (
        trained(**fields, optimizer=schedule_free(learning_rate=0.05, batch_norm_batches=count))
        for count in (50, 0)
    )
    assert column(with_it, "train_loss") == column(without, "train_loss")
    assert column(with_it, "validation_loss") != column(without, "validation_loss")
    # No more than the three batches of an epoch are seen again.
    assert (with_it.costs, without.costs) == ({"calibration_forward_passes": 9}, {})
    assert trained(optimizer=schedule_free()).costs == {}, "nothing normalises over the batch"


def test_the_best_weights_are_those_that_were_evaluated():
    """Restored, they give the test loss that was measured after their epoch."""
    stopping = {"monitor": "validation_loss", "patience": 2, "restore_best": True}
    fields = {
        "optimizer": schedule_free(learning_rate=3.0),
        "epochs": 8,
        "early_stopping": stopping,
        "model": RESNET,
    }
    dataset = tiny_dataset(wrong_labels=0.3)
    end = trained(dataset, **fields)
    every = trained(dataset, **fields, evaluate_test="every_epoch")
    assert end.best_epoch < len(end.history)
    assert end.history[end.best_epoch - 1] == every.history[end.best_epoch - 1]
    assert end.weights_digest == every.weights_digest
    assert end.weights_digest != trained(dataset, **fields | {"early_stopping": None}).weights_digest


@pytest.mark.parametrize("model", [{"name": "mnist-cnn"}, RESNET], ids=["plain", "batch norm"])
def test_it_goes_on_bit_for_bit_from_any_check(tmp_path, monkeypatch, model):
    settings = run_settings(
        model=model, optimizer=schedule_free(warmup_steps=4), data=AUGMENTED, epochs=2, record_every_step=True
    )
    whole = train(settings, tiny_dataset(), 1, CPU)
    checks = []

    def check():
        checks.append(1)
        if len(checks) == at:
            raise RunInterruptedError("SIGTERM")

    monkeypatch.setattr("replication.system.interruption.check", check)
    for at in range(1, 11):  # 2 epochs of 3 steps and an evaluation, and 2 in the end
        checks.clear()
        folder = tmp_path / str(at)
        with pytest.raises(RunInterruptedError):
            train(settings, tiny_dataset(), 1, CPU, None, Checkpoints(folder, {}))
        pieces = train(settings, tiny_dataset(), 1, CPU, None, Checkpoints(folder, {}))
        assert numbers_of(pieces) == numbers_of(whole), at


@pytest.mark.parametrize(
    "schedule",
    [
        {"name": "cosine"},
        {"name": "hypergradient", "hypergradient_rate": 0.1},
        {"name": "constant", "warm_up": {"name": "linear", "epochs": 1, "start": 0}},
    ],
)
def test_a_schedule_beside_it_is_refused(schedule):
    settings = run_settings().model_dump(mode="json")
    settings |= {"optimizer": schedule_free(), "schedule": schedule}
    with pytest.raises(ConfigurationError, match=r"study\.yaml, arm x: .*use the schedule constant"):
        validate(RunSettings, settings, "study.yaml, arm x")


def test_the_audit_of_the_rates_tells_another_momentum():
    settings = run_settings(optimizer=schedule_free(momentum=0.7))
    assert [momentum for _, momentum in expected.rates(settings, [0], 3)] == [0.7]
