import math
import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from torch.optim.lr_scheduler import ReduceLROnPlateau

from replication.training.controllers import PlateauRate, RunContext
from support import column, run_settings, through_a_checkpoint, tiny_dataset, trained

BASE_RATE = 0.5


def optimizer():
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE_RATE)


def sequence(number, length=30):
    """Give losses that fall in jumps, on a coarse grid so that equal ones occur, some of them no numbers."""
    random = np.random.default_rng(number)
    losses = np.round(4 * (1 + 0.5 * random.random(length)) * np.exp(-0.04 * np.arange(length)), 1)
    losses[random.random(length) < 0.05] = math.nan
    losses[random.random(length) < 0.05] = math.inf
    return losses.tolist()


def our_rates(losses, column="validation_loss", **fields):
    """Give the learning rate after each epoch."""
    settings = run_settings(schedule={"name": "reduce_on_plateau", **fields})
    ours = optimizer()
    controller = PlateauRate(settings.schedule, RunContext(settings, 1, None, ours, None, None))
    rates = []
    for epoch, loss in enumerate(losses, start=1):
        controller.begin_epoch(epoch)
        controller.before_step(epoch)
        # Only what is monitored may matter.
        others = {"train_loss": -epoch, "validation_loss": -epoch, "validation_accuracy": epoch}
        controller.end_epoch({**others, column: loss})
        rates.append(ours.param_groups[0]["lr"])
    assert controller.costs() == {}
    return rates


def torch_rates(losses, **arguments):
    theirs = optimizer()
    scheduler = ReduceLROnPlateau(theirs, **arguments)
    rates = []
    for loss in losses:
        scheduler.step(loss)
        rates.append(theirs.param_groups[0]["lr"])
    return rates


def keras_rates(losses, factor, patience, min_delta, cooldown, min_lr):
    """Count as the callback of Keras 3 does, `on_epoch_end` by `on_epoch_end`."""
    rate, best, wait, cooling = BASE_RATE, math.inf, 0, 0
    rates = []
    for loss in losses:
        if cooling > 0:
            cooling -= 1
            wait = 0
        if loss < best - min_delta:
            best, wait = loss, 0
        elif cooling == 0:
            wait += 1
            if wait >= patience and rate > min_lr:
                rate = max(rate * factor, min_lr)
                cooling, wait = cooldown, 0
        rates.append(rate)
    return rates


@pytest.mark.parametrize("patience", [1, 2])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
@pytest.mark.parametrize(("cooldown", "minimum_rate", "threshold"), [(0, 0.0, 1e-4), (2, 0.01, 0.15)])
def test_whole_trajectories_are_torchs_for_one_less_patience(
    patience, threshold_mode, cooldown, minimum_rate, threshold
):
    common = {"factor": 0.6, "threshold": threshold, "threshold_mode": threshold_mode, "cooldown": cooldown}
    for number in range(3):
        expected = torch_rates(sequence(number), patience=patience - 1, min_lr=minimum_rate, **common)
        assert our_rates(sequence(number), patience=patience, minimum_rate=minimum_rate, **common) == expected
        assert len(set(expected)) > 2, "a sequence that changes nothing would show nothing"


@pytest.mark.parametrize("patience", [1, 2])
@pytest.mark.parametrize(("threshold", "minimum_rate"), [(0.0, 0.0), (0.15, 0.05)])
# Keras' cooldown counts the epoch of the drop too: it lets one epoch less pass.
@pytest.mark.parametrize(("cooldown", "keras_cooldown"), [(0, 0), (0, 1), (3, 4)])
def test_whole_trajectories_are_keras(patience, threshold, minimum_rate, cooldown, keras_cooldown):
    for number in range(3):
        ours = our_rates(
            sequence(number), factor=0.6, patience=patience, threshold=threshold, threshold_mode="abs",
            cooldown=cooldown, minimum_rate=minimum_rate,
        )  # fmt: skip
        assert ours == keras_rates(sequence(number), 0.6, patience, threshold, keras_cooldown, minimum_rate)


@pytest.mark.parametrize(
    ("losses", "fields", "multipliers"),
    [
        # "reducing the learning rate by a factor of 0.5 if validation loss does not improve for 2 epochs"
        ([4, 3, 3, 3, 3, 3, 2], {"patience": 2}, [1, 1, 1, 0.5, 0.5, 0.25, 0.25]),
        ([4, 4, 3, 3, 2, 2], {"patience": 2}, [1, 1, 1, 1, 1, 1]),
        ([4, 4, 4, 4], {"patience": 1}, [1, 0.5, 0.25, 0.125]),
        ([4, 4, 4, 4], {"patience": 1, "minimum_rate": 0.2 * BASE_RATE}, [1, 0.5, 0.25, 0.2]),
        ([4, 4, 4, 4, 4], {"patience": 1, "cooldown": 2}, [1, 0.5, 0.5, 0.5, 0.25]),
        ([4, 3.5, 3], {"patience": 1, "threshold": 0.5, "threshold_mode": "abs"}, [1, 0.5, 0.5]),
        ([4, 3.5, 2.9], {"patience": 1, "threshold": 0.25, "threshold_mode": "rel"}, [1, 0.5, 0.5]),
        ([4, math.nan, 3], {"patience": 1}, [1, 0.5, 0.5]),
    ],
)
def test_the_rate_drops_after_as_many_epochs_as_patience_says(losses, fields, multipliers):
    assert our_rates(losses, factor=0.5, **fields) == pytest.approx(
        [BASE_RATE * value for value in multipliers]
    )


