"""The trainer's state: everything that a run is between two steps, and what takes it from one to the next."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from replication.settings.run import RunSettings
from replication.training.averaging import COPIES, build_average
from replication.training.batch_norm import calibration_batches, recalibrate, refuse_batch_of_one
from replication.training.batches import Split
from replication.training.checkpoint import State
from replication.training.controllers import RateController, RunContext, build_rate
from replication.training.controllers.base import Measured
from replication.training.devices import peak_memory_of
from replication.training.early_stopping import build_stopper
from replication.training.evaluation import predict
from replication.training.optimizers import (
    build_optimizer,
    get_learning_rate,
    get_momentum,
    use_averaged_weights,
    use_training_weights,
)
from replication.training.predictions import PredictionLog
from replication.training.randomness import load_random_state, random_state, stream
from replication.training.result import Outcome, Row, RunResult
from replication.training.weights import all_finite, copy_of_weights, digest_of_weights


@dataclass
class _Epoch:
    """An epoch under way."""

    number: int
    order: Tensor
    timing: Row
    loss_sum: Tensor
    correct: Tensor
    batches: int = 0  # those of this pass whose step is done
    trained: bool = False  # all passes are done, and the model is the one to evaluate


class Trainer:
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
        context = RunContext(
            settings,
            seed,
            model,
            self.optimizer,
            self.training,
            self._loss,
            (self.augmentation,),
            self.validation,
        )
        self.rate: RateController = build_rate(settings.schedule, context)
        self.steps_per_epoch = context.steps_per_epoch
        self.stopper = build_stopper(settings, self.steps_per_epoch)
        self.average = build_average(settings, self.steps_per_epoch)
        self.calibrations = 0  # evaluations before which batch normalisation has seen batches again
        self.calibration_batches = calibration_batches(settings, model, self.steps_per_epoch)
        self.best_loss = math.inf
        self.best_weights: dict[str, Tensor] = {}
        self.epoch: _Epoch | None = None
        self.ended = False
        self.result = RunResult()
        refuse_batch_of_one(model, len(self.training), settings.batch_size)

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
            "average": None if self.average is None else self.average.state_dict(),
            "calibrations": self.calibrations,
            "stopper": None if self.stopper is None else self.stopper.state_dict(),
            "random": random_state([self.order, self.augmentation]),
            "best_loss": self.best_loss,
            "best_weights": self.best_weights,
            "epoch": None if self.epoch is None else vars(self.epoch),
            "ended": self.ended,
            "predictions": {name: torch.from_numpy(a) for name, a in result.predictions.tensors().items()},
            "result": {
                name: getattr(result, name)
                for name in ("history", "timings", "steps", "outcome", "best_epoch", "finite_weights")
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
        if self.average is not None:
            self.average.load_state_dict(state["average"], device)
        self.calibrations = state["calibrations"]
        self.best_loss = state["best_loss"]
        self.best_weights = {name: value.to(device) for name, value in state["best_weights"].items()}
        self.epoch = None if state["epoch"] is None else _Epoch(**state["epoch"])
        if self.epoch is not None:
            self.epoch.loss_sum = self.epoch.loss_sum.to(device)
            self.epoch.correct = self.epoch.correct.to(device)
        self.ended = state["ended"]
        predictions = {name: tensor.numpy() for name, tensor in state["predictions"].items()}
        self.result = RunResult(**state["result"], predictions=PredictionLog.from_tensors(predictions))

    def train_epoch(self, before_step: Callable[[], None]) -> Row:
        """Begin an epoch, or go on with the one that was interrupted, and end it; return its row.

        Parameters
        ----------
        before_step
            Called before each step, while the state is one that can be saved.
        """
        if self.epoch is None:
            self.epoch = self._begin_epoch(len(self.result.history) + 1)
        epoch = self.epoch
        with _timed(epoch.timing, "seconds_training"):
            self._take_steps(epoch, before_step)
        row: Row = {"epoch": epoch.number, "steps": epoch.number * self.steps_per_epoch}
        row["train_loss"] = epoch.loss_sum.item() / len(self.training)
        row["train_accuracy"] = epoch.correct.item() / len(self.training)
        with _timed(epoch.timing, "seconds_evaluation"):
            row |= self.evaluate("validation", self.validation, epoch.number)
            every_epoch = self.settings.evaluate_test == "every_epoch"
            row |= self.evaluate("test", self.test, epoch.number) if every_epoch else _unmeasured("test")
        row |= {
            "learning_rate": get_learning_rate(self.optimizer),
            "momentum": get_momentum(self.optimizer),
        }
        self._end_epoch(epoch, row)
        return row

    def _begin_epoch(self, number: int) -> _Epoch:
        timing: Row = {"epoch": number}
        if self.average is not None:
            self.average.use_training_weights(self.model)
        with _timed(timing, "seconds_probing"):
            self.rate.begin_epoch(number)
        zero = torch.zeros((), device=self.training.images.device, dtype=torch.float64)
        order = torch.randperm(len(self.training), generator=self.order)
        return _Epoch(number, order, timing, loss_sum=zero, correct=zero.clone())

    def _take_steps(self, epoch: _Epoch, before_step: Callable[[], None]) -> None:
        """Pass over the batches of an epoch, once or as often as the controller asks for; then ready the model."""
        while not epoch.trained:
            self._take_pass(epoch, before_step)
            counted = self.rate.end_pass(self._measured(epoch))
            self.set_epoch_sums(epoch, counted)
            if counted is None:
                epoch.batches = 0
            else:
                self.ready_for_evaluation(epoch)
                epoch.trained = True

    def _measured(self, epoch: _Epoch) -> Measured:
        first = (epoch.number - 1) * self.steps_per_epoch
        return {"loss_sum": epoch.loss_sum, "correct": epoch.correct, "steps": self.result.steps[first:]}

    def set_epoch_sums(self, epoch: _Epoch, measured: Measured | None) -> None:
        """Set the epoch's sums to those of a pass; None clears them before another pass."""
        device = self.training.images.device
        nothing = torch.zeros((), device=device, dtype=torch.float64)
        epoch.loss_sum = nothing if measured is None else measured["loss_sum"].to(device)
        epoch.correct = nothing.clone() if measured is None else measured["correct"].to(device)
        self.result.steps[(epoch.number - 1) * self.steps_per_epoch :] = measured["steps"] if measured else []

    def ready_for_evaluation(self, epoch: _Epoch) -> None:
        """Load the weights that are evaluated, and gather their statistics if the optimizer needs it."""
        use_averaged_weights(self.optimizer)
        averaged = self.average is not None and self.average.use_average(self.model, epoch.number)
        if self.calibration_batches and (averaged or self.average is None):
            self.calibrations += 1
            # Drawn as in training, and what the next epoch draws stays as it was.
            augmentation = torch.Generator()
            augmentation.set_state(self.augmentation.get_state())
            seen = epoch.order.split(self.settings.batch_size)[: self.calibration_batches]
            images = (self._training_batch(indices, augmentation)[0] for indices in seen)
            recalibrate(self.model, lambda batch: self._logits(self.model, batch), images, anew=averaged)

    def _training_batch(self, indices: Tensor, augmentation: torch.Generator) -> tuple[Tensor, Tensor]:
        return self.training.batch(
            indices, None if self.settings.data.augmentation == "none" else augmentation
        )

    def _take_pass(self, epoch: _Epoch, before_step: Callable[[], None]) -> None:
        self.model.train()
        use_training_weights(self.optimizer)
        for indices in epoch.order.split(self.settings.batch_size)[epoch.batches :]:
            before_step()
            self.rate.before_step(self.steps)
            images, labels = self._training_batch(indices, self.augmentation)
            logits = self._logits(self.model, images)
            loss = functional.cross_entropy(logits, labels)
            self.optimizer.zero_grad()
            loss.backward()
            self.rate.after_backward(self.steps)
            self.optimizer.step()
            # Only now, when the rate of the step is known.
            self._record_step()
            self._record_loss(loss)
            epoch.loss_sum += loss.detach() * len(labels)
            epoch.correct += (logits.detach().argmax(1) == labels).sum()
            epoch.batches += 1

    def _record_step(self) -> None:
        if self.settings.record_every_step:
            rate = get_learning_rate(self.optimizer)
            momentum = get_momentum(self.optimizer)
            self.result.steps.append({"step": self.steps, "learning_rate": rate, "momentum": momentum})

    def _record_loss(self, loss: Tensor) -> None:
        if self.settings.record_every_step:
            self.result.steps[-1]["train_loss"] = loss.item()

    def _logits(self, model: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        low = self.settings.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=low):
            return model(images).float()

    def _loss(self, model: Callable[[Tensor], Tensor], images: Tensor, labels: Tensor) -> Tensor:
        return functional.cross_entropy(self._logits(model, images), labels)

    def evaluate(self, name: str, split: Split, epoch: int) -> Row:
        """Return mean loss and accuracy over the images of a split, and keep what was predicted."""
        is_snapshot = name == "test" and epoch in self.settings.snapshot_epochs
        predictions = predict(self.model, split, self._logits, self.classes, keep_probabilities=is_snapshot)
        labels = split.labels.cpu().numpy()
        accuracy = predictions.accuracy(labels)
        log = self.result.predictions
        if is_snapshot:
            log.test_labels = labels.astype(predictions.classes.dtype)
        log.by_split[name][epoch] = predictions
        return {f"{name}_loss": predictions.loss(), f"{name}_accuracy": accuracy}

    def _end_epoch(self, epoch: _Epoch, row: Row) -> None:
        if row["validation_loss"] < self.best_loss:
            self.best_loss = row["validation_loss"]
            self.result.best_epoch = epoch.number
            self.best_weights = copy_of_weights(self.model)
        self.rate.end_epoch(row)
        epoch.timing["peak_memory_mb"] = peak_memory_of(self.training.images.device)
        self.result.finite_weights = all_finite(self.model)
        self.result.history.append(row)
        self.result.timings.append(epoch.timing)
        self.epoch = None
        self.result.outcome, self.ended = self._outcome_after(row)

    def _outcome_after(self, row: Row) -> tuple[Outcome, bool]:
        """Return how the run stands after an epoch, and whether that was its last."""
        test_is_known = self.settings.evaluate_test == "every_epoch"
        losses = [row[name] for name in ("train_loss", "validation_loss", *["test_loss"] * test_is_known)]
        if not (self.result.finite_weights and all(map(math.isfinite, losses))):
            return "diverged", True
        if self.stopper is not None and self.stopper.should_stop(row):
            return "stopped early", True
        return "completed", row["epoch"] == self.settings.budget_epochs

    def finish(self) -> RunResult:
        """Measure the test images for the last and the best epoch, and sum up."""
        result = self.result
        with _timed(result.timings[-1], "seconds_evaluation"):
            result.history[-1] |= self.evaluate("test", self.test, len(result.history))
            if result.best_epoch is not None:
                with self._best_model():
                    result.history[result.best_epoch - 1] |= self.evaluate(
                        "test", self.test, result.best_epoch
                    )
        if not all(math.isfinite(row["test_loss"]) for row in self._judged_rows()):
            result.outcome = "diverged"
        stopping = self.settings.early_stopping
        if stopping is not None and stopping.restore_best and result.best_epoch is not None:
            self.model.load_state_dict(self.best_weights)
        result.weights_digest = digest_of_weights(self.model)
        result.timings[-1]["peak_memory_mb"] = peak_memory_of(self.training.images.device)
        result.costs = self.rate.costs()
        if self.calibration_batches:
            result.costs["calibration_forward_passes"] = self.calibrations * self.calibration_batches
        if self.average is not None:
            result.costs["parameter_copies"] = result.costs.get("parameter_copies", 0) + COPIES
        return result

    def _judged_rows(self) -> list[Row]:
        """Return the rows of the last and of the best epoch, whose test images are always measured."""
        best = self.result.best_epoch
        return [self.result.history[-1], *([] if best is None else [self.result.history[best - 1]])]

    @contextmanager
    def _best_model(self) -> Iterator[None]:
        """Load the weights of the best epoch during the block, and the last ones again after it."""
        last = copy_of_weights(self.model)
        try:
            self.model.load_state_dict(self.best_weights)
            yield
        finally:
            self.model.load_state_dict(last)


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
