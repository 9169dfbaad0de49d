"""The trainer: one run, from settings, data and a seed to its history."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from replication import interruption
from replication.batches import Split, load_splits
from replication.checkpoint import Checkpoints, State
from replication.data.dataset import Dataset
from replication.determinism import make_deterministic
from replication.early_stopping import Stopper
from replication.errors import ConfigurationError
from replication.evaluation import predict
from replication.interruption import RunInterruptedError
from replication.models import build_model
from replication.optimizers import build_optimizer
from replication.predictions import PredictionLog
from replication.randomness import load_random_state, random_state, stream, stream_seed
from replication.rates import RateController, RunContext, build_rate
from replication.rates.planned import get_momentum
from replication.sessions import COMPLETED, Sessions
from replication.settings.run import RunSettings
from replication.weights import copy_of_weights, digest_of_weights

# A checkpoint follows each epoch; within a longer one, checkpoints are so far apart.
CHECKPOINT_SECONDS = 600.0

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
    predictions
        The class and the loss of every image that was evaluated, after each epoch that evaluated it.
    outcome
        How it ended. A run has diverged if its training loss was no longer finite in its last epoch.
    best_epoch
        The first epoch of the lowest validation loss; None if there is none.
    weights_digest
        SHA-256 of the final weights and buffers.
    costs
        What the learning-rate controller spent, by name.
    sessions
        When its process started and ended, once if nothing interrupted it.
    """

    history: list[Row] = field(default_factory=list)
    timings: list[Row] = field(default_factory=list)
    steps: list[Row] = field(default_factory=list)
    predictions: PredictionLog = field(default_factory=PredictionLog)
    outcome: Outcome = "completed"
    best_epoch: int | None = None
    weights_digest: str = ""
    costs: dict[str, float] = field(default_factory=dict)
    sessions: Sessions = field(default_factory=Sessions)


