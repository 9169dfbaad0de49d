"""The trainer: one run, from settings, data and a seed to its history."""

from typing import IO, Any

import torch
from tqdm import tqdm

from replication.data.dataset import Dataset
from replication.settings.run import RunSettings
from replication.system import interruption
from replication.system.interruption import RunInterruptedError
from replication.system.memory import keep_freed_memory
from replication.training.batches import load_splits
from replication.training.checkpoint import Checkpoints
from replication.training.determinism import make_deterministic
from replication.training.models import build_model
from replication.training.randomness import member_seed, stream_seed
from replication.training.result import RunResult
from replication.training.sessions import COMPLETED, Sessions
from replication.training.trainer import Trainer

__all__ = ["RunResult", "train"]


def train(
    settings: RunSettings,
    dataset: Dataset,
    seed: int,
    device: torch.device,
    log: IO[str] | None = None,
    checkpoints: Checkpoints | None = None,
) -> RunResult:
    """Train one model.

    The same settings, data, seed, versions and kind of machine give the same bytes, but for `timings` and
    `sessions`, however often the training was interrupted on the way.

    Parameters
    ----------
    log
        Where the progress bar and messages go; None: nowhere.
    checkpoints
        Where to go on from, and where to save the state when they are due; None: nowhere.

    Raises
    ------
    ReplicationError
        The settings do not fit the data.
    RunInterruptedError
        A signal has asked the run to end; the state is saved.
    """
    make_deterministic(settings.threads)
    keep_freed_memory()
    splits = load_splits(dataset, settings.data, device)
    seed = member_seed(seed, settings.member)
    torch.manual_seed(stream_seed(seed, "initial weights"))
    model = build_model(settings.model, dataset.train_images.shape[3], len(dataset.classes))
    torch.manual_seed(stream_seed(seed, "model"))
    model = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = Trainer(settings, seed, model, splits, len(dataset.classes))
    return _Session(run, checkpoints, log).train()


class _Session:
    """One process' part in a run: from its checkpoint, if it has one, to its end or to a signal."""

    def __init__(self, run: Trainer, checkpoints: Checkpoints | None, log: IO[str] | None) -> None:
        self.run = run
        self.checkpoints = checkpoints
        self.log = log

    def train(self) -> RunResult:
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
        total = run.settings.budget_epochs * run.steps_per_epoch
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
                progress.update(run.steps - progress.n)
                progress.set_postfix(
                    epoch=row["epoch"], train=row["train_loss"], validation=row["validation_loss"]
                )

    def before_step(self, progress: Any) -> None:
        progress.update(self.run.steps - progress.n)
        interruption.check()
        if self.checkpoints is not None and self.checkpoints.due():
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

    def say(self, message: str) -> None:
        if self.log is not None:
            print(message, file=self.log)
