"""The beam search over factors, against one that copies everything and keeps every candidate."""

import copy
import math
from dataclasses import asdict

import pytest
import torch
from torch.nn import functional

from replication.settings.schedule import BeamSearch
from replication.training.batches import Split, load_splits
from replication.training.controllers.beam_search import BeamSearchRate
from replication.training.models import build_model
from replication.training.optimizers import build_optimizer
from replication.training.randomness import stream, stream_seed
from replication.training.session import train
from replication.training.weights import digest_of_weights
from support import CPU, column, numbers_of, run_settings, tiny_dataset, trained

pytestmark = pytest.mark.slow

ADAM = {"name": "adam", "learning_rate": 0.002, "epsilon": 1e-7}
MOMENTUM = {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}
RESNET = {"name": "resnet20", "width": 2}


def searching(factors=(2, 1, 0.5), beam_size=2):
    return {"name": "beam_search", "factors": list(factors), "beam_size": beam_size}


def training_loss(model, split):
    model.eval()
    with torch.inference_mode():
        images, labels = split.batch(torch.arange(len(split)))
        return functional.cross_entropy(model(images), labels).item()


def tree_search(settings, dataset, seed=1):
    """Search as the paper is read, level by level; return (loss, rate, model) of each epoch's best."""
    training, _, _ = load_splits(dataset, settings.data, CPU)
    torch.manual_seed(stream_seed(seed, "initial weights"))
    model = build_model(settings.model, 1, len(dataset.classes)).to(memory_format=torch.channels_last)
    order, augmentation = stream(seed, "data order"), stream(seed, "augmentation")
    beam = [(model, build_optimizer(settings.optimizer, model).state_dict())]
    levels = []
    for _ in range(settings.epochs):
        drawn = torch.randperm(len(training), generator=order).split(settings.batch_size)
        augmented = settings.data.augmentation != "none"
        batches = [training.batch(indices, augmentation if augmented else None) for indices in drawn]
        candidates = []
        for parent, state in beam:
            for factor in settings.schedule.factors:
                child = copy.deepcopy(parent).train()
                optimizer = build_optimizer(settings.optimizer, child)
                optimizer.load_state_dict(copy.deepcopy(state))
                optimizer.param_groups[0]["lr"] *= factor
                for images, labels in batches:
                    optimizer.zero_grad()
                    functional.cross_entropy(child(images), labels).backward()
                    optimizer.step()
                candidates.append((training_loss(child, training), child, optimizer.state_dict()))
        candidates.sort(key=lambda each: each[0])
        beam = [(child, state) for _, child, state in candidates[: settings.schedule.beam_size]]
        best = candidates[0]
        levels.append((best[0], best[2]["param_groups"][0]["lr"], best[1]))
    return levels


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"schedule": searching(beam_size=1)}, id="greedy"),
        pytest.param({"schedule": searching(beam_size=2)}, id="beam of 2"),
        pytest.param({"schedule": searching([3, 0.3], beam_size=5)}, id="beam that grows for some epochs"),
        pytest.param({"schedule": searching(), "optimizer": ADAM}, id="Adam"),
        pytest.param({"schedule": searching(), "model": RESNET}, id="batch norm"),
        pytest.param({"schedule": searching(), "data": {"augmentation": "crop_and_flip"}}, id="augmentation"),
    ],
)
def test_it_finds_what_a_search_that_keeps_everything_finds(changes):
    dataset = tiny_dataset(wrong_labels=0.3)
    settings = run_settings(**{"optimizer": MOMENTUM, "epochs": 4, **changes})
    result = train(settings, dataset, 1, CPU)
    expected = tree_search(settings, dataset)
    rates = [rate for _, rate, _ in expected]
    assert column(result, "learning_rate") == pytest.approx(rates, rel=1e-12)
    assert len(set(rates)) > 1
    assert result.weights_digest == digest_of_weights(expected[-1][2])


