"""Statements: what a report says; and their readings, the claims that can be checked."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from replication.settings.base import Section
from replication.settings.measures import EPOCH_MEASURES, MeasureName

Epoch = Literal["last", "best"] | Annotated[int, Field(ge=1)]
EPOCH_RULE = (
    "last: the last epoch trained. best: the epoch of the lowest validation loss. A number: after that epoch."
)
IDENTIFIER = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Identifier = Annotated[str, Field(pattern=IDENTIFIER)]


Side = Literal["both", "at_least", "at_most"]
SIDE = (
    "both: neither more nor less. at_least: more is no contradiction. at_most: less is none. "
    "As the words have it: without compromising is at_least, no significant benefit is at_most."
)


class Margin(Section):
    """How far from the stated value still counts as the same; fixed before the run."""

    absolute: float | None = Field(default=None, ge=0, description="In the unit of the measure.")
    binomial_images: int | None = Field(
        default=None,
        ge=1,
        description="Number of test images: the margin is two binomial standard errors of the reported share on them.",
    )
    reason: str = Field(min_length=1, description="Why this margin.")

    @model_validator(mode="after")
    def _one_kind(self) -> "Margin":
        if (self.absolute is None) == (self.binomial_images is None):
            raise ValueError("give one of `absolute` and `binomial_images`")
        return self


class LeastEffect(Section):
    """What a difference must exceed where words such as "dramatically" ask for a size; fixed before the run."""

    absolute: float | None = Field(default=None, gt=0, description="In the unit of the measure.")
    relative: float | None = Field(
        default=None, gt=0, description="As a share of the other arm's value: 0.5 is half of it."
    )
    reason: str = Field(min_length=1, description="Why this size.")

    @model_validator(mode="after")
    def _one_kind(self) -> "LeastEffect":
        if (self.absolute is None) == (self.relative is None):
            raise ValueError("give one of `absolute` and `relative`")
        return self


class _Claim(Section):
    id: Identifier | Literal[""] = Field(
        default="", description="Unique within its study; where there is one reading: as its statement."
    )
    reading: str | None = Field(
        default=None, description="What we took the words to mean, where they leave room."
    )
    measure: MeasureName = Field(
        description="What is measured: a column of the tables of runs or of history."
    )
    epoch: Epoch = Field(default="last", description=EPOCH_RULE)


class _ComparedArms(_Claim):
    arm: str
    minus: str | None = Field(
        default=None, description="Another arm: the claim is about the first arm's value minus this one's."
    )
    minus_epoch: Epoch | None = Field(default=None, description="Its epoch; null: the same rule.")
    margin: Margin
    side: Side = Field(default="both", description=SIDE)

    @property
    def arms(self) -> list[str]:
        """The arms that the claim needs."""
        return [self.arm] if self.minus is None else [self.arm, self.minus]

    @model_validator(mode="after")
    def _epoch_of_an_arm(self) -> "_ComparedArms":
        if self.minus_epoch is not None and self.minus is None:
            raise ValueError("`minus_epoch` goes with `minus`: add that, or delete this")
        return self


class ValueClaim(_ComparedArms):
    """A number that the report gives, of one run: a further run of ours might have had it, but for the margin."""

    kind: Literal["value", "epoch count", "cost"]
    expected: float

    @model_validator(mode="after")
    def _share_for_binomial(self) -> "ValueClaim":
        if self.margin.binomial_images is not None and not 0 <= self.expected <= 1:
            raise ValueError("margin: binomial_images needs an expected share between 0 and 1")
        return self


class DifferenceClaim(_ComparedArms):
    """No difference that matters: the mean of `arm` minus that of `minus` lies within the margin around 0."""

    kind: Literal["difference"]
    minus: str = Field(description="The arm that it is compared with.")

    @model_validator(mode="after")
    def _margin_in_the_unit(self) -> "DifferenceClaim":
        if self.margin.absolute is None:
            raise ValueError("margin: a difference needs an `absolute` one, in the unit of its measure")
        return self


class OrderClaim(_Claim):
    """An order: `arm` has the higher (or lower) mean than each of `than`, by more than the least effect if given."""

    kind: Literal["order"]
    arm: str
    direction: Literal["higher", "lower"]
    than: Annotated[list[str], Field(min_length=1)]
    than_epoch: Epoch | None = Field(default=None, description="Epoch of the others; null: the same rule.")
    least: LeastEffect | None = Field(
        default=None, description="The size that the words ask for; null: any difference will do."
    )

    @property
    def arms(self) -> list[str]:
        """The arms that the claim needs."""
        return [self.arm, *self.than]


class EventClaim(_Claim):
    """Something that each run either shows or does not: divergence, or a shape of its curve."""

    kind: Literal["divergence", "shape"]
    arm: str
    expected: bool = Field(description="Whether the report says that it happens.")
    event: Literal["second_descent", "no_convergence", "stopped_too_early"]
    reference: str | None = Field(
        default=None,
        description="no_convergence: the arm to compare with, by seed. stopped_too_early: the same arm without early "
        "stopping.",
    )
    threshold: float = Field(
        gt=0, description="See the events in replication/analysis/events.py for its unit."
    )
    reason: str = Field(min_length=1, description="Why this threshold.")

    @property
    def arms(self) -> list[str]:
        """The arms that the claim needs."""
        return [self.arm] if self.reference is None else [self.arm, self.reference]

    @model_validator(mode="after")
    def _reference_where_needed(self) -> "EventClaim":
        if (self.reference is not None) != (self.event != "second_descent"):
            raise ValueError(
                "`reference` goes with the event no_convergence or stopped_too_early, and only with these"
            )
        if self.event == "stopped_too_early" and not self.measure.endswith("_loss"):
            raise ValueError(f"measure: stopped_too_early is read off a loss, not off {self.measure}")
        return self

    @model_validator(mode="after")
    def _measured_every_epoch(self) -> "EventClaim":
        if self.measure not in EPOCH_MEASURES:
            raise ValueError(f"measure: an event is read off a curve; valid: {', '.join(EPOCH_MEASURES)}")
        return self


Claim = Annotated[ValueClaim | DifferenceClaim | OrderClaim | EventClaim, Field(discriminator="kind")]


class Statement(Section):
    """What a report says. It is as good as its plainest reading; the others show whether the reading matters."""

    id: Identifier = Field(description="Unique within its study.")
    section: str = Field(min_length=1, description="Section of the report.")
    quote: str = Field(min_length=1, description="The report's own words, in short.")
    plainest: Identifier | None = Field(
        default=None, description="Id of the reading that the words suggest first, where there are several."
    )
    readings: Annotated[list[Claim], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _name_an_only_reading(cls, data: Any) -> Any:
        """Give an only reading the id of its statement."""
        match data:
            case {"id": str(name), "readings": [dict(only)]}:
                only = {"id": name, **only}
                return {"plainest": only["id"], **data, "readings": [only]}
        return data

    @model_validator(mode="after")
    def _one_is_plainest(self) -> "Statement":
        names = [claim.id for claim in self.readings]
        if "" in names:
            raise ValueError("readings: each of several needs an `id`")
        if self.plainest not in names:
            raise ValueError(f"plainest: name one of the readings {', '.join(names)}")
        return self
