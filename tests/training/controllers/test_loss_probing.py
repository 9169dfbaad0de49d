import math
import weakref
from copy import deepcopy
from decimal import Decimal

import hypothesis
import numpy as np
import pytest
import torch
from hypothesis import strategies
from torch import nn
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from replication.settings.schedule import LossProbing
from replication.training.batches import Split
from replication.training.controllers import LossProbingRate, RunContext
from replication.training.controllers.loss_probing import NORMALISATIONS, LossProbe, rate_factor
from support import column, run_settings, through_a_checkpoint, tiny_dataset, trained

pytestmark = pytest.mark.slow

SIDE, CLASSES = 4, 3


def settings(factors=(2, 1, 0.5), **fields):
    return LossProbing(name="loss_probing", factors=list(factors), **fields)


def cross_entropy(model, images, labels):
    return functional.cross_entropy(model(images), labels)


class Block(nn.Sequential):
    """A convolution with batch norm behind it, in a module of its own so that names are nested."""

    def __init__(self):
        super().__init__(nn.Conv2d(1, 5, 3, bias=False), nn.BatchNorm2d(5), nn.ReLU())


MODELS = {
    "plain": lambda: nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, 7), nn.Tanh(), nn.Linear(7, CLASSES)),
    "batch norm": lambda: nn.Sequential(Block(), nn.Flatten(), nn.Linear(5 * (SIDE - 2) ** 2, CLASSES)),
    "dropout": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(SIDE**2, 9), nn.ReLU(), nn.Dropout(0.4), nn.Linear(9, CLASSES)
    ),
    "batch norm and dropout": lambda: nn.Sequential(
        Block(), nn.Dropout2d(0.3), nn.Flatten(), nn.Linear(5 * (SIDE - 2) ** 2, CLASSES)
    ),
}


def model_of(kind, seed=0):
    """Make a model in double precision, in which the reference can be compared closely."""
    torch.manual_seed(seed)
    model = MODELS[kind]().double()
    for name, buffer in model.named_buffers():  # as if it had been trained
        if "running" in name:
            buffer.uniform_(0.5, 2)
    return model


