import io
import math
from collections import OrderedDict

import numpy as np
import pytest
import torch

from replication.audit.expected import mean_step_loss
from replication.errors import ConfigurationError, DataError
from replication.schedules import build
from replication.training import trainer
from replication.training.batches import Split, load_splits
from replication.training.devices import choose_device
from replication.training.models import build_model
from replication.training.randomness import stream, stream_seed
from replication.training.session import train
from replication.training.weights import all_finite, digest_of_weights
from support import (
    CPU,
    PURE,
    SCHEDULES,
    column,
    last_epoch_in_keras,
    numbers_of,
    run_settings,
    schedule_of,
    tiny_dataset,
    trained,
)

COLUMNS = [
    "epoch", "steps", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "test_loss",
    "test_accuracy", "learning_rate", "momentum",
]  # fmt: skip
TEST_COLUMNS = ["test_loss", "test_accuracy"]
RESNET = {"name": "resnet20", "width": 2}
ADAM = {"name": "adam", "learning_rate": 0.002, "epsilon": 1e-7}
AUGMENTED = {"augmentation": "crop_and_flip"}
# So small that no weight changes: the whole epoch sees the initial weights.
FROZEN = {"learning_rate": 1e-100, "momentum": 0.0}
# Validation loss falls for some epochs, then rises.
OVERFITTING = {"optimizer": {"learning_rate": 0.1, "momentum": 0.9}, "epochs": 8}
HUGE = {"learning_rate": 1e30}

VARIANTS = {
    **{name: {"schedule": schedule_of(name)} for name in SCHEDULES},
    "adam": {"optimizer": ADAM},
    "augmentation": {"data": AUGMENTED},
    "standard scaling": {"data": {"scaling": "standard"}},
    "bfloat16": {"precision": "bfloat16"},
    "bfloat16, loss probing, augmentation": {
        "precision": "bfloat16", "schedule": schedule_of("loss_probing"), "data": AUGMENTED
    },
    "batch norm": {"model": RESNET, "data": AUGMENTED, "schedule": schedule_of("loss_probing")},
    "test images every epoch": {"evaluate_test": "every_epoch"},
    "early stopping": {
        "early_stopping": {"monitor": "validation_loss", "patience": 1, "restore_best": True}, "epochs": 4
    },
    "diverging": {"optimizer": HUGE},
}  # fmt: skip


def overfitting():
    return tiny_dataset(wrong_labels=0.2, seed=1)


def initial_model(dataset, settings, seed=1):
    torch.manual_seed(stream_seed(seed, "initial weights"))
    return build_model(settings.model, dataset.train_images.shape[3], len(dataset.classes))


# One seed, one result


@pytest.mark.slow
@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
def test_one_seed_gives_the_same_bytes(changes):
    first = trained(**{"epochs": 2, "record_every_step": True, **changes})
    torch.manual_seed(99)  # whatever the process did before
    np.random.seed(99)  # noqa: NPY002 - the global state is what is disturbed
    again = trained(**{"epochs": 2, "record_every_step": True, **changes})
    assert numbers_of(again) == numbers_of(first)


def test_another_seed_has_other_initial_weights_and_another_order_of_the_data():
    dataset = tiny_dataset()
    one, other = (trained(dataset, seed=seed, epochs=1) for seed in (1, 2))
    assert one.weights_digest != other.weights_digest
    for name in ("train_loss", "validation_loss", "test_loss"):
        assert column(one, name) != column(other, name)
    still = [trained(dataset, seed=seed, epochs=1, optimizer=FROZEN).weights_digest for seed in (1, 2)]
    assert still[0] != still[1]


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_and_determinism_are_set(threads):
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(3 - threads)
    trained(epochs=1, threads=threads)
    assert torch.get_num_threads() == threads
    assert torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(1)


ARMS = {
    "step": {"schedule": schedule_of("step")},
    "plateau": {"schedule": schedule_of("reduce_on_plateau")},
    "probing the factor 1": {"schedule": {"name": "loss_probing", "factors": [1.0]}},
    "early stopping": {"early_stopping": {"monitor": "validation_loss", "patience": 1}},
    "longer budget": {"epochs": 4},
    "test images every epoch": {"evaluate_test": "every_epoch"},
}


