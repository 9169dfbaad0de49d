"""Rankings: who wins over the settings of a grid."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from replication.settings.base import Section
from replication.settings.claims import EPOCH_RULE, Epoch, Identifier
from replication.settings.grid import Grid, check_placeholders
from replication.settings.measures import EpochMeasureName


class Ranking(Section):
    """The arms of a grid, ranked within each of its settings; each contestant becomes a derived arm."""

    id: Identifier = Field(
        description="Unique within its study. The derived arms are `<id>-<contestant>`, a contestant being the values "
        "of the axes that are not in `over`, joined by hyphens in the order of the axes."
    )
    title: str = Field(
        min_length=1, description="Titles of the derived arms, each axis that is not in `over` in braces."
    )
    note: str | None = Field(default=None, description="What the report leaves unsaid, and our reading.")
    arm: str = Field(description="Of the grid to rank: the same text as its `arm`.")
    over: Annotated[list[str], Field(min_length=1)] = Field(
        description="The axes of the grid whose values are the settings; those of the others are the contestants."
    )
    measure: EpochMeasureName = Field(description="What is compared: a column of history.")
    epoch: Epoch = Field(default="last", description=EPOCH_RULE)
    direction: Literal["higher", "lower"] = Field(description="Which is better.")


@dataclass(frozen=True)
class Contest:
    """A ranking with its grid: who is compared where.

    Attributes
    ----------
    contestants
        Derived arm: its arms, one for each setting, in one order for all.
    titles
        Derived arm: its title.
    settings
        Where they are compared: the values of the axes of `over`, joined by hyphens.
    """

    ranking: Ranking
    contestants: Mapping[str, tuple[str, ...]]
    titles: Mapping[str, str]
    settings: tuple[str, ...]

    @property
    def arms(self) -> list[str]:
        """All arms that are compared, and thus stand behind every rank."""
        return [arm for arms in self.contestants.values() for arm in arms]

    def among(self, trained: frozenset[str]) -> "Contest":
        """Return what remains where only some arms are trained: settings and contestants without any are left out.

        Raises
        ------
        ValueError
            A contestant lacks an arm in a setting in which others have theirs: ranks would mean nothing.
        """
        left = {name: arms for name, arms in self.contestants.items() if not trained.isdisjoint(arms)}
        if not left:
            return Contest(self.ranking, {}, {}, ())
        settings = [any(arm in trained for arm in setting) for setting in zip(*left.values(), strict=True)]
        kept = {
            name: tuple(arm for arm, there in zip(arms, settings, strict=True) if there)
            for name, arms in left.items()
        }
        for arms in kept.values():
            for arm in arms:
                if arm not in trained:
                    raise ValueError(
                        f"the ranking `{self.ranking.id}` needs the arm `{arm}` too, since it has others of its "
                        "contestant and its setting: add it, or take those away"
                    )
        where = tuple(name for name, there in zip(self.settings, settings, strict=True) if there)
        return Contest(self.ranking, kept, {name: self.titles[name] for name in kept}, where)


def contest_of(ranking: Ranking, grids: Iterable[Grid]) -> Contest:
    """Find the grid of a ranking, and return who is compared where.

    Raises
    ------
    ValueError
        There is no such grid or axis, or there is nothing to compare.
    """
    grid = _grid_of(ranking, grids)
    axes = [axis for axis in grid.axes if axis not in ranking.over]
    if not axes:
        raise ValueError("over: holds all axes of the grid, and leaves no contestants: delete one")
    check_placeholders(ranking.title, axes, "title", "axis of the contestants")
    settings = list(grid.combinations(ranking.over))
    contestants, titles = {}, {}
    for chosen in grid.combinations(axes):
        name = "-".join([ranking.id, *chosen.values()])
        if name in contestants:
            raise ValueError(f"id: two derived arms are called `{name}`: change a value of an axis")
        contestants[name] = tuple(grid.arm.format_map(chosen | setting) for setting in settings)
        titles[name] = ranking.title.format_map(grid.in_titles(chosen))
    return Contest(ranking, contestants, titles, tuple("-".join(setting.values()) for setting in settings))


def _grid_of(ranking: Ranking, grids: Iterable[Grid]) -> Grid:
    by_arm = {grid.arm: grid for grid in grids}
    if ranking.arm not in by_arm:
        raise ValueError(
            f"arm: no grid has the arms `{ranking.arm}`; there are: {', '.join(by_arm) or 'none'}"
        )
    grid = by_arm[ranking.arm]
    for axis in ranking.over:
        if axis not in grid.axes:
            raise ValueError(f"over: the grid has no axis `{axis}`; valid: {', '.join(grid.axes)}")
    return grid