def test_one_factor_of_1_is_a_constant_rate():
    fields = {"record_every_step": True, "evaluate_test": "every_epoch"}
    search = trained(schedule=searching([1.0], beam_size=3), **fields)
    plain = trained(**fields)
    costs = {"candidates": 3, "trial_forward_passes": 9, "trial_backward_passes": 0, "parameter_copies": 2}
    assert search.costs == costs
    search.costs = {}
    assert numbers_of(search) == numbers_of(plain)


def test_the_tables_hold_the_best_candidate_of_each_epoch_only():
    result = trained(schedule=searching(), record_every_step=True, optimizer=MOMENTUM)
    assert column(result, "steps") == [3, 6, 9]
    assert [row["step"] for row in result.steps] == list(range(9))
    rates = [row["learning_rate"] for row in result.steps]
    assert rates == [rate for rate in column(result, "learning_rate") for _ in range(3)]
    # Its first epoch is that of an arm with the rate that was chosen.
    chosen = {**MOMENTUM, "learning_rate": rates[0]}
    alone = trained(optimizer=chosen, record_every_step=True, epochs=1)
    assert [asdict(alone)["steps"], alone.history[0]["train_accuracy"]] == [
        result.steps[:3],
        result.history[0]["train_accuracy"],
    ]
    assert alone.history[0]["train_loss"] == result.history[0]["train_loss"]


def test_costs_are_the_passes_that_were_made(monkeypatch):
    """Count them at the optimizer, and at the images that enter the model."""
    steps, images = [], []
    step, batch = torch.optim.SGD.step, Split.batch

    def counted_step(self, *arguments):
        steps.append(1)
        return step(self, *arguments)

    def counted_batch(split, indices, augmentation=None):
        if len(split) == 36:
            images.append(len(indices))
        return batch(split, indices, augmentation)

    monkeypatch.setattr(torch.optim.SGD, "step", counted_step)
    monkeypatch.setattr(Split, "batch", counted_batch)
    result = trained(schedule=searching(beam_size=2))
    # 3 candidates in the first epoch and 6 in the two that follow, each of 3 steps.
    assert len(steps) == 9 + result.costs["trial_backward_passes"] == 45
    # Each candidate sees all 36 images twice: in training, and for its loss.
    assert sum(images) / 36 * 3 == 9 + result.costs["trial_forward_passes"] == 90
    assert result.costs["candidates"] == 15
    assert result.costs["parameter_copies"] == 4


@pytest.mark.parametrize(("beam_size", "factors"), [(1, 2), (2, 3), (3, 1)])
def test_no_more_than_two_beams_are_kept(monkeypatch, beam_size, factors):
    kept, judge = [], BeamSearchRate._judge

    def watched(self, *arguments):
        judge(self, *arguments)
        kept.append(len(self._beam) + len(self._best))

    monkeypatch.setattr(BeamSearchRate, "_judge", watched)
    result = trained(schedule=searching([1 + n for n in range(factors)], beam_size))
    assert max(kept) == result.costs["parameter_copies"] == min(2 * beam_size, 2 * factors**2)


@pytest.mark.parametrize("factors", [[1e30, 1], [1, 1e30]])
def test_a_candidate_that_diverges_is_not_chosen(factors):
    result = trained(schedule=searching(factors, beam_size=1))
    assert result.outcome == "completed"
    assert column(result, "learning_rate") == [0.05] * 3


def test_where_all_diverge_the_run_does():
    result = trained(schedule=searching([1e30, 1e31]))
    assert result.outcome == "diverged"
    assert not math.isfinite(result.history[-1]["train_loss"])


@pytest.mark.parametrize(("beam_size", "expected"), [(1, [3, 3, 3]), (2, [3, 6, 6]), (7, [3, 9, 21])])
def test_candidates_of_an_epoch(beam_size, expected):
    settings = BeamSearch(**searching(beam_size=beam_size))
    assert [settings.candidates(epoch) for epoch in (1, 2, 3)] == expected