def batch(count=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(count, 1, SIDE, SIDE, generator=generator, dtype=torch.float64)
    return images, torch.randint(0, CLASSES, (count,), generator=generator)


def normalised(losses, how):
    values = np.array(losses)
    return {
        "min_max": lambda: (values - values.min()) / (values.max() - values.min() or 1),
        "z_score": lambda: (values - values.mean()) / (values.std() or 1),
        "sum": lambda: values / values.sum(),
        "none": lambda: values,
    }[how]().tolist()


def weighted_geometric_mean(values, weights):
    pairs = zip(values, weights, strict=True)
    return float(math.prod(Decimal(value) ** (weight / sum(weights)) for value, weight in pairs))


def algorithm_1(model, images, labels, rate, probing):
    """Compute the next learning rate as the report's Algorithm 1, line by line; return the losses too.

    Randomness (dropout) is ours to say: the gradient is the same for every factor, so one mask belongs to it;
    each trial loss then has a mask of its own, drawn one after the other.
    """
    at_gradient = torch.get_rng_state()
    at_trial = None
    losses = []
    for factor in probing.factors:  # 1
        copy = deepcopy(model).train()  # 2
        torch.set_rng_state(at_gradient)
        copy.zero_grad()
        cross_entropy(copy, images, labels).backward()  # 3
        if at_trial is not None:
            torch.set_rng_state(at_trial)
        with torch.no_grad():
            for parameter in copy.parameters():
                parameter -= factor * rate * parameter.grad  # 4
            losses.append(cross_entropy(copy, images, labels).item())  # 5
        at_trial = torch.get_rng_state()
    normalised_losses = normalised(losses, probing.normalisation)  # 7
    # 8, 9, in decimals, which do not underflow
    scores = [Decimal(-loss / probing.temperature).exp() for loss in normalised_losses]
    return weighted_geometric_mean(probing.factors, scores) * rate, losses  # 11


@hypothesis.settings(max_examples=40, derandomize=True, database=None)
@hypothesis.given(
    kind=strategies.sampled_from(sorted(MODELS)),
    seed=strategies.integers(0, 1000),
    images=strategies.integers(2, 9),
    rate=strategies.sampled_from([0.001, 0.03, 1.0]),
    factors=strategies.lists(
        strategies.sampled_from([8.0, 4.0, 2.0, 1.5, 1.0, 0.75, 0.5, 0.25]), min_size=1, unique=True
    ),
    normalisation=strategies.sampled_from(sorted(NORMALISATIONS)),
    temperature=strategies.floats(0.2, 5),
    training=strategies.booleans(),
)
def test_the_next_rate_is_that_of_algorithm_1(
    kind, seed, images, rate, factors, normalisation, temperature, training
):
    probing = settings(factors, normalisation=normalisation, temperature=temperature)
    model, data = model_of(kind, seed).train(training), batch(images, seed)
    torch.manual_seed(seed)
    expected_rate, expected_losses = algorithm_1(model, *data, rate, probing)
    torch.manual_seed(seed)
    losses = LossProbe(model, cross_entropy).losses(data, steps=[factor * rate for factor in factors])
    assert losses == pytest.approx(expected_losses, rel=1e-9)
    assert rate_factor(losses, probing) * rate == pytest.approx(expected_rate, rel=1e-6)


def state_of(model):
    """Give everything that a probe might change, as plain values that compare bit by bit."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return {
        "values": {name: (id(tensor), tensor.detach().numpy().tobytes()) for name, tensor in tensors.items()},
        "gradients": {
            name: None if gradient is None else (id(gradient), gradient.numpy().tobytes())
            for name, gradient in gradients.items()
        },
        "requires gradient": {name: parameter.requires_grad for name, parameter in model.named_parameters()},
        "modes": {name: module.training for name, module in model.named_modules()},
        "random": torch.get_rng_state().numpy().tobytes(),
    }


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("mode", ["training", "evaluation", "mixed"])
@pytest.mark.parametrize("gradients", ["none", "some"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_probe_leaves_no_trace(kind, mode, gradients, fails):
    model = model_of(kind).train(mode == "training")
    if mode == "mixed":
        list(model.modules())[-1].train()
    if gradients == "some":
        for parameter in list(model.parameters())[1:]:
            parameter.grad = torch.randn_like(parameter)
    calls = []

    def loss(*arguments):
        calls.append(model.training)
        if fails and len(calls) == 3:
            raise ValueError("out of memory, say")
        return cross_entropy(*arguments)

    before = state_of(model)
    probe = LossProbe(model, loss)
    if fails:
        with pytest.raises(ValueError, match="out of memory"):
            probe.losses(batch(), steps=[0.1, 1.0, 10.0])
    else:
        probe.losses(batch(), steps=[0.1, 1.0, 10.0])
    assert state_of(model) == before
    assert set(calls) == {True}, "losses are those of training mode"


class Counted(torch.autograd.Function):
    """The identity, which counts the passes through it."""

    @staticmethod
    def forward(context, values, counts):
        context.counts = counts
        counts["forward"] += 1
        return values.clone()

    @staticmethod
    def backward(context, gradient):
        context.counts["backward"] += 1
        return gradient, None


class CountingModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(SIDE**2, CLASSES).double()
        self.counts = {"forward": 0, "backward": 0}

    def forward(self, images):
        return Counted.apply(self.layer(images.flatten(1)), self.counts)


@pytest.mark.parametrize("count", [1, 3, 31])
def test_there_is_one_backward_pass_and_one_trial_a_factor(count):
    model = CountingModel()
    probe = LossProbe(model, cross_entropy)
    losses = probe.losses(batch(), steps=[0.01 * number for number in range(count)])
    assert len(losses) == count
    # The first forward pass is the one that the gradient is taken of.
    assert model.counts == {"forward": 1 + count, "backward": 1}
    assert (probe.trial_losses, probe.backward_passes, probe.parameter_copies) == (count, 1, 1.0)


class LiveCopies(TorchDispatchMode):
    """Counts tensors made within the block, of the size of the weights, that are alive at once."""

    def __init__(self, weight):
        super().__init__()
        self._size = weight.nbytes
        self._storages = weakref.WeakSet()
        self._live = 0
        self.peak = 0

    def __torch_dispatch__(self, function, _types, arguments=(), options=None):
        known = [
            leaf.untyped_storage() for leaf in tree_leaves((arguments, options)) if torch.is_tensor(leaf)
        ]
        result = function(*arguments, **(options or {}))
        for leaf in tree_leaves(result):
            if torch.is_tensor(leaf) and leaf.untyped_storage().nbytes() == self._size:
                storage = leaf.untyped_storage()
                # A view or an operation in place gives the storage that it was given.
                if all(storage is not other for other in known) and storage not in self._storages:
                    self._storages.add(storage)
                    self._live += 1
                    weakref.finalize(storage, self._one_less)
        self.peak = max(self.peak, self._live)
        return result

    def _one_less(self):
        self._live -= 1


def all_copies_at_once(model, loss, images, labels, steps):
    """Give the trial losses as the report does it: "the entire model should be copied" for each candidate."""
    copies = [deepcopy(model) for _ in steps]
    losses = []
    for copy, step in zip(copies, steps, strict=True):
        gradient = torch.autograd.grad(loss(copy, images, labels), list(copy.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(copy.parameters(), gradient, strict=True):
                parameter -= step * slope
            losses.append(loss(copy, images, labels).item())
    return losses


def peak_copies(losses_of, count):
    """Give the most copies of the weights alive at once in a probe of `count` factors, and its losses."""
    torch.manual_seed(0)
    # 37 x 41 weights: nothing else in the probe has this size, and the bias is small beside it.
    model = nn.Sequential(nn.Flatten(), nn.Linear(37, 41))
    images, labels = torch.randn(5, 1, 1, 37), torch.randint(0, 41, (5,))
    with LiveCopies(model[1].weight) as live:
        losses = losses_of(model, images, labels, [0.01 * (1 + number) for number in range(count)])
    return live.peak, losses


def test_memory_does_not_grow_with_the_number_of_factors():
    """The gradient, and one set of trial weights, however many factors there are."""

    def ours(model, images, labels, steps):
        return LossProbe(model, cross_entropy).losses((images, labels), steps=steps)

    def naive(model, images, labels, steps):
        return all_copies_at_once(model, cross_entropy, images, labels, steps)

    few, many = peak_copies(ours, 3), peak_copies(ours, 31)
    assert few[0] == many[0] == 2
    # The same measurement shows what the report complains of, for the same numbers.
    naive_few, naive_many = peak_copies(naive, 3), peak_copies(naive, 31)
    assert naive_few[0] >= 3
    assert naive_many[0] >= 31
    assert many[1] == pytest.approx(naive_many[1], rel=1e-5)


# Three losses, and what each normalisation makes of them, by hand.
THREE = [1.0, 2.0, 4.0]
BY_HAND = {
    "min_max": [0, 1 / 3, 1],
    "z_score": [-4 / math.sqrt(14), -1 / math.sqrt(14), 5 / math.sqrt(14)],
    "sum": [1 / 7, 2 / 7, 4 / 7],
    "none": [1, 2, 4],
}


def test_every_normalisation_has_a_closed_form_here():
    assert set(BY_HAND) == set(NORMALISATIONS)
    assert set(LossProbing.model_fields["normalisation"].annotation.__args__) == set(NORMALISATIONS)


@pytest.mark.parametrize("how", BY_HAND)
@pytest.mark.parametrize("temperature", [0.1, 1.0, 8.0])
def test_closed_forms(how, temperature):
    assert NORMALISATIONS[how](THREE) == pytest.approx(BY_HAND[how])
    high, middle, low = (math.exp(-value / temperature) for value in BY_HAND[how])
    # 4, 1 and 1/4: the mean's power of 4 is the difference of the outer scores over the sum of all.
    expected = 4 ** ((high - low) / (high + middle + low))
    probing = settings([4, 1, 0.25], normalisation=how, temperature=temperature)
    assert rate_factor(THREE, probing) == pytest.approx(expected, rel=1e-12)
    # Factors and losses belong together, in whichever order they are written.
    turned = settings([0.25, 4, 1], normalisation=how, temperature=temperature)
    assert rate_factor([4.0, 1.0, 2.0], turned) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("how", BY_HAND)
def test_temperature_goes_from_the_best_factor_to_the_plain_mean(how):
    losses, factors = [3.0, 1.0, 2.0, 2.5], [8, 4, 1, 0.5]
    cold = settings(factors, normalisation=how, temperature=1e-9)
    hot = settings(factors, normalisation=how, temperature=1e9)
    assert rate_factor(losses, cold) == pytest.approx(4)
    assert rate_factor(losses, hot) == pytest.approx(16**0.25)


@pytest.mark.parametrize("how", BY_HAND)
@pytest.mark.parametrize("loss", [0.0, 0.1, 2.3, 1e30])
@pytest.mark.parametrize("powers", [[0], [1, 0, -1], [2, 1, 0, -1, -2], [-3, -2, -1, 0, 1, 2, 3]])
def test_equal_losses_of_symmetric_factors_leave_the_rate_alone(how, loss, powers):
    factors = [2.0**power for power in powers]
    assert rate_factor([loss] * len(factors), settings(factors, normalisation=how)) == pytest.approx(
        1, rel=1e-15
    )


@pytest.mark.parametrize("loss", [0.0, 1.5, math.inf, math.nan])
@pytest.mark.parametrize("how", BY_HAND)
def test_the_one_factor_1_leaves_the_rate_alone(loss, how):
    assert rate_factor([loss], settings([1.0], normalisation=how)) == 1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("how", BY_HAND)
def test_a_factor_whose_loss_is_not_finite_has_no_say(bad, how):
    with_bad = rate_factor([bad, 2.0, bad, 1.0], settings([8, 2, 4, 0.5], normalisation=how))
    assert with_bad == rate_factor([2.0, 1.0], settings([2, 0.5], normalisation=how))
    assert rate_factor([bad, bad], settings([8, 4], normalisation=how)) == 1.0


class Slope(nn.Module):
    """One weight, which is the loss: a step of length s lowers it by exactly s."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(100.0, dtype=torch.float64))

    def forward(self, images):
        return self.weight.expand(len(images))


def slope_probing(count=20, batch_size=4, rate=0.125, seed=1, **fields):
    """Give a controller, its optimizer and the images of each loss that it computes."""
    model, seen = Slope(), []

    def loss(trial, images, labels):
        assert images.flatten().tolist() == labels.tolist()
        seen.append(labels.tolist())
        return trial(images).mean()

    numbers = torch.arange(count)
    training = Split(numbers.to(torch.uint8).reshape(-1, 1, 1, 1), numbers, torch.ones(1), torch.zeros(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    run = run_settings(batch_size=batch_size)
    controller = LossProbingRate(settings(**fields), RunContext(run, seed, model, optimizer, training, loss))
    return controller, optimizer, seen


def rates_of(controller, optimizer, epochs):
    rates = []
    for epoch in range(1, epochs + 1):
        controller.begin_epoch(epoch)
        for step in range(5):
            controller.before_step(5 * (epoch - 1) + step)
        controller.end_epoch({"validation_loss": -epoch})
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


# On a slope the normalised losses of the factors 2, 1 and 1/2 are 0, 2/3 and 1, whatever the rate.
GROWTH = 2 ** ((1 - math.exp(-1)) / (1 + math.exp(-2 / 3) + math.exp(-1)))


@pytest.mark.parametrize(
    ("interval", "exponents"),
    [(1, [1, 2, 3, 4, 5, 6, 7]), (2, [1, 1, 2, 2, 3, 3, 4]), (3, [1, 1, 1, 2, 2, 2, 3])],
)
def test_the_rate_is_scaled_at_the_start_of_every_interval_from_the_first_epoch_on(interval, exponents):
    controller, optimizer, _ = slope_probing(interval_epochs=interval)
    expected = [0.125 * GROWTH**exponent for exponent in exponents]
    assert rates_of(controller, optimizer, 7) == pytest.approx(expected)
    costs = {"trial_losses_per_probe": 3, "backward_passes_per_probe": 1, "parameter_copies": 1}
    assert controller.costs() == {"probes": exponents[-1], **costs}


def test_without_a_probe_there_is_no_cost():
    controller, _, _ = slope_probing()
    assert set(controller.costs().values()) == {0}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"maximum_rate": 0.18}, [0.125 * GROWTH, 0.18, 0.18]),
        ({"minimum_rate": 0.15}, [0.15, 0.15 * GROWTH, 0.15 * GROWTH**2]),
        ({"minimum_rate": 0.15, "maximum_rate": 0.18}, [0.15, 0.18, 0.18]),
        ({"maximum_rate": 0.01}, [0.01, 0.01, 0.01]),
    ],
)
def test_bounds(fields, expected):
    assert 1.26 < GROWTH < 1.27
    controller, optimizer, _ = slope_probing(**fields)
    if "minimum_rate" in fields:
        optimizer.param_groups[0]["lr"] = 0.1
    assert rates_of(controller, optimizer, 3) == pytest.approx(expected)


