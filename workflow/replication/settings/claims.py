"""Claims: what a report says, in a form that can be checked."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from replication.settings.base import Section
from replication.settings.measures import EPOCH_MEASURES, MeasureName

Epoch = Literal["last", "best"] | Annotated[int, Field(ge=1)]
EPOCH_RULE = (
    "last: the last epoch trained. best: the epoch of the lowest validation loss. A number: after that epoch."
)
IDENTIFIER = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Identifier = Annotated[str, Field(pattern=IDENTIFIER)]


class Margin(Section):
    """How far from the reported value still counts as the same; fixed before the run."""

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


class _Claim(Section):
    id: Identifier = Field(description="Unique within its study.")
    section: str = Field(min_length=1, description="Section of the report.")
    quote: str = Field(min_length=1, description="The report's own words, in short.")
    reading: str | None = Field(
        default=None, description="What we took the words to mean, where they leave room."
    )
    measure: MeasureName = Field(
        description="What is measured: a column of the tables of runs or of history."
    )
    epoch: Epoch = Field(default="last", description=EPOCH_RULE)


class ValueClaim(_Claim):
    """A number: `arm`'s mean over seeds, or its mean paired difference from `minus`, should be `expected`."""

    kind: Literal["value", "epoch count", "cost"]
    arm: str
    minus: str | None = Field(
        default=None, description="Another arm: the claim is about the paired difference."
    )
    minus_epoch: Epoch | None = Field(default=None, description="Its epoch; null: the same rule.")
    expected: float
    margin: Margin

    @property
    def arms(self) -> list[str]:
        """The arms that the claim needs."""
        return [self.arm] if self.minus is None else [self.arm, self.minus]

    @model_validator(mode="after")
    def _epoch_of_an_arm(self) -> "ValueClaim":
        if self.minus_epoch is not None and self.minus is None:
            raise ValueError("`minus_epoch` goes with `minus`: add that, or delete this")
        return self

    @model_validator(mode="after")
    def _share_for_binomial(self) -> "ValueClaim":
        if self.margin.binomial_images is not None and not 0 <= self.expected <= 1:
            raise ValueError("margin: binomial_images needs an expected share between 0 and 1")
        return self


class OrderClaim(_Claim):
    """An order: `arm` should have the higher (or lower) mean than each of `than`, paired by seed."""

    kind: Literal["order"]
    arm: str
    direction: Literal["higher", "lower"]
    than: Annotated[list[str], Field(min_length=1)]
    than_epoch: Epoch | None = Field(default=None, description="Epoch of the others; null: the same rule.")

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


Claim = Annotated[ValueClaim | OrderClaim | EventClaim, Field(discriminator="kind")]
