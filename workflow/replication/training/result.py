"""What a run has produced."""

from dataclasses import dataclass, field
from typing import Literal

from replication.training.predictions import PredictionLog
from replication.training.sessions import Sessions

Row = dict[str, float]
Outcome = Literal["completed", "stopped early", "diverged"]


@dataclass
class RunResult:
    """What a run has produced.

    Attributes
    ----------
    history
        One row per epoch: `epoch` and `steps` (counted from 1), mean `train_loss` and `train_accuracy` over the
        epoch's steps, `validation_loss`, `validation_accuracy`, `test_loss`, `test_accuracy` after it (NaN where
        not measured), `learning_rate` and `momentum` of its last step. Losses in nats, accuracies as shares.
    timings
        One row per epoch: `seconds_training`, `seconds_evaluation`, `seconds_probing`, and `peak_memory_mb`, the
        largest memory of the process so far, or of its tensors on a GPU.
    steps
        One row per step if asked for: `step` (counted from 0), `learning_rate`, `momentum`, and `train_loss`, the mean
        loss of the step's batch before the step.
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
