"""Averaging over the path: the mean of the right weights, with its own statistics, and training undisturbed."""

import copy
import math

import pytest
import torch
from torch.optim.swa_utils import AveragedModel, update_bn

from replication.errors import ConfigurationError
from replication.settings.run import RunSettings
from replication.training.averaged_epochs import AVERAGED_EPOCHS, averaged_epochs
from replication.training.averaging import PathAverage
from replication.training.batch_norm import recalibrate
from support import column, numbers_of, run_settings, schedule_of, tiny_dataset, trained

pytestmark = pytest.mark.slow
RESNET = {"name": "resnet20", "width": 2}
CYCLES = {"name": "sgdr", "first_cycle_epochs": 2}


@pytest.mark.parametrize(
    ("schedule", "averaging", "epochs", "expected"),
    [
        ({"name": "constant"}, {"at": "every_epoch"}, 4, {1, 2, 3, 4}),
        ({"name": "constant"}, {"at": "every_epoch", "from_share": 0.75}, 4, {4}),
        ({"name": "constant"}, {"at": "every_epoch", "from_share": 0.5}, 5, {3, 4, 5}),
        ({"name": "constant"}, {"at": "every_epoch", "from_share": 0.29}, 100, set(range(30, 101))),
        (CYCLES, {"at": "cycle_ends"}, 7, {2, 4, 6}),
        (CYCLES, {"at": "cycle_ends", "from_share": 0.5}, 7, {4, 6}),
    ],
)
def test_the_epochs_that_are_averaged(schedule, averaging, epochs, expected):
    assert averaged_epochs(run_settings(schedule=schedule, averaging=averaging, epochs=epochs), 3) == expected


@pytest.mark.parametrize(
    ("schedule", "averaging", "message"),
    [
        ({"name": "cosine"}, {"at": "cycle_ends"}, "the schedule cosine has no cycles: take one that has"),
        (
            CYCLES,
            {"at": "cycle_ends", "from_share": 0.9},
            "no cycle ends after 0.9 of the budget of 3 epochs",
        ),
    ],
)
def test_ends_of_cycles_that_there_are_not_are_refused(schedule, averaging, message):
    with pytest.raises(ConfigurationError, match=message):
        averaged_epochs(run_settings(schedule=schedule, averaging=averaging), 3)


def test_an_optimizer_that_averages_by_itself_is_refused():
    optimizer = {"name": "schedule_free_sgd", "learning_rate": 0.1}
    with pytest.raises(ValueError, match="schedule_free_sgd averages by itself"):
        run_settings(optimizer=optimizer, averaging={"at": "every_epoch"})


def test_every_way_to_choose_epochs_is_known():
    [averaging, _] = RunSettings.model_fields["averaging"].annotation.__args__
    assert set(averaging.model_fields["at"].annotation.__args__) == set(AVERAGED_EPOCHS)


def model_with_batch_norm(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2))


def test_mean_and_statistics_are_torchs():
    model = model_with_batch_norm(0)
    theirs, ours = AveragedModel(model), PathAverage(frozenset({1, 2, 4}))
    batches = [torch.randn(5, 3) for _ in range(4)]
    for epoch in range(1, 5):
        for weight in model.parameters():
            weight.data.add_(torch.randn(weight.shape))
        model[1].running_mean.add_(epoch)
        before = copy.deepcopy(model.state_dict())
        if epoch != 3:
            theirs.update_parameters(model)
        assert ours.use_average(model, epoch)
        recalibrate(model, model, batches, anew=True)
        update_bn(batches, theirs)
        for name, value in theirs.module.state_dict().items():
            assert torch.allclose(model.state_dict()[name], value, atol=1e-6), name
        assert model[1].momentum == 0.1
        ours.use_training_weights(model)
        assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


def test_before_the_first_epoch_that_is_averaged_there_is_no_mean():
    model = model_with_batch_norm(0)
    average = PathAverage(frozenset({3}))
    assert not average.use_average(model, 1)
    assert average.use_average(model, 3)


@pytest.mark.parametrize("schedule", ["constant", "loss_probing", "beam_search", "reduce_on_plateau"])
def test_training_goes_on_as_without(schedule):
    """What is evaluated is another model, and the way of the weights the same: but where a schedule looks at it."""
    fields = {"schedule": schedule_of(schedule), "evaluate_test": "every_epoch", "epochs": 4, "model": RESNET}
    dataset = tiny_dataset(size=12)
    plain = trained(dataset, **fields)
    averaged = trained(dataset, **fields, averaging={"at": "every_epoch", "from_share": 0.5})
    assert column(averaged, "train_loss") == column(plain, "train_loss")
    assert column(averaged, "validation_loss")[:2] == column(plain, "validation_loss")[:2]
    assert column(averaged, "validation_loss")[3] != column(plain, "validation_loss")[3]
    assert averaged.weights_digest != plain.weights_digest


def test_the_average_of_one_epoch_is_that_model_but_for_its_statistics():
    fields = {
        "epochs": 3,
        "evaluate_test": "every_epoch",
        "averaging": {"at": "every_epoch", "from_share": 0.9},
    }
    dataset = tiny_dataset()
    plain = trained(dataset, **fields | {"averaging": None})
    assert column(trained(dataset, **fields), "test_loss") == column(plain, "test_loss")


def test_costs_are_copies_and_the_passes_that_gather_statistics():
    averaging = {"at": "every_epoch", "from_share": 0.5}
    result = trained(tiny_dataset(size=12), model=RESNET, epochs=4, averaging=averaging)
    assert result.costs == {"calibration_forward_passes": 2 * 3, "parameter_copies": 2}
    without = trained(tiny_dataset(), epochs=4, averaging=averaging)
    assert without.costs == {"parameter_copies": 2}


def test_averages_are_worth_it_on_noise():
    """At a high constant rate the weights bounce around what their mean is near to."""
    fields = {"optimizer": {"name": "sgd", "learning_rate": 0.2}, "epochs": 30, "batch_size": 4}
    dataset = tiny_dataset(200, 200, noise=0.9, wrong_labels=0.3)
    plain = trained(dataset, **fields)
    averaged = trained(dataset, **fields, averaging={"at": "every_epoch", "from_share": 0.5})
    assert column(averaged, "validation_loss")[-1] < column(plain, "validation_loss")[-1]


def test_weights_that_are_not_finite_end_the_run():
    result = trained(
        optimizer={"name": "sgd", "learning_rate": 1e12}, averaging={"at": "every_epoch"}, epochs=4
    )
    assert result.outcome == "diverged"
    assert not math.isfinite(column(result, "train_loss")[-1]) or not result.finite_weights


def test_the_same_run_twice_is_the_same():
    fields = {"model": RESNET, "schedule": CYCLES, "epochs": 4, "averaging": {"at": "cycle_ends"}}
    dataset = tiny_dataset(size=12)
    assert numbers_of(trained(dataset, **fields)) == numbers_of(trained(dataset, **fields))