@pytest.mark.parametrize(("batches", "count"), [(1, 4), (3, 12), (5, 20), (7, 20)])
def test_a_probe_uses_random_training_images_each_at_most_once(batches, count):
    controller, _, seen = slope_probing(batches=batches)
    drawn = []
    for epoch in range(1, 21):
        controller.begin_epoch(epoch)
        assert len(seen) == 4, "the gradient and three trials"
        assert all(labels == seen[0] for labels in seen), "all on the same images"
        assert len(seen[0]) == len(set(seen[0])) == count
        drawn.append(seen[0])
        seen.clear()
    assert len({tuple(labels) for labels in drawn}) == 20
    assert set().union(*drawn) == set(range(20))


@pytest.mark.parametrize(
    ("fields", "count"), [({}, 4), ({"batches": 2}, 8), ({"batches": 5}, 10), ({"images": 3}, 3)]
)
def test_trial_losses_are_those_of_other_images_where_that_is_asked_for(fields, count):
    controller, _, seen = slope_probing(scored_on="other", **fields)
    controller.begin_epoch(1)
    gradient, *trials = seen
    assert all(labels == trials[0] for labels in trials)
    assert len(gradient) == len(trials[0]) == count
    assert len({*gradient, *trials[0]}) == 2 * count, "no image is in both"


