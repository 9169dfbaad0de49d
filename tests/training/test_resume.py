"""A run that is interrupted and goes on gives the bytes of one that is not."""

import io
import math

import pytest

from replication.system import interruption
from replication.system.interruption import RunInterruptedError
from replication.training import evaluation, trainer
from replication.training.checkpoint import Checkpoints
from replication.training.session import RunResult, train
from support import CPU, SCHEDULES, numbers_of, run_settings, schedule_of, tiny_dataset

pytestmark = pytest.mark.slow

IDENTITY = {"run_id": "study/arm/seed-1"}


class Signals:
    """Stands for the signals of a process: one arrives before the check with each of the given numbers."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.checks in self.numbers:
            raise RunInterruptedError("SIGTERM")


def train_through(signals: Signals, folder, settings, monkeypatch, dataset=None) -> RunResult:
    """Train, going on in a new trainer after each signal."""
    monkeypatch.setattr(interruption, "check", signals.check)
    for _ in range(len(signals.numbers) + 1):
        try:
            return train(settings, dataset or tiny_dataset(), 1, CPU, None, Checkpoints(folder, IDENTITY))
        except RunInterruptedError:
            continue
    raise AssertionError("interrupted more often than there are signals")


def settings_of(schedule: str, **changes):
    return run_settings(
        **{
            "schedule": schedule_of(schedule),
            "optimizer": {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9},
            "data": {"augmentation": "crop_and_flip"},
            "evaluate_test": "every_epoch",
            "record_every_step": True,
            **changes,
        }
    )


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_goes_on_bit_for_bit(tmp_path, monkeypatch, schedule):
    settings = settings_of(schedule)
    counted = Signals([])
    whole = train_through(counted, tmp_path / "whole", settings, monkeypatch)
    assert counted.checks > 15
    at = list(range(1, counted.checks * 2, 3))  # checks go on counting over the sessions
    pieces = train_through(Signals(at), tmp_path / "pieces", settings, monkeypatch)
    assert numbers_of(pieces) == numbers_of(whole)
    assert len(pieces.sessions.rows) > 5


def in_pieces(tmp_path, monkeypatch, settings, every=3, dataset=None):
    """Train whole and in pieces, with a signal at every `every`-th check; return both runs."""
    counted = Signals([])
    whole = train_through(counted, tmp_path / "whole", settings, monkeypatch, dataset)
    signals = Signals(list(range(1, counted.checks * 2, every)))
    pieces = train_through(signals, tmp_path / "pieces", settings, monkeypatch, dataset)
    return whole, pieces


@pytest.mark.parametrize("restore", [False, True])
@pytest.mark.parametrize("monitor", ["validation_loss", "validation_accuracy"])
def test_early_stopping_goes_on_counting(tmp_path, monkeypatch, monitor, restore):
    stopping = {"monitor": monitor, "patience": 3, "restore_best": restore}
    settings = settings_of("constant", epochs=12, early_stopping=stopping)
    dataset = tiny_dataset(wrong_labels=0.5)
    whole, pieces = in_pieces(tmp_path, monkeypatch, settings, dataset=dataset)
    assert whole.outcome == "stopped early"
    assert numbers_of(pieces) == numbers_of(whole)


def test_early_stopping_at_the_ends_of_cycles_goes_on_counting(tmp_path, monkeypatch):
    stopping = {"monitor": "validation_loss", "patience": 2, "judged": "cycle_ends"}
    settings = settings_of("triangular", epochs=12, early_stopping=stopping)
    dataset = tiny_dataset(wrong_labels=0.5)
    whole, pieces = in_pieces(tmp_path, monkeypatch, settings, dataset=dataset)
    assert whole.outcome == "stopped early"
    assert numbers_of(pieces) == numbers_of(whole)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"optimizer": {"name": "adam", "learning_rate": 0.001, "epsilon": 1e-7}}, id="Adam"),
        pytest.param({"model": {"name": "resnet20", "width": 2}}, id="batch norm"),
        pytest.param({"model": {"name": "transformer", "width": 8, "heads": 2, "blocks": 1}}, id="attention"),
        pytest.param({"model": {"name": "row-gru", "units": 4}}, id="recurrence"),
        pytest.param({"model": {"name": "vgg", "width": 1}}, id="VGG"),
        pytest.param({"precision": "bfloat16"}, id="bfloat16"),
        pytest.param(
            {"averaging": {"at": "every_epoch"}, "model": {"name": "resnet20", "width": 2}}, id="averaging"
        ),
        pytest.param({"evaluate_test": "end", "record_every_step": False}, id="test images at the end"),
    ],
)
def test_every_kind_of_state_goes_on_bit_for_bit(tmp_path, monkeypatch, changes):
    whole, pieces = in_pieces(tmp_path, monkeypatch, settings_of("one_cycle", **changes), every=4)
    assert numbers_of(pieces) == numbers_of(whole)
    assert pieces.weights_digest == whole.weights_digest


def test_a_run_that_diverges_does_so_in_pieces(tmp_path, monkeypatch):
    settings = settings_of("constant", epochs=6, optimizer={"name": "sgd", "learning_rate": 1e12})
    whole, pieces = in_pieces(tmp_path, monkeypatch, settings, every=2)
    assert whole.outcome == "diverged"
    assert numbers_of(pieces) == numbers_of(whole)


@pytest.mark.parametrize("schedule", ["loss_probing", "beam_search"])
def test_a_signal_at_every_single_check(tmp_path, monkeypatch, schedule):
    """Between steps, within each evaluation, and while the run is summed up."""
    monkeypatch.setattr(evaluation, "EVALUATION_BATCH", 4)
    settings = settings_of(schedule, epochs=2)
    counted = Signals([])
    whole = train_through(counted, tmp_path / "whole", settings, monkeypatch)
    for number in range(1, counted.checks + 1):
        signals = Signals([number])
        pieces = train_through(signals, tmp_path / f"{number}", settings, monkeypatch)
        assert numbers_of(pieces) == numbers_of(whole), number
        assert [row["end"] for row in pieces.sessions.rows] == ["SIGTERM", "completed"]


def test_checkpoints_within_an_epoch(tmp_path, monkeypatch):
    """With one before each step, a trainer that is killed without a warning loses no more than a step."""
    settings = settings_of("loss_probing")
    whole = train_through(Signals([]), tmp_path / "whole", settings, monkeypatch)
    for number in (2, 5, 8):
        folder = tmp_path / f"{number}"
        cut_off_after(number, folder, settings, monkeypatch)
        pieces = train_through(Signals([]), folder, settings, monkeypatch)
        assert numbers_of(pieces) == numbers_of(whole)
        first, second = pieces.sessions.rows
        assert first == first | {"first_step": 0, "last_step": number, "end": "cut off"}
        assert second == second | {"first_step": number, "last_step": 9, "end": "completed"}


def test_a_run_leaves_nothing_until_a_checkpoint_is_due(tmp_path, monkeypatch):
    cut_off_after(5, tmp_path, settings_of("cosine"), monkeypatch, seconds=math.inf)
    assert not [*tmp_path.iterdir()]


def cut_off_after(steps, folder, settings, monkeypatch, seconds=0.0):
    """Train `steps` steps, and end as if by kill -9: without another checkpoint."""

    class CutOffError(BaseException):
        pass

    recorded, taken = trainer.Trainer._record_step, []

    def record_step(run):
        recorded(run)
        taken.append(1)
        if len(taken) > steps:
            raise CutOffError

    with monkeypatch.context() as patch:
        patch.setattr(trainer.Trainer, "_record_step", record_step)
        with pytest.raises(CutOffError):
            train(settings, tiny_dataset(), 1, CPU, None, Checkpoints(folder, IDENTITY, seconds=seconds))


def test_without_room_for_checkpoints_a_run_goes_on_and_says_so(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device", "somewhere")

    settings = settings_of("cosine")
    whole = train_through(Signals([]), tmp_path / "whole", settings, monkeypatch)
    monkeypatch.setattr(Checkpoints, "save", full)
    log = io.StringIO()
    checkpoints = Checkpoints(tmp_path / "run", IDENTITY, log, seconds=0.0)
    result = train(settings, tiny_dataset(), 1, CPU, log, checkpoints)
    assert log.getvalue().count("no checkpoint: [Errno 28] No space left on device: 'somewhere'") == 9
    assert numbers_of(result) == numbers_of(whole)


def test_the_log_says_where_a_run_goes_on(tmp_path, monkeypatch):
    settings = settings_of("cosine")
    monkeypatch.setattr(interruption, "check", Signals([6]).check)
    with pytest.raises(RunInterruptedError):
        train(settings, tiny_dataset(), 1, CPU, None, Checkpoints(tmp_path, IDENTITY))
    log = io.StringIO()
    train(settings, tiny_dataset(), 1, CPU, log, Checkpoints(tmp_path, IDENTITY, log))
    assert log.getvalue().startswith("goes on after 3 steps, in epoch 2\n")
    assert "9/9" in log.getvalue()
