"""The trainer: one run, from settings, data and a seed to its history."""

import hashlib
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from replication.batches import Split, load_splits
from replication.data.dataset import Dataset
from replication.early_stopping import Stopper
from replication.errors import ConfigurationError
from replication.models import build_model
from replication.optimizers import build_optimizer
from replication.randomness import stream, stream_seed
from replication.rates import RateController, RunContext, build_rate
from replication.rates.planned import get_momentum
from replication.settings.run import RunSettings

EVALUATION_BATCH = 500  # images at once; it decides memory and speed, and by the last bits of a sum the loss

Row = dict[str, float]
Outcome = Literal["completed", "stopped early", "diverged"]


@dataclass
class Training:
    """What a run has produced.

    Attributes
    ----------
    history
        One row an epoch: `epoch` and `steps` (counted from 1), mean `train_loss` and `train_accuracy` over the
        epoch's steps, `validation_loss`, `validation_accuracy`, `test_loss`, `test_accuracy` after it (NaN where
        not measured), `learning_rate` and `momentum` of its last step. Losses in nats, accuracies as shares.
    timings
        One row an epoch: `seconds_training`, `seconds_evaluation`, `seconds_probing`.
    steps
        One row a step if asked for: `step` (counted from 0), `learning_rate`, `momentum`.
    outcome
        How it ended. A run has diverged if its training loss was no longer finite in its last epoch.
    best_epoch
        The first epoch of the lowest validation loss; None if there is none.
    weights_digest
        SHA-256 of the final weights and buffers.
    costs
        What the learning-rate controller spent, by name.
    """

    history: list[Row] = field(default_factory=list)
    timings: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    outcome: Outcome = "completed"
    best_epoch: int | None = None
    weights_digest: str = ""
    costs: dict[str, float] = field(default_factory=dict)


