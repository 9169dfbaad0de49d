"""The figure of learning-rate range tests."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from replication.report.drawing import COLOURS, own_style
from replication.report.figures import BAND_ALPHA, StudyTables, empty_figure, means_over_seeds
from replication.settings.measures import MEASURES

LOSS_LABEL = "Training loss of a step, smoothed"
BOUNDS = {"suggested_minimum_rate": "--", "suggested_maximum_rate": "-"}
BOUND_LABELS = {
    "suggested_minimum_rate": "suggested minimum (each seed)",
    "suggested_maximum_rate": "suggested maximum (each seed)",
}
# The loss may reach many times its start before a test ends; what the range is read off lies below.
SHOWN_ABOVE_START = 1.2


def range_test_curves(
    tables: StudyTables, arms: Sequence[str], *, log_scale: bool = False
) -> tuple[Figure, pd.DataFrame]:
    """Draw the smoothed loss of range tests over the rate, one panel per arm, with the ranges that they suggest.

    A line is the mean over seeds with its 95 % t interval, up to the step at which the first of them diverges.

    Parameters
    ----------
    log_scale
        Of the rates, for tests whose growth is exponential.

    Returns
    -------
    Figure and DataFrame
        The data drawn: means and intervals of `smoothed_loss` by arm and step, and of the two suggested rates by arm.
    """
    tests = tables.range_tests[tables.range_tests["arm"].isin(list(arms))]
    if tests.empty:
        return empty_figure()
    shown = [arm for arm in arms if arm in set(tests["arm"])]
    losses = means_over_seeds(_of_all_seeds(tests), ["arm", "step", "learning_rate"], ["smoothed_loss"])
    once_a_run = tests.drop_duplicates("run_id")
    with own_style():
        figure = Figure(figsize=(5.2 * len(shown), 3.8), layout="constrained")
        for axis, arm in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            _draw_losses(axis, losses[losses["arm"] == arm])
            _draw_bounds(axis, once_a_run[once_a_run["arm"] == arm])
            axis.set(title=tables.titles[arm], xlabel=MEASURES["learning_rate"].title, ylabel=LOSS_LABEL)
            axis.set_xscale("log" if log_scale else "linear")
            axis.legend(fontsize="small")
    return figure, pd.concat([losses, means_over_seeds(once_a_run, ["arm"], list(BOUNDS))], ignore_index=True)


def _of_all_seeds(tests: pd.DataFrame) -> pd.DataFrame:
    """Keep the steps that every seed of an arm has reached."""
    seeds = tests.groupby("arm")["seed"].transform("nunique")
    return tests[tests.groupby(["arm", "step"])["seed"].transform("nunique") == seeds]


def _draw_losses(axis: Axes, losses: pd.DataFrame) -> None:
    rates = losses["learning_rate"]
    axis.plot(rates, losses["mean"], color=COLOURS[0], label="mean over seeds")
    axis.fill_between(rates, losses["low"], losses["high"], color=COLOURS[0], alpha=BAND_ALPHA, lw=0)
    lowest, start = losses["mean"].min(), losses["mean"].iloc[0]
    if start > lowest:
        axis.set_ylim(lowest - 0.1 * (start - lowest), lowest + SHOWN_ABOVE_START * (start - lowest))


def _draw_bounds(axis: Axes, runs: pd.DataFrame) -> None:
    for bound, style in BOUNDS.items():
        for number, rate in enumerate(runs[bound].dropna()):
            label = BOUND_LABELS[bound] if number == 0 else None
            axis.axvline(rate, color="black", lw=1, ls=style, alpha=0.6, label=label)