@pytest.mark.parametrize("changes", ARMS.values(), ids=ARMS)
def test_arms_are_the_same_until_they_do_something_different(changes):
    dataset = tiny_dataset()
    first, base = (trained(dataset, **arm).history[0] for arm in (changes, {}))
    shared = [name for name in COLUMNS if name not in TEST_COLUMNS]
    assert {name: first[name] for name in shared} == {name: base[name] for name in shared}


@pytest.mark.parametrize("optimizer", [FROZEN, {**ADAM, "learning_rate": 1e-100}])
@pytest.mark.parametrize("schedule", ["triangular", "loss_probing"])
@pytest.mark.parametrize("data", [{}, AUGMENTED])
def test_arms_share_initial_weights(optimizer, schedule, data):
    dataset = tiny_dataset()
    arm = trained(dataset, epochs=1, optimizer=optimizer, schedule=schedule_of(schedule), data=data)
    base = trained(dataset, epochs=1, optimizer=FROZEN)
    assert column(arm, "validation_loss") == column(base, "validation_loss")
    assert column(arm, "test_loss") == column(base, "test_loss")
    # Only training is augmented.
    assert (column(arm, "train_loss") == column(base, "train_loss")) == (not data)


def test_arms_share_the_order_of_the_data_which_is_another_in_each_epoch(monkeypatch):
    drawn = []
    batch = Split.batch

    def recorded(split, indices, augmentation=None):
        if len(split) == 36 and not torch.is_inference_mode_enabled():
            drawn.append(indices.tolist())
        return batch(split, indices, augmentation)

    monkeypatch.setattr(Split, "batch", recorded)

    def order(**changes):
        drawn.clear()
        trained(**changes)
        # A probe draws its batch first, one before each epoch's three.
        probes = "schedule" in changes
        return [batch for number, batch in enumerate(drawn) if not probes or number % 4]

    base = order()
    assert [len(batch) for batch in base] == [16, 16, 4] * 3
    epochs = [[index for batch in base[start : start + 3] for index in batch] for start in (0, 3, 6)]
    assert all(sorted(epoch) == list(range(36)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] != list(range(36))
    assert (
        order(data=AUGMENTED) == order(optimizer=ADAM) == order(schedule=schedule_of("loss_probing")) == base
    )
    assert order(seed=2) != base


# What is measured


def test_losses_and_accuracies_weigh_every_image_the_same(monkeypatch):
    """Compare with single images, for a split of 36 in batches of 16 and 9 and 13 in parts of 4."""
    monkeypatch.setattr("replication.training.evaluation.EVALUATION_BATCH", 4)
    dataset = tiny_dataset()
    result = trained(dataset, optimizer=FROZEN, epochs=1)
    model = initial_model(dataset, run_settings())
    assert result.weights_digest == digest_of_weights(model), "the weights should not have moved"

    def one_by_one(images, labels):
        losses, hits = [], []
        for image, label in zip(images, labels, strict=True):
            with torch.no_grad():
                logits = model(torch.from_numpy(image.transpose(2, 0, 1)[None].copy()) / 255)[0].double()
            losses.append(float(logits.logsumexp(0) - logits[int(label)]))
            hits.append(int(logits.argmax()) == label)
        return np.mean(losses), np.mean(hits)

    parts = {
        "train": (dataset.train_images[:36], dataset.train_labels[:36]),
        "validation": (dataset.train_images[36:], dataset.train_labels[36:]),
        "test": dataset.test,
    }
    for name, part in parts.items():
        loss, accuracy = one_by_one(*part)
        assert result.history[0][f"{name}_loss"] == pytest.approx(loss, rel=1e-5)
        assert result.history[0][f"{name}_accuracy"] == pytest.approx(accuracy, rel=1e-12)


OPTIMIZERS = {
    "SGD": (
        {"name": "sgd", "learning_rate": 0.01, "momentum": 0.5, "nesterov": True, "weight_decay": 0.01},
        lambda weights: torch.optim.SGD(weights, 0.01, 0.5, nesterov=True, weight_decay=0.01),
    ),
    "Adam": (
        {
            "name": "adam", "learning_rate": 0.005, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3,
            "weight_decay": 0.01,
        },
        lambda weights: torch.optim.Adam(weights, 0.005, (0.8, 0.95), eps=1e-3, weight_decay=0.01),
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs"), OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize(
    ("model", "schedule"),
    [({"name": "mnist-cnn"}, "constant"), ({"name": "mnist-cnn"}, "one_cycle"), (RESNET, "constant")],
)
def test_training_is_that_of_a_plain_loop(ours, theirs, schedule, model):
    """With 1cycle it shows that its momentum reaches the optimizer, as torch's own scheduler sets it."""
    dataset = tiny_dataset()
    settings = run_settings(
        optimizer=ours, schedule={"name": schedule}, model=model, data={"scaling": "standard"}
    )
    # In another memory format sums differ in their last bits, which batch norm makes much of.
    network = initial_model(dataset, settings).to(memory_format=torch.channels_last)
    optimizer = theirs(network.parameters())
    cycle = schedule == "one_cycle" and torch.optim.lr_scheduler.OneCycleLR(
        optimizer, ours["learning_rate"], total_steps=9
    )
    training, validation, _ = load_splits(dataset, settings.data, CPU)
    order = stream(1, "data order")
    losses = []
    for _ in range(3):
        network.train()
        for indices in torch.randperm(36, generator=order).split(16):
            images, labels = training.batch(indices)
            loss = torch.nn.functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if cycle:
                cycle.step()
        network.eval()
        with torch.no_grad():
            images, labels = validation.batch(torch.arange(9))
            losses.append(torch.nn.functional.cross_entropy(network(images), labels).item())
    result = train(settings, dataset, 1, CPU)
    assert column(result, "validation_loss") == pytest.approx(losses, rel=1e-4)


@pytest.mark.parametrize("schedule", ["constant", "loss_probing"])
def test_bfloat16_rounds_the_forward_pass_and_no_more(schedule):
    dataset = tiny_dataset()
    frozen = {"epochs": 1, "schedule": schedule_of(schedule), "optimizer": FROZEN}
    low, full = (trained(dataset, **frozen, precision=name) for name in ("bfloat16", "float32"))
    assert low.weights_digest == full.weights_digest
    for name in ("train_loss", "validation_loss", "test_loss"):
        assert column(low, name) != column(full, name)
        assert column(low, name) == pytest.approx(column(full, name), rel=0.01)


def test_it_learns():
    result = trained(tiny_dataset(150, noise=0.3), epochs=4)
    assert column(result, "validation_accuracy")[-1] == result.history[-1]["test_accuracy"] == 1
    assert column(result, "train_loss") == sorted(column(result, "train_loss"), reverse=True)


def test_history_has_the_documented_columns():
    result = trained()
    assert [list(row) for row in result.history] == [COLUMNS] * 3
    assert column(result, "epoch") == [1, 2, 3]
    assert column(result, "steps") == [3, 6, 9]
    times = {"epoch", "seconds_training", "seconds_evaluation", "seconds_probing", "peak_memory_mb"}
    assert [set(row) for row in result.timings] == [times] * 3
    assert [row["epoch"] for row in result.timings] == [1, 2, 3]
    assert all(seconds >= 0 for row in result.timings for seconds in row.values())
    assert result.outcome == "completed"
    assert len(result.weights_digest) == 64
    assert result.steps == []
    assert result.costs == {}


def test_the_best_epoch_is_the_first_minimum_of_the_validation_loss():
    result = trained(overfitting(), **OVERFITTING)
    losses = column(result, "validation_loss")
    assert result.best_epoch == 1 + losses.index(min(losses))
    assert 1 < result.best_epoch < 8, "a run that shows little"
    equal = trained(optimizer=FROZEN)
    assert len(set(column(equal, "validation_loss"))) == 1
    assert equal.best_epoch == 1


def test_test_images_are_measured_for_the_last_and_the_best_epoch_or_for_all():
    end = trained(overfitting(), **OVERFITTING)
    every = trained(overfitting(), **OVERFITTING, evaluate_test="every_epoch")
    assert end.weights_digest == every.weights_digest
    for name in COLUMNS:
        measured = {end.best_epoch, 8} if name in TEST_COLUMNS else set(range(1, 9))
        for row, full in zip(end.history, every.history, strict=True):
            assert math.isfinite(full[name])
            assert row[name] == full[name] if row["epoch"] in measured else math.isnan(row[name]), (name, row)
    assert len(set(column(every, "test_loss"))) == 8


# Learning rate and momentum


@pytest.mark.slow
@pytest.mark.parametrize("name", PURE)
def test_the_learning_rate_of_every_step_is_the_schedules(name):
    result = trained(schedule=schedule_of(name), epochs=4, record_every_step=True)
    plan = build(run_settings(schedule=schedule_of(name)).schedule, 3, 4)
    assert [row["step"] for row in result.steps] == list(range(12))
    rates = [row["learning_rate"] for row in result.steps]
    assert rates == pytest.approx([0.05 * plan.learning_rate(step) for step in range(12)], rel=1e-12)
    assert column(result, "learning_rate") == rates[2::3]


def test_the_learning_rate_of_loss_probing_is_recorded_as_used():
    result = trained(schedule=schedule_of("loss_probing"), record_every_step=True)
    rates = [row["learning_rate"] for row in result.steps]
    assert rates == [rate for rate in column(result, "learning_rate") for _ in range(3)]
    assert len(set(rates)) == 3
    assert result.costs == {
        "probes": 3, "trial_losses_per_probe": 3, "backward_passes_per_probe": 1, "parameter_copies": 1
    }  # fmt: skip


@pytest.mark.parametrize("optimizer", [{}, ADAM], ids=["SGD", "Adam"])
@pytest.mark.parametrize("cycle_momentum", [True, False])
def test_momentum_is_recorded(optimizer, cycle_momentum):
    schedule = schedule_of("one_cycle", cycle_momentum=cycle_momentum)
    result = trained(schedule=schedule, optimizer=optimizer, record_every_step=True)
    plan = build(run_settings(schedule=schedule_of("one_cycle")).schedule, 3, 3)
    constant = 0.9 if optimizer else 0.5
    expected = [plan.momentum(step) if cycle_momentum else constant for step in range(9)]
    assert [row["momentum"] for row in result.steps] == expected
    assert column(result, "momentum") == expected[2::3]


# Losses of steps


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes", [{}, {"model": RESNET, "batch_size": 10}, {"precision": "bfloat16"}], ids=str
)
def test_the_losses_of_steps_give_those_of_epochs_to_the_last_bit(changes):
    result = trained(record_every_step=True, **changes)
    losses = [row["train_loss"] for row in result.steps]
    an_epoch = len(losses) // 3
    means = [
        mean_step_loss(run_settings(**changes), losses[start : start + an_epoch], 36)
        for start in range(0, len(losses), an_epoch)
    ]
    assert means == column(result, "train_loss")
    assert an_epoch > 2


def test_the_loss_of_a_step_is_that_before_it():
    """The first is that of the initial weights, whatever the rate."""
    first = [
        trained(record_every_step=True, optimizer={"learning_rate": rate}).steps[0] for rate in (0.01, 0.1)
    ]
    assert first[0]["train_loss"] == first[1]["train_loss"]
    assert [row["learning_rate"] for row in first] == [0.01, 0.1]


# The budget


@pytest.mark.parametrize("schedule", ["linear", "rex", "one_cycle", "triangular"])
def test_a_share_of_the_budget_is_a_shorter_run(schedule):
    whole = trained(schedule=schedule_of(schedule), epochs=2)
    share = trained(schedule=schedule_of(schedule), epochs=8, budget_percent=25)
    assert share.outcome == "completed"
    assert numbers_of(share) == numbers_of(whole)


# How a run ends


@pytest.mark.slow
@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy"])
@pytest.mark.parametrize("patience", [1, 2])
def test_early_stopping_cuts_a_run_short_and_changes_nothing_else(monitor, patience):
    stopped = trained(overfitting(), **OVERFITTING, early_stopping={"monitor": monitor, "patience": patience})
    whole = trained(overfitting(), **OVERFITTING)
    last = last_epoch_in_keras(column(whole, monitor), monitor, patience)
    assert stopped.outcome == "stopped early"
    assert len(stopped.history) == len(stopped.timings) == last < 8
    kept = [name for name in COLUMNS if name not in TEST_COLUMNS]
    for row, full in zip(stopped.history, whole.history, strict=False):
        assert {name: row[name] for name in kept} == {name: full[name] for name in kept}
    assert math.isfinite(stopped.history[-1]["test_loss"])
    cut = trained(overfitting(), **{**OVERFITTING, "epochs": last})
    assert stopped.weights_digest == cut.weights_digest


def test_restoring_the_best_gives_the_weights_of_the_best_epoch():
    stopping = {"monitor": "validation_loss", "patience": 2}
    restored = trained(overfitting(), **OVERFITTING, early_stopping={**stopping, "restore_best": True})
    kept = trained(overfitting(), **OVERFITTING, early_stopping=stopping)
    best = trained(overfitting(), **{**OVERFITTING, "epochs": kept.best_epoch})
    assert restored.weights_digest == best.weights_digest != kept.weights_digest
    # What was measured is the same: the last row is of the last weights.
    restored.weights_digest = kept.weights_digest
    assert numbers_of(restored) == numbers_of(kept)


def test_early_stopping_at_the_ends_of_cycles_looks_at_nothing_else():
    schedule = {"name": "triangular", "half_cycle_epochs": 1, "minimum": 0.1}
    cycles = {**OVERFITTING, "schedule": schedule, "epochs": 12}
    losses = column(trained(overfitting(), **cycles), "validation_loss")
    expected = {
        "every_epoch": last_epoch_in_keras(losses, "validation_loss", patience=1),
        "cycle_ends": 2 * last_epoch_in_keras(losses[1::2], "validation_loss", patience=1),
    }
    assert expected["every_epoch"] < expected["cycle_ends"] < 12
    for judged, last in expected.items():
        stopping = {"monitor": "validation_loss", "patience": 1, "judged": judged}
        stopped = trained(overfitting(), **cycles, early_stopping=stopping)
        assert stopped.outcome == "stopped early"
        assert column(stopped, "validation_loss") == losses[:last]


def test_early_stopping_that_never_comes_leaves_a_completed_run():
    patient = trained(early_stopping={"monitor": "validation_loss", "patience": 3})
    assert patient.outcome == "completed"
    assert numbers_of(patient) == numbers_of(trained())


DIVERGING = [
    {"optimizer": HUGE},
    {"optimizer": {**ADAM, "learning_rate": 1e30}},
    {"optimizer": HUGE, "schedule": schedule_of("reduce_on_plateau")},
    {"optimizer": HUGE, "schedule": schedule_of("loss_probing")},
    {"optimizer": HUGE, "schedule": schedule_of("loss_probing"), "model": RESNET},
    {"optimizer": HUGE, "precision": "bfloat16"},
]


@pytest.mark.parametrize("changes", DIVERGING)
def test_a_run_that_diverges_ends_and_says_so(changes):
    result = trained(**changes, epochs=5)
    assert result.outcome == "diverged"
    assert len(result.history) < 5
    finite = [math.isfinite(loss) for loss in column(result, "train_loss")]
    assert finite == [True] * (len(finite) - 1) + [False]
    assert list(result.history[-1]) == COLUMNS


@pytest.mark.parametrize(
    ("epochs", "stopping"),
    [(5, None), (3, {"monitor": "validation_loss", "patience": 2, "restore_best": True})],
)
def test_a_run_diverges_at_its_epoch_and_keeps_its_best(epochs, stopping):
    """Two epochs at a small rate, then a huge one; divergence goes before early stopping."""
    warm_up = {"name": "constant", "epochs": 2, "start": 1e-33}
    schedule = {"name": "constant", "warm_up": warm_up}
    result = trained(optimizer=HUGE, schedule=schedule, epochs=epochs, early_stopping=stopping)
    assert result.outcome == "diverged"
    assert len(result.history) == 3
    small = {"learning_rate": HUGE["learning_rate"] * warm_up["start"]}
    before = trained(optimizer=small, epochs=2)
    assert column(before, "train_loss") == column(result, "train_loss")[:2]
    assert result.best_epoch == before.best_epoch
    assert math.isfinite(result.history[result.best_epoch - 1]["test_loss"])
    best = trained(optimizer=small, epochs=result.best_epoch)
    assert (result.weights_digest == best.weights_digest) == bool(stopping)


@pytest.mark.parametrize("stopping", [None, {"monitor": "validation_loss", "patience": 1}])
def test_a_run_that_is_no_more_after_its_last_step_has_diverged(stopping):
    """One epoch of one batch: its loss, of the initial weights, is finite."""
    huge = {"name": "sgd", "learning_rate": 1e38}
    result = trained(optimizer=huge, epochs=1, batch_size=64, early_stopping=stopping)
    assert math.isfinite(result.history[0]["train_loss"])
    assert (result.outcome, len(result.history), result.best_epoch) == ("diverged", 1, None)


def test_a_weight_or_buffer_that_is_not_finite_is_a_divergence(monkeypatch):
    model = torch.nn.BatchNorm1d(2)
    assert all_finite(model)
    model.running_var[0] = math.inf
    assert not all_finite(model)
    monkeypatch.setattr(trainer, "all_finite", lambda _: False)
    result = trained(epochs=3)
    assert (result.outcome, len(result.history)) == ("diverged", 1)


@pytest.mark.parametrize(("evaluate", "epochs"), [("every_epoch", 1), ("end", 3)])
@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_test_loss_that_is_not_finite_is_a_divergence(monkeypatch, evaluate, epochs, loss):
    own = trainer.Trainer.evaluate

    def evaluated(self, name, split, epoch):
        row = own(self, name, split, epoch)
        return row | {"test_loss": loss} if name == "test" else row

    monkeypatch.setattr(trainer.Trainer, "evaluate", evaluated)
    result = trained(evaluate_test=evaluate, epochs=3)
    assert (result.outcome, len(result.history)) == ("diverged", epochs)


# What is refused


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"data": {"train_images": 46}}, DataError, "train_images: 46 images wanted, but tiny has 45"),
        ({"data": {"test_images": 14}}, DataError, "test_images: 14 images wanted, but tiny has 13"),
        ({"model": RESNET, "batch_size": 35}, ConfigurationError, "36 training images in batches of 35 leave"),
        ({"model": RESNET, "batch_size": 1}, ConfigurationError, "batch of one image"),
        ({"schedule": schedule_of("cosine", warm_up={"name": "linear", "epochs": 3, "start": 0.1})},
         ConfigurationError, "leaves nothing of a budget of 3"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_with_a_reason(changes, error, message):
    with pytest.raises(error, match=message):
        trained(**changes)


@pytest.mark.parametrize(
    "changes", [{"batch_size": 35}, {"batch_size": 1, "epochs": 1}, {"model": RESNET, "batch_size": 34}]
)
def test_a_lone_image_is_refused_only_with_batch_norm(changes):
    assert trained(**changes).outcome == "completed"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_cuda_is_refused():
    with pytest.raises(ConfigurationError, match="PyTorch sees no GPU: use auto or cpu"):
        choose_device("cuda")
    assert choose_device("auto") == choose_device("cpu") == CPU


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(
    "changes", [{}, {"data": AUGMENTED}, {"schedule": schedule_of("loss_probing")}, {"precision": "bfloat16"},
                {"model": RESNET, "data": AUGMENTED, "schedule": schedule_of("loss_probing")}]
)  # fmt: skip
def test_a_gpu_repeats_itself_and_agrees_with_the_cpu(changes):
    assert choose_device("cpu") == CPU
    device = choose_device("auto")
    assert device == choose_device("cuda") == torch.device("cuda")
    first, again = (trained(device=device, record_every_step=True, **changes) for _ in range(2))
    assert numbers_of(first) == numbers_of(again)
    on_cpu = trained(**changes)
    tolerance = 0.05 if "precision" in changes else 0.01
    assert column(first, "train_loss") == pytest.approx(column(on_cpu, "train_loss"), rel=tolerance)
    assert column(first, "learning_rate") == pytest.approx(column(on_cpu, "learning_rate"), rel=tolerance)


# The log


def test_progress_reaches_the_log():
    log = io.StringIO()
    trained(log=log)
    last = log.getvalue().split("\r")[-1]
    assert "100%" in last
    assert "9/9" in last
    assert "epoch=3" in last
    assert "train=" in last
    assert "validation=" in last


def test_without_a_log_nothing_is_printed(capfd):
    trained()
    assert capfd.readouterr() == ("", "")


# The digest


def test_the_digest_of_weights_sees_values_names_types_shapes_and_buffers():
    def model(first="first", second="second"):
        torch.manual_seed(0)
        layers = {first: torch.nn.Linear(2, 3), second: torch.nn.BatchNorm1d(3)}
        return torch.nn.Sequential(OrderedDict(layers))

    names = ("weight", "buffer", "type", "shape", "name", "mode", "memory")
    changed = {name: model() if name != "name" else model("one", "two") for name in names}
    with torch.no_grad():
        changed["weight"].first.weight[0, 0] += 1e-6
        changed["buffer"].second.running_mean[0] += 1e-6
    changed["type"].second.running_mean = changed["type"].second.running_mean.to(torch.int32)
    changed["shape"].first.weight = torch.nn.Parameter(changed["shape"].first.weight.reshape(2, 3))
    changed["mode"].eval()
    changed["memory"].first.weight = torch.nn.Parameter(changed["memory"].first.weight.T.contiguous().T)
    digests = {name: digest_of_weights(network) for name, network in changed.items()}
    base = digest_of_weights(model())
    assert [name for name, digest in digests.items() if digest == base] == ["mode", "memory"]
    assert len(set(digests.values())) == len(names) - 1