def choose_device(name: Literal["auto", "cpu", "cuda"]) -> torch.device:
    """Return the device that `name` stands for.

    Raises
    ------
    ConfigurationError
        A GPU is asked for and there is none.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigurationError("device: cuda is asked for, but PyTorch sees no GPU: use auto or cpu")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


def train(
    settings: RunSettings, dataset: Dataset, seed: int, device: torch.device, log: IO[str] | None = None
) -> Training:
    """Train one model.

    The same settings, data, seed, versions and kind of machine give the same bytes, but for `timings`.

    Parameters
    ----------
    log
        Where the progress bar goes; None: nowhere.

    Raises
    ------
    ReplicationError
        The settings do not fit the data.
    """
    _make_deterministic(settings.threads)
    splits = load_splits(dataset, settings.data, device)
    torch.manual_seed(stream_seed(seed, "initial weights"))
    model = build_model(settings.model, dataset.train_images.shape[3], len(dataset.classes))
    torch.manual_seed(stream_seed(seed, "model"))
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return _Run(settings, seed, model, splits, log).train()


def _make_deterministic(threads: int) -> None:
    # cuBLAS reads this when its first handle is made, which is after this line.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # Filling fresh memory only shows reads of memory that was never written, and costs a tenth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(threads)


class _Run:
    def __init__(
        self,
        settings: RunSettings,
        seed: int,
        model: nn.Module,
        splits: tuple[Split, Split, Split],
        log: IO[str] | None,
    ) -> None:
        self.settings = settings
        self.model = model
        self.training, self.validation, self.test = splits
        self.optimizer = build_optimizer(settings.optimizer, model)
        self.order = stream(seed, "data order")
        self.augmentation = None if settings.data.augmentation == "none" else stream(seed, "augmentation")
        self.stopper = None if settings.early_stopping is None else Stopper(settings.early_stopping)
        context = RunContext(settings, seed, model, self.optimizer, self.training, self.loss)
        self.rate: RateController = build_rate(settings.schedule, context)
        self.steps_per_epoch = context.steps_per_epoch
        self.best_loss = math.inf
        self.best_weights: dict[str, Tensor] = {}
        self.result = Training()
        self.progress = tqdm(
            total=settings.epochs * self.steps_per_epoch,
            unit="step",
            mininterval=5,
            file=log,
            disable=log is None,
        )
        _refuse_batch_of_one(model, len(self.training), settings.batch_size)

    def train(self) -> Training:
        with self.progress:
            for epoch in range(1, self.settings.epochs + 1):
                self.result.history.append(self.train_epoch(epoch))
                if self.has_ended():
                    break
        self.finish()
        return self.result

    def has_ended(self) -> bool:
        row = self.result.history[-1]
        if not math.isfinite(row["train_loss"]):
            self.result.outcome = "diverged"
            return True
        if self.stopper is not None and self.stopper.should_stop(row):
            self.result.outcome = "stopped early"
            return True
        return False

    def train_epoch(self, epoch: int) -> Row:
        timing: Row = {"epoch": epoch}
        with _timed(timing, "seconds_probing"):
            self.rate.begin_epoch(epoch)
        with _timed(timing, "seconds_training"):
            train_loss, train_accuracy = self.take_steps((epoch - 1) * self.steps_per_epoch)
        row: Row = {"epoch": epoch, "steps": epoch * self.steps_per_epoch}
        row |= {"train_loss": train_loss, "train_accuracy": train_accuracy}
        with _timed(timing, "seconds_evaluation"):
            row |= self.evaluate("validation", self.validation)
            every_epoch = self.settings.evaluate_test == "every_epoch"
            row |= self.evaluate("test", self.test) if every_epoch else _unmeasured("test")
        row |= {
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "momentum": get_momentum(self.optimizer),
        }
        self.keep_best(row)
        self.rate.end_epoch(row)
        self.result.timings.append(timing)
        self.progress.set_postfix(epoch=epoch, train=train_loss, validation=row["validation_loss"])
        return row

    def take_steps(self, first_step: int) -> tuple[float, float]:
        """Train one epoch; return the mean loss and accuracy over its images."""
        self.model.train()
        loss_sum = torch.zeros((), device=self.training.images.device, dtype=torch.float64)
        correct = torch.zeros_like(loss_sum)
        order = torch.randperm(len(self.training), generator=self.order)
        for number, indices in enumerate(order.split(self.settings.batch_size)):
            self.rate.before_step(first_step + number)
            self.record_step(first_step + number)
            images, labels = self.training.batch(indices, self.augmentation)
            logits = self.logits(self.model, images)
            loss = functional.cross_entropy(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            loss_sum += loss.detach() * len(labels)
            correct += (logits.detach().argmax(1) == labels).sum()
            self.progress.update()
        return loss_sum.item() / len(self.training), correct.item() / len(self.training)

    def record_step(self, step: int) -> None:
        if self.settings.record_every_step:
            rate = self.optimizer.param_groups[0]["lr"]
            momentum = get_momentum(self.optimizer)
            self.result.steps.append({"step": step, "learning_rate": rate, "momentum": momentum})

    def logits(self, model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        low = self.settings.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=low):
            return model(images).float()

    def loss(self, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(self.logits(model, images), labels)

    @torch.inference_mode()
    def evaluate(self, name: str, split: Split) -> Row:
        """Return mean loss and accuracy over the images of a split, each image with the same weight."""
        self.model.eval()
        loss_sum = correct = 0.0
        for indices in torch.arange(len(split)).split(EVALUATION_BATCH):
            images, labels = split.batch(indices)
            logits = self.logits(self.model, images)
            loss_sum += functional.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(1) == labels).sum().item()
        return {f"{name}_loss": loss_sum / len(split), f"{name}_accuracy": correct / len(split)}

    def keep_best(self, row: Row) -> None:
        if row["validation_loss"] < self.best_loss:
            self.best_loss = row["validation_loss"]
            self.result.best_epoch = int(row["epoch"])
            self.best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}

    def finish(self) -> None:
        """Measure the test images for the last and the best epoch, and sum up."""
        with _timed(self.result.timings[-1], "seconds_evaluation"):
            last = self.result.history[-1]
            last |= self.evaluate("test", self.test)
            final = _copy_of(self.model)
            if self.result.best_epoch is not None:
                self.model.load_state_dict(self.best_weights)
                self.result.history[self.result.best_epoch - 1] |= self.evaluate("test", self.test)
        stopping = self.settings.early_stopping
        if stopping is None or not stopping.restore_best or self.result.best_epoch is None:
            self.model.load_state_dict(final)
        self.result.weights_digest = digest_of_weights(self.model)
        self.result.costs = self.rate.costs()


def _copy_of(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def _unmeasured(name: str) -> Row:
    return {f"{name}_loss": math.nan, f"{name}_accuracy": math.nan}


@contextmanager
def _timed(row: Row, key: str) -> Iterator[None]:
    """Add the seconds that the block takes to `row[key]`."""
    start = time.perf_counter()
    yield
    row[key] = row.get(key, 0.0) + time.perf_counter() - start


def _refuse_batch_of_one(model: nn.Module, images: int, batch_size: int) -> None:
    normalises = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())
    if normalises and (images % batch_size == 1 or batch_size == 1):
        raise ConfigurationError(
            f"{images} training images in batches of {batch_size} leave a batch of one image, whose statistics "
            "batch normalisation cannot use: change train_images, validation_fraction or batch_size by one"
        )


def digest_of_weights(model: nn.Module) -> str:
    """Return the SHA-256 of all weights and buffers: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        tensor: Any = value.detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
