"""Grids: arms for all combinations of the values of some axes."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from string import Formatter
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from replication.settings.arm import Arm, Overrides, merge
from replication.settings.base import Section
from replication.settings.claims import IDENTIFIER

Axis = Annotated[dict[str, Overrides], Field(min_length=1)]
AxisName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Grid(Section):
    """Arms for all combinations of the values of some axes."""

    arm: str = Field(description="Names of the arms, each axis in braces: `{profile}-{budget}`.")
    title: str = Field(
        min_length=1, description="Titles of the arms, each axis in braces, which its values replace."
    )
    titles: dict[str, str] = Field(
        default={}, description="Values of any axis: how titles write them, as `{rex: REX}`."
    )
    note: str | None = Field(default=None, description="Of all these arms, as an arm's own.")
    axes: Annotated[dict[AxisName, Axis], Field(min_length=1)] = Field(
        description="For each axis, from a value to the settings that it changes. Merged in the order of the axes, "
        "key by key, as an arm's settings are over the study's."
    )

    @field_validator("arm", "title")
    @classmethod
    def _is_a_template(cls, template: str) -> str:
        for _, _, form, conversion in Formatter().parse(template):
            if form or conversion:
                raise ValueError("write nothing but the name of an axis between braces")
        return template

    @model_validator(mode="after")
    def _names_all_axes(self) -> "Grid":
        for key in ("arm", "title"):
            check_placeholders(getattr(self, key), self.axes, key, "axis")
        values = {value for axis in self.axes.values() for value in axis}
        for value in self.titles:
            if value not in values:
                raise ValueError(f"titles: no axis has the value `{value}`: correct it or delete it")
        return self

    def arms(self) -> Iterator[tuple[str, Arm]]:
        """Yield name and arm of each combination, the last axis changing fastest.

        Raises
        ------
        ValueError
            A name is not one that an arm may have.
        """
        for chosen in self.combinations():
            name = self.arm.format_map(chosen)
            if not re.fullmatch(IDENTIFIER, name):
                raise ValueError(
                    f"arm: `{name}` is not a name for an arm: small letters, digits and single hyphens between them"
                )
            title = self.title.format_map(self.in_titles(chosen))
            settings: Overrides = {}
            for axis, value in chosen.items():
                settings = merge(settings, self.axes[axis][value])
            yield name, Arm(title=title, note=self.note, settings=settings)

    def combinations(self, axes: Iterable[str] | None = None) -> Iterator[dict[str, str]]:
        """Yield a value for each of some axes (None: of all), in all combinations, the last changing fastest."""
        names = list(self.axes if axes is None else axes)
        for values in itertools.product(*(self.axes[name] for name in names)):
            yield dict(zip(names, values, strict=True))

    def in_titles(self, chosen: Mapping[str, str]) -> dict[str, str]:
        """Return values as titles write them."""
        return {axis: self.titles.get(value, value) for axis, value in chosen.items()}


def check_placeholders(template: str, names: Iterable[str], key: str, what: str) -> None:
    """Check that a template has each of some names in braces, and nothing else in braces.

    Raises
    ------
    ValueError
        With `key`, the placeholder and the remedy; `what` says what a name is of.
    """
    found = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
    known = list(names)
    for field in found:
        if field not in known:
            raise ValueError(f"{key}: there is no {what} `{field}`; valid: {', '.join(known)}")
    for name in known:
        if name not in found:
            raise ValueError(
                f"{key}: `{{{name}}}` is missing: without it several arms would be called the same"
            )


def expand(grids: Iterable[Grid], arms: Mapping[str, Arm]) -> dict[str, Arm]:
    """Return `arms` and those of the grids, in this order.

    Raises
    ------
    ValueError
        Two arms have the same name, or a name is not one that an arm may have.
    """
    known = dict(arms)
    for number, grid in enumerate(grids):
        for name, arm in grid.arms():
            if name in known:
                raise ValueError(f"grids, {number}: two arms are called `{name}`: change `arm` or a value")
            known[name] = arm
    return known
