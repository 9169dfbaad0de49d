"""Every measure: where its value comes from, and how a reader sees it. A new measure is one entry here.

`epoch` measures are columns of a run's history, all others of the table of runs.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

Source = Literal["epoch", "record", "timings", "largest timing", "passes", "ranking", "search"]


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes
    ----------
    title
        As an axis or a column is called, without the unit.
    source
        Where a run has it: in a row of its history (`epoch`), in its record, in its timings (the sum or the largest of
        all epochs), counted from its steps and its controller's costs (`passes`), or in a ranking or a search of arms.
    unit
        After the title, in brackets; empty for counts and shares.
    percent
        Whether it is a share that is shown as a percentage.
    decimals
        Shown after the point, two of a percentage.
    better
        Which values are better, where that can be said.
    cost
        Whether it stands in the report's table of what an arm costs.
    summarised
        Whether the summary of every study holds it, at the last epoch and, of an epoch's, at the best.
    adds_up
        Whether an ensemble's is the sum of its members'.
    moves_by
        What it counts, where it moves in steps: the least standard deviation of a test is one of these.
    """

    title: str
    source: Source
    unit: str = ""
    percent: bool = False
    decimals: int = 4
    better: Literal["higher", "lower"] | None = None
    cost: bool = False
    summarised: bool = False
    adds_up: bool = False
    moves_by: Literal["test image", "validation image", "training image", "epoch", "setting"] | None = None

    @property
    def label(self) -> str:
        """The title with its unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title


def _loss(title: str) -> Measure:
    return Measure(title, "epoch", better="lower", summarised=True)


def _accuracy(title: str, image: Literal["test image", "validation image", "training image"]) -> Measure:
    return Measure(title, "epoch", percent=True, better="higher", summarised=True, moves_by=image)


MEASURES: dict[str, Measure] = {
    "train_loss": _loss("Training loss"),
    "train_accuracy": _accuracy("Training accuracy", "training image"),
    "validation_loss": _loss("Validation loss"),
    "validation_accuracy": _accuracy("Validation accuracy", "validation image"),
    "test_loss": _loss("Test loss"),
    "test_accuracy": _accuracy("Test accuracy", "test image"),
    "learning_rate": Measure("Learning rate", "epoch", decimals=6),
    # of a run
    "epochs": Measure(
        "Epochs", "record", decimals=1, better="lower", cost=True, summarised=True, moves_by="epoch"
    ),
    "best_epoch": Measure("Best epoch", "record", decimals=1, summarised=True, moves_by="epoch"),
    "share_of_epochs_saved": Measure(
        "Share of epochs saved", "record", percent=True, better="higher", summarised=True
    ),
    "forward_passes": Measure(
        "Forward passes", "passes", decimals=0, better="lower", cost=True, summarised=True, adds_up=True
    ),
    "backward_passes": Measure(
        "Backward passes", "passes", decimals=0, better="lower", cost=True, summarised=True, adds_up=True
    ),
    "seconds": Measure(
        "Seconds", "timings", decimals=1, better="lower", cost=True, summarised=True, adds_up=True
    ),
    "share_of_seconds_probing": Measure(
        "Share spent probing", "timings", percent=True, better="lower", cost=True, summarised=True
    ),
    "peak_memory_mb": Measure(
        "Peak memory", "largest timing", unit="MB", decimals=0, better="lower", cost=True, summarised=True
    ),
    # of a run that probes
    "trial_losses_per_probe": Measure("Trial losses of a probe", "record", decimals=1, better="lower"),
    "backward_passes_per_probe": Measure("Backward passes of a probe", "record", decimals=1, better="lower"),
    "parameter_copies": Measure("Copies of the parameters", "record", decimals=1, better="lower"),
    # of a run that searches, or gathers statistics again
    "candidates": Measure("Candidates", "record", decimals=0, better="lower"),
    "trial_forward_passes": Measure("Forward passes of trials", "record", decimals=0, better="lower"),
    "trial_backward_passes": Measure("Backward passes of trials", "record", decimals=0, better="lower"),
    "calibration_forward_passes": Measure(
        "Forward passes of calibration", "record", decimals=0, better="lower"
    ),
    # of a run that learns a policy
    "learning_forward_passes": Measure("Forward passes of learning", "record", decimals=0, better="lower"),
    "learning_backward_passes": Measure("Backward passes of learning", "record", decimals=0, better="lower"),
    # of a run that tests a range of rates
    "range_test_steps": Measure("Steps of the range test", "record", decimals=1, better="lower"),
    "suggested_minimum_rate": Measure("Suggested lowest rate", "record", decimals=6),
    "suggested_maximum_rate": Measure("Suggested highest rate", "record", decimals=6),
    # of a contestant of a ranking
    "average_rank": Measure(
        "Average rank (1 is best)", "ranking", decimals=2, better="lower", moves_by="setting"
    ),
    "share_of_top_1": Measure(
        "Share of settings won", "ranking", percent=True, better="higher", moves_by="setting"
    ),
    "share_of_top_3": Measure(
        "Share of settings among the best three",
        "ranking",
        percent=True,
        better="higher",
        moves_by="setting",
    ),
    # of a search
    "search_epochs": Measure("Epochs of the search", "search", decimals=1, better="lower", moves_by="epoch"),
}
# Columns of the tables that no claim is about.
UNNAMED = Measure("", "record")
EPOCH_MEASURES = tuple(name for name, measure in MEASURES.items() if measure.source == "epoch")


def measure_of(column: str) -> Measure:
    """Return the measure in a column of the tables, or what stands for one that is not of `MEASURES`."""
    return MEASURES.get(column, UNNAMED)


if TYPE_CHECKING:  # a type checker cannot read the names off the registry
    MeasureName = str
    EpochMeasureName = str
else:
    MeasureName = Literal[*MEASURES]
    EpochMeasureName = Literal[*EPOCH_MEASURES]
