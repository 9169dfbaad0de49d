"""Numbers as a reader sees them."""

import math

PERCENTAGES = frozenset(
    {
        "train_accuracy",
        "validation_accuracy",
        "test_accuracy",
        "share_of_epochs_saved",
        "share_of_seconds_probing",
        "share_of_top_1",
        "share_of_top_3",
    }
)
DECIMALS = {
    "average_rank": 2,
    "epochs": 1,
    "best_epoch": 1,
    "seconds": 1,
    "learning_rate": 6,
    "trial_losses_per_probe": 1,
    "backward_passes_per_probe": 1,
    "parameter_copies": 1,
    "candidates": 0,
    "forward_passes": 0,
    "backward_passes": 0,
    "trial_forward_passes": 0,
    "trial_backward_passes": 0,
    "calibration_forward_passes": 0,
    "peak_memory_mb": 0,
    "range_test_steps": 1,
    "suggested_minimum_rate": 6,
    "suggested_maximum_rate": 6,
}
MISSING = "–"


def format_value(measure: str, value: float | None, *, sign: bool = False) -> str:
    """Return a value with its unit, such as `95.50 %`; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return MISSING
    plus = "+" if sign else ""
    if measure in PERCENTAGES:
        return f"{100 * value:{plus}.2f} %"
    return f"{value:{plus}.{DECIMALS.get(measure, 4)}f}"


def format_interval(measure: str, low: float, high: float, *, sign: bool = False) -> str:
    """Return an interval in brackets; empty where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    bounds = (format_value(measure, bound, sign=sign).removesuffix(" %") for bound in (low, high))
    return f"[{', '.join(bounds)}]"


def counted(number: int, what: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number} {what}{'' if number == 1 else 's'}"