def test_a_rate_falls_as_far_as_the_lowest_rate_says():
    """In torch it stops where a drop would be no larger than 1e-8."""
    losses = [1.0] * 60
    assert our_rates(losses, factor=0.1, patience=1, minimum_rate=0.0)[-1] < 1e-50
    assert our_rates(losses, factor=0.1, patience=1, minimum_rate=1e-12)[-1] == 1e-12
    assert torch_rates(losses, factor=0.1, patience=0, min_lr=0.0)[-1] > 1e-9


def test_a_rate_below_the_lowest_is_not_raised():
    assert set(our_rates([1.0] * 5, factor=0.1, patience=1, minimum_rate=2 * BASE_RATE)) == {BASE_RATE}


@pytest.mark.parametrize("mode", ["abs", "rel"])
def test_equal_changes_count_alike(mode):
    """Every fall by the threshold itself, in hundredths, is none; by a hundredth more it is one."""
    for best in range(20, 400, 7):
        for fall in range(1, 20):
            threshold = fall / 100 if mode == "abs" else fall / best
            fields = {"patience": 1, "factor": 0.5, "threshold": threshold, "threshold_mode": mode}
            for more, multiplier in ((0, 0.5), (1, 1)):
                losses = [best / 100, (best - fall - more) / 100]
                assert our_rates(losses, **fields)[-1] == BASE_RATE * multiplier, (best, fall, more)


def test_in_a_run_the_drop_shows_in_the_next_epoch():
    fields = {"patience": 1, "factor": 0.5}
    # Wrong labels keep the validation loss from falling for long.
    result = trained(
        tiny_dataset(wrong_labels=0.4),
        schedule={"name": "reduce_on_plateau", **fields},
        optimizer={"learning_rate": BASE_RATE},
        epochs=6,
    )
    expected = [BASE_RATE, *our_rates(column(result, "validation_loss"), **fields)]
    assert column(result, "learning_rate") == expected[:-1]
    assert len(set(expected)) > 1


@pytest.mark.parametrize("cooldown", [0, 2])
def test_one_that_goes_on_from_a_state_is_the_same(cooldown):
    losses = sequence(1)
    fields = {"patience": 2, "factor": 0.5, "cooldown": cooldown}
    expected = our_rates(losses, **fields)
    settings = run_settings(schedule={"name": "reduce_on_plateau", **fields})
    rates, state, theirs = [], None, optimizer()
    for loss in losses:
        # Each epoch in a new process: the optimizer has a state of its own.
        ours = optimizer()
        ours.load_state_dict(through_a_checkpoint(theirs.state_dict()))
        controller = PlateauRate(settings.schedule, RunContext(settings, 1, None, ours, None, None))
        if state is not None:
            controller.load_state_dict(through_a_checkpoint(state))
        controller.end_epoch({"validation_loss": loss})
        rates.append(ours.param_groups[0]["lr"])
        state, theirs = controller.state_dict(), ours
    assert rates == expected


@pytest.mark.parametrize("tolerance", [0.003, 0.02])
@pytest.mark.parametrize("patience", [1, 3])
def test_scikit_learns_adaptive_rate_is_a_plateau_of_the_training_loss(patience, tolerance):
    random = np.random.default_rng(0)
    images, labels = random.random((60, 5)), random.integers(0, 3, 60)
    theirs = MLPClassifier(
        (4,), solver="sgd", learning_rate="adaptive", learning_rate_init=BASE_RATE, momentum=0, alpha=0, max_iter=20,
        n_iter_no_change=patience, tol=tolerance, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        theirs.fit(images, labels)
    settings = {
        "monitor": "train_loss",
        "best": "lowest",
        "factor": 0.2,
        "patience": patience + 1,
        "threshold": tolerance,
        "threshold_mode": "abs",
    }
    rates = our_rates(theirs.loss_curve_, column="train_loss", **settings)
    assert rates[-1] < BASE_RATE / 4
    assert rates[-1] == pytest.approx(theirs._optimizer.learning_rate)


def test_the_lowest_value_counts_although_it_was_no_improvement():
    losses = [1.0, 0.95, 0.9, 0.85, 0.8, 0.75]
    fields = {"patience": 2, "factor": 0.5, "threshold": 0.08, "threshold_mode": "abs"}
    assert our_rates(losses, **fields)[-1] == BASE_RATE
    assert our_rates(losses, best="lowest", **fields)[-1] == BASE_RATE / 4
