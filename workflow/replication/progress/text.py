"""How far the runs are, for a reader at a terminal."""

import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from replication.progress.run_state import State
from replication.progress.survey import Survey, SurveyedRun, TimeLeft, counts, last_accuracy
from replication.report.formatting import counted
from replication.system.missing import MISSING

SHOWN = 10  # runs of a study in each state, where not all are asked for
SHOWN_STATES = (State.RUNNING, State.FAILED, State.STOPPED)
STATES = (State.FINISHED, *SHOWN_STATES)
NAME = 46
BAR = 30
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def progress_text(survey: Survey, now: datetime, *, every_arm: bool = False) -> str:
    """Return a survey as text: all runs, each study, and below it the runs that are under way or failed.

    Parameters
    ----------
    now
        When it was made, in the reader's time zone.
    every_arm
        A line for each arm too, and each run that is under way or failed, however many there are.
    """
    lines = [*_head(survey, now), "", _row("study", *STATES, "all", "to do")]
    for study, runs in survey.by_study.items():
        lines.append(_counts(survey, study, runs))
        lines += _arms(survey, runs) if every_arm else []
        lines += _single_runs(survey, runs, None if every_arm else SHOWN)
    return "\n".join([*lines, *_unknown(survey)])


def _head(survey: Survey, now: datetime) -> Iterator[str]:
    total, done = len(survey.runs), counts(survey.runs)
    share = done[State.FINISHED] / total if total else 1.0
    bar = "#" * int(BAR * share)
    states = ", ".join(f"{done[state]:,} {state}" for state in (*SHOWN_STATES, State.WAITING))
    yield f"{survey.scale}: {done[State.FINISHED]:,} of {total:,} runs finished; {states}"
    yield f"[{bar:.<{BAR}}] {share:.0%}, {now:%Y-%m-%d %H:%M}"
    yield _end(survey, now)


def _end(survey: Survey, now: datetime) -> str:
    """Say when all will be finished, as far as that is known."""
    left = survey.time_left(survey.runs)
    running = counts(survey.runs)[State.RUNNING]
    if not left.seconds and not left.unknown:
        return "Nothing is left to train."
    if not left.seconds:
        return "Time left: not known before a run has finished, or `snakemake forecast` has measured"
    least = "at least " if left.unknown else "about "
    if not running:
        return f"Time left: {least}{duration(left.seconds)} of runs, one at a time; none is running"
    wall = left.wall(running)
    end = now + timedelta(seconds=wall)
    when = f"{end:%H:%M}" if wall < DAY else f"{end:%a %d %b %H:%M}"
    when += " at the earliest" if left.unknown else ""
    return f"Time left: {least}{duration(wall)} with {running} at a time, as now: until {when}"


def _row(name: str, *cells: object) -> str:
    return f"{name:<{NAME}}" + "".join(f"{cell:>9}" for cell in cells)


def _counts(survey: Survey, name: str, runs: Sequence[SurveyedRun]) -> str:
    number = counts(runs)
    cells = (number[state] or "" for state in STATES)
    return _row(name, *cells, len(runs), _left(survey.time_left(runs)))


def _left(left: TimeLeft) -> str:
    """Return the work left, as of one run after the other."""
    if not left.seconds:
        return "?" if left.unknown else MISSING
    return f"{'>' if left.unknown else ''}{duration(left.seconds)}"


def _arms(survey: Survey, runs: Sequence[SurveyedRun]) -> Iterator[str]:
    arms: dict[str, list[SurveyedRun]] = {}
    for run in runs:
        arms.setdefault(run.arm, []).append(run)
    for arm, own in arms.items():
        finished = [run for run in own if run.found.state == State.FINISHED]
        values = [value for run in finished if (value := last_accuracy(run)) is not None]
        mean = f"  accuracy {statistics.fmean(values):.2%}" if values else ""
        yield _counts(survey, f"  {arm}", own) + mean


def _single_runs(survey: Survey, runs: Sequence[SurveyedRun], most: int | None) -> Iterator[str]:
    for state in SHOWN_STATES:
        own = [run for run in runs if run.found.state == state]
        yield from (_single_run(survey, run) for run in own[:most])
        if most is not None and len(own) > most:
            yield f"    and {len(own) - most:,} more {state}: `--all` lists them"


def _single_run(survey: Survey, run: SurveyedRun) -> str:
    state = run.found.state
    if state == State.FAILED:
        return f"    failed: {run.name}: {run.log}: {run.found.note}"
    told = run.under_way
    parts = [f"epoch {told.epochs} of {run.budget}" if told else f"no epoch of {run.budget} saved yet"]
    if told and told.accuracy is not None:
        parts.append(f"accuracy {told.accuracy:.2%}")
    left = survey.left_of(run)
    if state == State.RUNNING:
        parts.append("time left not known" if left is None else f"{duration(left)} left")
    return f"    {state}: {run.name}: {', '.join([*parts, run.found.note])}"


def _unknown(survey: Survey) -> Iterator[str]:
    """Say what the numbers above rest on, and what is not known."""
    left = survey.time_left(survey.runs)
    yield ""
    if left.seconds:
        yield f"Times: {_source(survey)}. Runs that may stop early count in full."
    if left.unknown:
        yield f"Not known: how long {left.unknown:,} of the runs will take (`snakemake forecast` measures it)."
    yield "Accuracies are the last on validation images. Planned is what config/config.yaml and --config say."
    if survey.unplanned:
        yield f"{counted(survey.unplanned, 'run')} beside the plan: of another `only` or `seeds`, or of other studies."


def _source(survey: Survey) -> str:
    if survey.correction is not None:
        return (
            f"as finished runs of the arm took, else the forecast times {survey.correction:.2f}, as they took"
        )
    if survey.forecast:
        return "the forecast, and the pace of those under way"
    return "as finished runs of the arm took, else the pace of those under way"


def duration(seconds: float) -> str:
    """Return a duration in the unit that suits it, such as `40 s`, `12 min`, `3.4 h` or `2.1 days`."""
    if seconds < MINUTE:
        return f"{seconds:.0f} s"
    if seconds < HOUR:
        return f"{seconds / MINUTE:.0f} min"
    return f"{seconds / HOUR:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} d"
