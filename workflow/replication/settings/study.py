"""A study: one report's experiment as data."""

import difflib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from fnmatch import filter as matching
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, model_validator

from replication.settings.arm import Arm, Overrides
from replication.settings.base import Section
from replication.settings.claims import EPOCH_RULE, Claim, Epoch, Identifier, Statement
from replication.settings.ensembles import Ensemble
from replication.settings.grid import Grid, expand
from replication.settings.measures import MeasureName
from replication.settings.questions import Question
from replication.settings.rankings import Contest, Ranking, contest_of
from replication.settings.searches import Search
from replication.settings.validation import unknown_name

Scale = Literal["demo", "laptop", "paper"]
SMALLER_SCALES: tuple[Scale, ...] = ("demo", "laptop")
MOST_SEEDS = 10_000  # each is a job of every arm
MANY = 20  # names: too many for a message


class ScaleOverrides(Section):
    """What a smaller scale changes."""

    seeds: int | None = Field(default=None, ge=1, le=MOST_SEEDS, description="Runs of each arm.")
    substitute: dict[str, str] = Field(
        default={}, description="Data set of the report: data set used instead."
    )
    only: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="The arms that this scale trains, as patterns in which a star stands for anything; null: all. "
        "Claims that need another arm are then `not run`.",
    )
    settings: Overrides = Field(default={}, description="Changed for all arms.")
    arms: dict[str, Overrides] = Field(default={}, description="Changed for one arm, last of all.")


class Scales(Section):
    """What `demo` and `laptop` change; `paper` is the study's own settings."""

    demo: ScaleOverrides
    laptop: ScaleOverrides


class Column(Section):
    """One column of a results table."""

    heading: str
    measure: MeasureName = Field(
        description="What is measured: a column of the tables of runs or of history."
    )
    epoch: Epoch = Field(default="last", description=EPOCH_RULE)


class Table(Section):
    """A results table of the report, arm by arm."""

    id: Identifier
    title: str
    arms: Annotated[list[str], Field(min_length=1)]
    columns: Annotated[list[Column], Field(min_length=1)]


