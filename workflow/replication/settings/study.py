"""A study: one report's experiment as data."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from replication.settings.base import Section
from replication.settings.claims import EPOCH_RULE, Claim, Epoch, Identifier, Measure

Scale = Literal["demo", "laptop", "paper"]
Overrides = dict[str, Any]


class Arm(Section):
    """One configuration of the study's comparison."""

    title: str = Field(min_length=1, description="As the report names it.")
    note: str | None = Field(default=None, description="What the report leaves unsaid, and our reading.")
    settings: Overrides = Field(default={}, description="What this arm changes in the study's settings.")


class ScaleOverrides(Section):
    """What a smaller scale changes."""

    seeds: int | None = Field(default=None, ge=1, description="Runs of each arm.")
    substitute: dict[str, str] = Field(
        default={}, description="Data set of the report: data set used instead."
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
    measure: Measure = Field(description="What is measured: a column of the tables of runs or of history.")
    epoch: Epoch = Field(default="last", description=EPOCH_RULE)
    percent: bool = Field(default=False, description="Show shares as percentages.")


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
    seeds: int = Field(ge=1, description="Runs of each arm at paper scale, with the seeds 1, 2, 3, ...")
    settings: Overrides = Field(description="As in the report; the settings that all arms share.")
    scales: Scales
    arms: Annotated[dict[Identifier, Arm], Field(min_length=1)]
    tables: list[Table] = Field(default=[])
    claims: Annotated[list[Claim], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_exist(self) -> "Study":
        for place, arms in self._mentions_of_arms():
            for arm in arms:
                if arm not in self.arms:
                    raise ValueError(f"{place}: no arm `{arm}`; the arms are {', '.join(self.arms)}")
        for kind, ids in (("claim", [c.id for c in self.claims]), ("table", [t.id for t in self.tables])):
            for repeated in sorted({i for i in ids if ids.count(i) > 1}):
                raise ValueError(f"two {kind}s have the id `{repeated}`")
        return self

    def _mentions_of_arms(self) -> list[tuple[str, list[str]]]:
        return [
            *((f"claims, {claim.id}", claim.arms) for claim in self.claims),
            *((f"tables, {table.id}", table.arms) for table in self.tables),
            ("scales, demo, arms", list(self.scales.demo.arms)),
            ("scales, laptop, arms", list(self.scales.laptop.arms)),
        ]

    def overrides(self, scale: Scale) -> ScaleOverrides:
        """Return what `scale` changes: nothing at paper scale."""
        return ScaleOverrides() if scale == "paper" else getattr(self.scales, scale)
