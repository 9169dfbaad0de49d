"""Settings of one run."""

from typing import get_args

import pytest
from pydantic import ValidationError

from replication.settings import run
from replication.settings.run import RunSettings
from tabulated import SETTINGS, changed

SECTIONS = (
    run.DataSettings,
    run.MnistCnn,
    run.ResNet18,
    run.Adam,
    run.Sgd,
    run.EarlyStopping,
    run.RunSettings,
)
SGD = {"name": "sgd", "learning_rate": 0.1}
STOPPING = {"monitor": "validation_loss", "patience": 3}
RESNET = {"name": "resnet18", "stem": "cifar"}


def settings(**changes):
    return RunSettings(**changed(SETTINGS, changes))


def test_the_least_that_must_be_said():
    least = settings(**{"data.train_images": None, "data.test_images": None})
    assert (least.data.train_images, least.data.test_images) == (None, None)
    assert least.data.augmentation == "none"
    assert least.early_stopping is None
    assert least.evaluate_test == "end"
    assert least.precision == "float32"
    assert least.threads == 1
    assert not least.record_every_step


def test_defaults_of_the_sections():
    adam = settings().optimizer
    assert (adam.beta1, adam.beta2, adam.weight_decay) == (0.9, 0.999, 0.0)
    sgd = settings(optimizer=SGD).optimizer
    assert (sgd.momentum, sgd.nesterov, sgd.weight_decay) == (0.0, False, 0.0)
    assert settings(model=RESNET).model.width == 64
    stopping = settings(early_stopping=STOPPING).early_stopping
    assert (stopping.minimum_delta, stopping.restore_best) == (0.0, False)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_whose_name_does_not_say_it_all_is_described(section):
    plain = {"name", "data", "model", "optimizer", "schedule"}
    fields = section.model_fields.items()
    assert [name for name, field in fields if name not in plain and not field.description] == []


REFUSED = [
    ({"data.train_images": 1}, "greater than or equal to 2"),
    ({"data.test_images": 0}, "greater than or equal to 1"),
    ({"data.validation_fraction": 0}, "greater than 0"),
    ({"data.validation_fraction": 1.0}, "less than 1"),
    ({"data.scaling": "none"}, "'unit' or 'standard'"),
    ({"data.augmentation": True}, "'none' or 'crop_and_flip'"),
    ({"model": {"name": "resnet18"}}, "Field required"),
    ({"model": RESNET | {"stem": "mnist"}}, "'imagenet' or 'cifar'"),
    ({"model": RESNET | {"width": 7}}, "greater than or equal to 8"),
    ({"optimizer.learning_rate": 0}, "greater than 0"),
    ({"optimizer.epsilon": 0}, "greater than 0"),
    ({"optimizer.beta1": 1}, "less than 1"),
    ({"optimizer.beta2": 0}, "greater than 0"),
    ({"optimizer.weight_decay": -0.1}, "greater than or equal to 0"),
    ({"optimizer": SGD | {"learning_rate": -1}}, "greater than 0"),
    ({"optimizer": SGD | {"momentum": 1}}, "less than 1"),
    ({"optimizer": SGD | {"momentum": -0.1}}, "greater than or equal to 0"),
    ({"optimizer": SGD | {"nesterov": True}}, "needs a momentum above 0"),
    ({"optimizer": SGD | {"weight_decay": -0.1}}, "greater than or equal to 0"),
    ({"early_stopping": STOPPING | {"patience": 0}}, "greater than or equal to 1"),
    ({"early_stopping": STOPPING | {"monitor": "test_loss"}}, "'validation_loss' or 'validation_accuracy'"),
    ({"early_stopping": STOPPING | {"minimum_delta": -1}}, "greater than or equal to 0"),
    ({"batch_size": 0}, "greater than or equal to 1"),
    ({"epochs": 0}, "greater than or equal to 1"),
    ({"epochs": 1.5}, "valid integer"),
    ({"evaluate_test": "never"}, "'every_epoch' or 'end'"),
    ({"precision": "float16"}, "'float32' or 'bfloat16'"),
    ({"threads": 0}, "greater than or equal to 1"),
    ({"record_every_step": 1}, "valid boolean"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_impossible_values_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message) as caught:
        settings(**changes)
    assert caught.value.error_count() == 1


@pytest.mark.parametrize(
    ("epochs", "percent", "there_are"),
    [
        (4, 100, 4), (4, 50, 2), (4, 25, 1), (4, 1, 1), (1, 1, 1), (100, 1, 1), (100, 0.1, 1), (100, 99.9, 100),
        (30, 5, 2),  # 1.5, to the even one
        (50, 5, 2),  # 2.5
        (70, 5, 4),  # 3.5
        (25, 10, 2), (15, 25, 4), (3, 50, 2), (5, 50, 2), (300, 1, 3), (7, 33.3, 2),
        (125, 64.4, 80),  # 80.5, which floats make 80.50000000000001
        (1000, 0.15, 2),  # 1.5
    ],
)  # fmt: skip
def test_a_share_of_the_budget_is_rounded_to_whole_epochs(epochs, percent, there_are):
    share = settings(epochs=epochs, budget_percent=percent)
    assert share.budget_epochs == run.budget_epochs(epochs, percent) == there_are
    assert isinstance(share.budget_epochs, int)


@pytest.mark.parametrize("percent", [0, -1, 100.5])
def test_a_share_of_the_budget_is_above_0_and_at_most_all(percent):
    with pytest.raises(ValidationError, match="budget_percent"):
        settings(budget_percent=percent)


def test_nesterov_with_momentum_is_fine():
    assert settings(optimizer=SGD | {"nesterov": True, "momentum": 0.9}).optimizer.nesterov


def test_settings_come_back_from_the_json_that_a_job_is_given():
    whole = settings(early_stopping=STOPPING, optimizer=SGD, model=RESNET)
    assert RunSettings.model_validate_json(whole.model_dump_json()) == whole


def test_each_key_is_of_one_model_or_optimizer():
    for union, count in ((run.ModelSettings, 8), (run.OptimizerSettings, 3)):
        names = [section.model_fields["name"].annotation for section in get_args(get_args(union)[0])]
        assert len(names) == len(set(names)) == count