class Study(Section):
    """One file of `config/studies/`."""

    title: str
    report: str = Field(description="File name of the report.")
    description: str = Field(description="What the report did, and how we read it.")
    seeds: int = Field(
        ge=1, le=MOST_SEEDS, description="Runs of each arm at paper scale, with the seeds 1, 2, 3, ..."
    )
    settings: Overrides = Field(description="As in the report; the settings that all arms share.")
    scales: Scales
    arms: Annotated[dict[Identifier, Arm], Field(min_length=1)] = Field(
        default={}, description="At least one, here or from `grids`."
    )
    grids: list[Grid] = Field(default=[], description="More arms: all combinations of some settings.")
    ensembles: dict[Identifier, Ensemble] = Field(
        default={}, description="Derived arms: what the models of several runs of one seed predict together."
    )
    rankings: list[Ranking] = Field(
        default=[], description="Derived arms: how often the arms of a grid win over its settings."
    )
    searches: dict[Identifier, Search] = Field(
        default={},
        description="Derived arms: what it costs to find a setting among some arms that is good enough.",
    )
    tables: list[Table] = Field(default=[])
    statements: Annotated[list[Statement], Field(min_length=1)]
    questions: list[Question] = Field(
        default=[], description="What is unsaid, to be found by what explains the numbers best."
    )

    @model_validator(mode="after")
    def _grids_are_arms(self) -> "Study":
        self.arms.update(expand(self.grids, self.arms))
        if not self.arms:
            raise ValueError("a study needs arms: add `arms` or `grids`")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> "Study":
        for repeated in _repeated(
            [*self.arms, *self.ensembles, *self.searches, *(n for c in self.contests for n in c.contestants)]
        ):
            raise ValueError(f"two arms are called `{repeated}`: choose another name for the derived one")
        known = {**self.arms, **self.derived_arms}
        for place, arms in self._mentions_of_trained_arms():
            _check_known(place, arms, self.arms)
        for place, arms in self._mentions_of_arms():
            _check_known(place, arms, known)
        for kind, items in (
            ("statement", self.statements),
            ("reading", self.claims),
            ("table", self.tables),
            ("ranking", self.rankings),
            ("question", self.questions),
        ):
            for repeated in _repeated([item.id for item in items]):
                raise ValueError(f"two {kind}s have the id `{repeated}`")
        return self

    @model_validator(mode="after")
    def _questions_can_be_asked(self) -> "Study":
        said = [statement.id for statement in self.statements]
        for question in self.questions:
            place = f"questions, {question.id}"
            if not any(set(question.axes) <= grid.axes.keys() for grid in self.grids):
                raise ValueError(f"{place}, axes: no grid has the axes {', '.join(question.axes)}")
            for name in question.statements or []:
                if name not in said:
                    raise ValueError(f"{place}, statements: {unknown_name('statement', name, said)}")
        return self

    @model_validator(mode="after")
    def _scales_have_their_arms(self) -> "Study":
        for scale in SMALLER_SCALES:
            overrides = self.overrides(scale)
            for pattern in overrides.only or []:
                if not matching(self.arms, pattern):
                    raise ValueError(
                        f"scales, {scale}, only: no arm is called `{pattern}`; {_those_of(self.arms)}"
                    )
            trained = frozenset(self.arms_at(scale))
            for arm in overrides.arms:
                if arm not in trained:
                    raise ValueError(f"scales, {scale}, arms: `{arm}` is not trained there: add it to `only`")
            for contest in self.contests:
                _placed(f"scales, {scale}, only", contest.among, trained)
        return self

    def _mentions_of_arms(self) -> list[tuple[str, list[str]]]:
        return [
            *((f"statements, {claim.id}", claim.arms) for claim in self.claims),
            *((f"tables, {table.id}", table.arms) for table in self.tables),
        ]

    def _mentions_of_trained_arms(self) -> list[tuple[str, list[str]]]:
        return [
            *((f"ensembles, {name}", ensemble.arms) for name, ensemble in self.ensembles.items()),
            *((f"searches, {name}", search.arms) for name, search in self.searches.items()),
            ("scales, demo, arms", list(self.scales.demo.arms)),
            ("scales, laptop, arms", list(self.scales.laptop.arms)),
        ]

    @property
    def claims(self) -> list[Claim]:
        """The readings of all statements."""
        return [claim for statement in self.statements for claim in statement.readings]

    def statement_of(self, claim: str) -> Statement:
        """Return the statement that a reading is of."""
        return next(s for s in self.statements if claim in [reading.id for reading in s.readings])

    @property
    def derived_arms(self) -> dict[str, str]:
        """The arms that are not trained, with their titles."""
        titles = {name: ensemble.title for name, ensemble in self.ensembles.items()}
        titles |= {name: search.title for name, search in self.searches.items()}
        for contest in self.contests:
            titles |= contest.titles
        return titles

    @cached_property
    def contests(self) -> list[Contest]:
        """The rankings, with who is compared where."""
        return [
            _placed(f"rankings, {ranking.id}", contest_of, ranking, self.grids) for ranking in self.rankings
        ]

    def trained_arms(self, arm: str) -> list[str]:
        """Return the arms whose runs stand behind an arm: itself, or those that it is derived from."""
        if arm in self.ensembles:
            return self.ensembles[arm].arms
        if arm in self.searches:
            return self.searches[arm].arms
        return next((contest.arms for contest in self.contests if arm in contest.contestants), [arm])

    def note_of(self, derived_arm: str) -> str | None:
        """Return the note of a derived arm, if it has one."""
        if derived_arm in self.ensembles:
            return self.ensembles[derived_arm].note
        if derived_arm in self.searches:
            return self.searches[derived_arm].note
        return next(
            (contest.ranking.note for contest in self.contests if derived_arm in contest.contestants), None
        )

    def arms_at(self, scale: Scale) -> list[str]:
        """Return the arms that `scale` trains."""
        patterns = self.overrides(scale).only
        if patterns is None:
            return list(self.arms)
        chosen = {arm for pattern in patterns for arm in matching(self.arms, pattern)}
        return [arm for arm in self.arms if arm in chosen]

    def contests_at(self, scale: Scale) -> list[Contest]:
        """Return the rankings of what `scale` trains; those of which nothing is left are without contestants."""
        trained = frozenset(self.arms_at(scale))
        return [contest.among(trained) for contest in self.contests]

    def left_out(self, scale: Scale) -> frozenset[str]:
        """Return the arms, derived ones included, that `scale` has no runs for."""
        trained = frozenset(self.arms_at(scale))
        made = {
            arm for arm in (*self.ensembles, *self.searches) if trained.issuperset(self.trained_arms(arm))
        }
        ranked = {name for contest in self.contests_at(scale) for name in contest.contestants}
        return frozenset({*self.arms, *self.derived_arms} - trained - made - ranked)

    def overrides(self, scale: Scale) -> ScaleOverrides:
        """Return what `scale` changes: nothing at paper scale."""
        return ScaleOverrides() if scale == "paper" else getattr(self.scales, scale)


def _check_known(place: str, arms: Iterable[str], known: Mapping[str, object]) -> None:
    for arm in arms:
        if arm not in known:
            raise ValueError(f"{place}: no arm `{arm}`; {_those_of(known, arm)}")


def _those_of(known: Iterable[str], wrong: str = "") -> str:
    """Return the names of arms, or where they are many those that are near a wrong one."""
    names = list(known)
    if len(names) > MANY:
        names = [*(difflib.get_close_matches(wrong, names, n=3) or names[:3]), "..."]
    return f"the arms are {', '.join(names)}"


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _placed(place: str, function: Callable[..., Contest], *arguments: object) -> Contest:
    """Call a function, and let its errors name the place in the file."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None
