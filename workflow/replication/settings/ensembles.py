"""Ensembles: models whose predicted probabilities are averaged."""

from typing import Annotated, Literal

from pydantic import Field

from replication.settings.base import Section


class Member(Section):
    """Snapshots of one arm, of the same seed."""

    arm: str
    snapshots: Literal["all", "last"] = Field(
        default="last", description="Which of its `snapshot_epochs`: all of them, or the last one."
    )


class Ensemble(Section):
    """The mean of the class probabilities of its members' snapshots, each with equal weight."""

    title: str = Field(min_length=1)
    note: str | None = Field(default=None, description="What the report leaves unsaid, and our reading.")
    members: Annotated[list[Member], Field(min_length=1)]

    @property
    def arms(self) -> list[str]:
        """The trained arms that it is made of."""
        return list(dict.fromkeys(member.arm for member in self.members))