@pytest.mark.parametrize("images", [2, 3, 19])
def test_a_probe_may_use_less_than_a_batch(images):
    controller, _, seen = slope_probing(images=images)
    controller.begin_epoch(1)
    assert {len(labels) for labels in seen} == {images}


@pytest.mark.parametrize("mode", ["training", "evaluation"])
def test_the_mode_is_that_of_trial_losses_and_not_of_the_gradient(mode):
    model, modes = model_of("batch norm"), []

    def loss(*arguments):
        modes.append(model.training)
        return cross_entropy(*arguments)

    losses = LossProbe(model, loss, mode).losses(batch(), batch(seed=1), steps=[0.0, 0.1])
    assert modes == [True, *[mode == "training"] * 2]
    # A step of no length: the loss of a copy in that mode, whose statistics the pass for the gradient has moved.
    copy = deepcopy(model).train()
    copy(batch()[0])
    unmoved = cross_entropy(copy.train(mode == "training"), *batch(seed=1)).item()
    assert losses[0] == pytest.approx(unmoved, rel=1e-12)


def test_the_images_of_a_probe_come_from_a_stream_of_the_seed():
    def first_drawn(seed):
        torch.manual_seed(0)
        before = torch.get_rng_state()
        controller, _, seen = slope_probing(seed=seed)
        controller.begin_epoch(1)
        assert torch.equal(torch.get_rng_state(), before)
        return seen[0]

    assert first_drawn(1) == first_drawn(1) != first_drawn(2)