def train(
    settings: RunSettings,
    dataset: Dataset,
    seed: int,
    device: torch.device,
    log: IO[str] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Training:
    """Train one model.

    The same settings, data, seed, versions and kind of machine give the same bytes, but for `timings` and
    `sessions`, however often the training was interrupted on the way.

    Parameters
    ----------
    log
        Where the progress bar and messages go; None: nowhere.
    checkpoints
        Where to go on from, and where to save the state after each epoch; None: nowhere.

    Raises
    ------
    ReplicationError
        The settings do not fit the data.
    RunInterruptedError
        A signal has asked the run to end; the state is saved.
    """
    make_deterministic(settings.threads)
    splits = load_splits(dataset, settings.data, device)
    torch.manual_seed(stream_seed(seed, "initial weights"))
    model = build_model(settings.model, dataset.train_images.shape[3], len(dataset.classes))
    torch.manual_seed(stream_seed(seed, "model"))
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = _Run(settings, seed, model, splits, len(dataset.classes))
    return _Session(run, checkpoints, log).train()


@dataclass
class _Epoch:
    """An epoch under way."""

    number: int
    order: Tensor
    timing: Row
    loss_sum: Tensor
    correct: Tensor
    batches: int = 0  # those whose step is done


class _Run:
    """The whole state of a run, and what advances it.

    Between any two calls of its methods, and where they raise RunInterruptedError, `state_dict` holds all that decides
    what follows.
    """

    def __init__(
        self,
        settings: RunSettings,
        seed: int,
        model: nn.Module,
        splits: tuple[Split, Split, Split],
        classes: int,
    ) -> None:
        self.settings = settings
        self.model = model
        self.training, self.validation, self.test = splits
        self.classes = classes
        self.optimizer = build_optimizer(settings.optimizer, model)
        self.order = stream(seed, "data order")
        self.augmentation = stream(seed, "augmentation")
        self.stopper = None if settings.early_stopping is None else Stopper(settings.early_stopping)
        context = RunContext(settings, seed, model, self.optimizer, self.training, self.loss)
        self.rate: RateController = build_rate(settings.schedule, context)
        self.steps_per_epoch = context.steps_per_epoch
        self.best_loss = math.inf
        self.best_weights: dict[str, Tensor] = {}
        self.epoch: _Epoch | None = None
        self.ended = False
        self.result = Training()
        _refuse_batch_of_one(model, len(self.training), settings.batch_size)

    @property
    def steps(self) -> int:
        """Optimizer steps so far."""
        begun = 0 if self.epoch is None else self.epoch.batches
        return len(self.result.history) * self.steps_per_epoch + begun

    def state_dict(self) -> State:
        """Return the state as tensors and plain values."""
        result = self.result
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rate": self.rate.state_dict(),
            "stopper": None if self.stopper is None else self.stopper.state_dict(),
            "random": random_state([self.order, self.augmentation]),
            "best_loss": self.best_loss,
            "best_weights": self.best_weights,
            "epoch": None if self.epoch is None else vars(self.epoch),
            "ended": self.ended,
            "predictions": {name: torch.from_numpy(a) for name, a in result.predictions.tensors().items()},
            "result": {
                name: getattr(result, name)
                for name in ("history", "timings", "steps", "outcome", "best_epoch")
            },
        }

    def load_state_dict(self, state: State) -> None:
        """Go on from what `state_dict` has returned."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rate.load_state_dict(state["rate"])
        if self.stopper is not None:
            self.stopper.load_state_dict(state["stopper"])
        load_random_state(state["random"], [self.order, self.augmentation])
        device = self.training.images.device
        self.best_loss = state["best_loss"]
        self.best_weights = {name: value.to(device) for name, value in state["best_weights"].items()}
        self.epoch = None if state["epoch"] is None else _Epoch(**state["epoch"])
        if self.epoch is not None:
            self.epoch.loss_sum = self.epoch.loss_sum.to(device)
            self.epoch.correct = self.epoch.correct.to(device)
        self.ended = state["ended"]
        predictions = {name: tensor.numpy() for name, tensor in state["predictions"].items()}
        self.result = Training(**state["result"], predictions=PredictionLog.from_tensors(predictions))

    def train_epoch(self, before_step: Callable[[], None]) -> Row:
        """Begin an epoch, or go on with the one that was interrupted, and end it; return its row.

        Parameters
        ----------
        before_step
            Called before each step, while the state is one that can be saved.
        """
        if self.epoch is None:
            self.epoch = self.begin_epoch(len(self.result.history) + 1)
        epoch = self.epoch
        with _timed(epoch.timing, "seconds_training"):
            self.take_steps(epoch, before_step)
        row: Row = {"epoch": epoch.number, "steps": epoch.number * self.steps_per_epoch}
        row["train_loss"] = epoch.loss_sum.item() / len(self.training)
        row["train_accuracy"] = epoch.correct.item() / len(self.training)
        with _timed(epoch.timing, "seconds_evaluation"):
            row |= self.evaluate("validation", self.validation, epoch.number)
            every_epoch = self.settings.evaluate_test == "every_epoch"
            row |= self.evaluate("test", self.test, epoch.number) if every_epoch else _unmeasured("test")
        row |= {
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "momentum": get_momentum(self.optimizer),
        }
        self.end_epoch(epoch, row)
        return row

    def begin_epoch(self, number: int) -> _Epoch:
        timing: Row = {"epoch": number}
        with _timed(timing, "seconds_probing"):
            self.rate.begin_epoch(number)
        zero = torch.zeros((), device=self.training.images.device, dtype=torch.float64)
        order = torch.randperm(len(self.training), generator=self.order)
        return _Epoch(number, order, timing, loss_sum=zero, correct=zero.clone())

    def take_steps(self, epoch: _Epoch, before_step: Callable[[], None]) -> None:
        self.model.train()
        for indices in epoch.order.split(self.settings.batch_size)[epoch.batches :]:
            before_step()
            self.rate.before_step(self.steps)
            self.record_step()
            augmentation = None if self.settings.data.augmentation == "none" else self.augmentation
            images, labels = self.training.batch(indices, augmentation)
            logits = self.logits(self.model, images)
            loss = functional.cross_entropy(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            epoch.loss_sum += loss.detach() * len(labels)
            epoch.correct += (logits.detach().argmax(1) == labels).sum()
            epoch.batches += 1

    def record_step(self) -> None:
        if self.settings.record_every_step:
            rate = self.optimizer.param_groups[0]["lr"]
            momentum = get_momentum(self.optimizer)
            self.result.steps.append({"step": self.steps, "learning_rate": rate, "momentum": momentum})

    def logits(self, model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        low = self.settings.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=low):
            return model(images).float()

    def loss(self, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(self.logits(model, images), labels)

    def evaluate(self, name: str, split: Split, epoch: int) -> Row:
        """Return mean loss and accuracy over the images of a split, and keep what was predicted."""
        predictions = predict(self.model, split, self.logits, self.classes)
        self.result.predictions.by_split[name][epoch] = predictions
        accuracy = predictions.accuracy(split.labels.cpu().numpy())
        return {f"{name}_loss": predictions.loss(), f"{name}_accuracy": accuracy}

    def end_epoch(self, epoch: _Epoch, row: Row) -> None:
        if row["validation_loss"] < self.best_loss:
            self.best_loss = row["validation_loss"]
            self.result.best_epoch = epoch.number
            self.best_weights = copy_of_weights(self.model)
        self.rate.end_epoch(row)
        self.result.history.append(row)
        self.result.timings.append(epoch.timing)
        self.epoch = None
        self.result.outcome, self.ended = self.outcome_after(row)

    def outcome_after(self, row: Row) -> tuple[Outcome, bool]:
        """Return how the run stands after an epoch, and whether that was its last."""
        if not math.isfinite(row["train_loss"]):
            return "diverged", True
        if self.stopper is not None and self.stopper.should_stop(row):
            return "stopped early", True
        return "completed", row["epoch"] == self.settings.epochs

    def finish(self) -> Training:
        """Measure the test images for the last and the best epoch, and sum up."""
        result = self.result
        with _timed(result.timings[-1], "seconds_evaluation"):
            result.history[-1] |= self.evaluate("test", self.test, len(result.history))
            if result.best_epoch is not None:
                with self.best_model():
                    result.history[result.best_epoch - 1] |= self.evaluate(
                        "test", self.test, result.best_epoch
                    )
        stopping = self.settings.early_stopping
        if stopping is not None and stopping.restore_best and result.best_epoch is not None:
            self.model.load_state_dict(self.best_weights)
        result.weights_digest = digest_of_weights(self.model)
        result.costs = self.rate.costs()
        return result

    @contextmanager
    def best_model(self) -> Iterator[None]:
        """Have the model, during the block, the weights of the best epoch."""
        last = copy_of_weights(self.model)
        try:
            self.model.load_state_dict(self.best_weights)
            yield
        finally:
            self.model.load_state_dict(last)


class _Session:
    """One process' part in a run: from its checkpoint, if it has one, to its end or to a signal."""

    def __init__(self, run: _Run, checkpoints: Checkpoints | None, log: IO[str] | None) -> None:
        self.run = run
        self.checkpoints = checkpoints
        self.log = log
        self.saved_at = time.monotonic()

    def train(self) -> Training:
        run = self.run
        self.resume()
        try:
            self.train_epochs()
            result = run.finish()
        except RunInterruptedError as interrupted:
            self.save(end=interrupted.signal)
            raise
        result.sessions.mark(run.steps, COMPLETED)
        return result

    def train_epochs(self) -> None:
        run = self.run
        total = run.settings.epochs * run.steps_per_epoch
        with tqdm(
            total=total,
            initial=run.steps,
            unit="step",
            mininterval=5,
            file=self.log,
            disable=self.log is None,
        ) as progress:
            while not run.ended:
                row = run.train_epoch(lambda: self.before_step(progress))
                self.save()
                progress.update(run.steps - progress.n)
                progress.set_postfix(
                    epoch=row["epoch"], train=row["train_loss"], validation=row["validation_loss"]
                )

    def before_step(self, progress: Any) -> None:
        progress.update(self.run.steps - progress.n)
        interruption.check()
        if time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS:
            self.save()

    def resume(self) -> None:
        state = self.checkpoints.load() if self.checkpoints else None
        sessions = Sessions()
        if state is not None:
            sessions.rows = state.pop("sessions")
            self.run.load_state_dict(state)
            self.say(f"goes on after {self.run.steps} steps, in epoch {len(self.run.result.history) + 1}")
        self.run.result.sessions = sessions
        sessions.begin(self.run.steps)

    def save(self, end: str | None = None) -> None:
        """Save the state; without room for it the run goes on, since there may be room again for the next."""
        if self.checkpoints is None:
            return
        sessions = self.run.result.sessions
        sessions.mark(self.run.steps, *([end] if end else []))
        try:
            self.checkpoints.save({**self.run.state_dict(), "sessions": sessions.rows})
        except OSError as error:
            self.say(f"no checkpoint: {error}")
        self.saved_at = time.monotonic()

    def say(self, message: str) -> None:
        if self.log is not None:
            print(message, file=self.log)


def _unmeasured(name: str) -> Row:
    return {f"{name}_loss": math.nan, f"{name}_accuracy": math.nan}


@contextmanager
def _timed(row: Row, key: str) -> Iterator[None]:
    """Add the seconds that the block takes to `row[key]`, also if it is interrupted."""
    start = time.perf_counter()
    try:
        yield
    finally:
        row[key] = row.get(key, 0.0) + time.perf_counter() - start


def _refuse_batch_of_one(model: nn.Module, images: int, batch_size: int) -> None:
    normalises = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules())
    if normalises and (images % batch_size == 1 or batch_size == 1):
        raise ConfigurationError(
            f"{images} training images in batches of {batch_size} leave a batch of one image, whose statistics "
            "batch normalisation cannot use: change train_images, validation_fraction or batch_size by one"
        )