RESNET = {"name": "resnet20", "width": 2}


@pytest.mark.parametrize("model", [{"name": "mnist-cnn"}, RESNET], ids=["plain", "batch norm"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_that_probes_the_factor_1_is_the_run_at_a_constant_rate(model, precision):
    common = {"dataset": tiny_dataset(), "model": model, "precision": precision, "epochs": 2}
    probed = trained(**common, schedule={"name": "loss_probing", "factors": [1.0]})
    constant = trained(**common)
    assert probed.weights_digest == constant.weights_digest
    assert column(probed, "train_loss") == column(constant, "train_loss")
    assert column(probed, "validation_loss") == column(constant, "validation_loss")
    assert probed.costs["probes"] == 2


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_in_either_precision(precision):
    probing = {"name": "loss_probing", "factors": [4, 1, 0.25], "batches": 2}
    result = trained(model=RESNET, precision=precision, schedule=probing, record_every_step=True)
    rates = column(result, "learning_rate")
    assert result.outcome == "completed"
    assert all(0.05 / 4 ** (1 + epoch) < rate < 0.05 * 4 ** (1 + epoch) for epoch, rate in enumerate(rates))
    assert len({0.05, *rates}) == 4, "the first epoch is scaled too"
    assert [row["learning_rate"] for row in result.steps] == [rate for rate in rates for _ in range(3)]


def test_a_run_whose_every_trial_loss_is_infinite_keeps_its_rate_and_diverges():
    result = trained(
        optimizer={"learning_rate": 1e36}, schedule={"name": "loss_probing", "factors": [10.0, 1.0]}
    )
    assert result.outcome == "diverged"
    assert column(result, "learning_rate") == [1e36]


@pytest.mark.parametrize("reading", [{"scored_on": "other"}, {"images": 7}, {"scored_in": "evaluation"}])
def test_each_reading_of_the_probe_gives_another_rate(reading):
    common = {"dataset": tiny_dataset(), "model": RESNET, "epochs": 2}
    probing = {"name": "loss_probing", "factors": [2.0, 1.0, 0.5]}
    rates = [column(trained(**common, schedule=probing | more), "learning_rate") for more in ({}, reading)]
    assert rates[0] != rates[1]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"interval_epochs": 2},
        {"scored_on": "other"},
        {"scored_on": "other", "images": 3, "scored_in": "evaluation"},
    ],
)
def test_one_that_goes_on_from_a_state_is_the_same(fields):
    whole, optimizer, seen = slope_probing(**fields)
    rates = rates_of(whole, optimizer, 5)
    found, drawn, state, rate = [], [], None, 0.125
    for epoch in range(1, 6):
        # Each epoch in a new process: the optimizer has a state of its own.
        piece, own, seen_by_piece = slope_probing(**fields, rate=rate)
        if state is not None:
            piece.load_state_dict(through_a_checkpoint(state))
        piece.begin_epoch(epoch)
        rate, state = own.param_groups[0]["lr"], piece.state_dict()
        found.append(rate)
        drawn += seen_by_piece
    assert found == rates
    assert drawn == seen
    assert piece.costs() == whole.costs()
