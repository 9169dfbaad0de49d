"""Learning-rate schedules.

Times are in epochs. Multipliers are relative to the base learning rate of the arm, which for the cyclical and
1cycle schedules is the highest one. With a warm-up, a schedule's own time and budget start at its end.
"""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from replication.settings.base import Section


def increasing(numbers: list[float]) -> list[float]:
    """Return the numbers if each is above the one before it."""
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise ValueError("should increase from each number to the next")
    return numbers


def _distinct(numbers: list[float]) -> list[float]:
    if len(set(numbers)) < len(numbers):
        raise ValueError("should not hold a number twice")
    return numbers


Positive = Annotated[float, Field(gt=0)]
OpenFraction = Annotated[float, Field(gt=0, lt=1)]
Floor = Annotated[float, Field(ge=0, lt=1)]
FINAL = "Multiplier at the end of the budget."
SAMPLING = "How often the multiplier is read from the curve; it is held in between."


class EveryStep(Section):
    """Read the curve at every optimizer step."""

    name: Literal["every_step"]


class EveryEpoch(Section):
    """Read the curve at the start of every epoch."""

    name: Literal["every_epoch"]


class EveryPercent(Section):
    """Read the curve each time that another share of the budget has passed."""

    name: Literal["every_percent"]
    percent: float = Field(gt=0, le=100, description="Share of the budget between two readings, in percent.")


class AtFractions(Section):
    """Read the curve at the start and at chosen points of the budget."""

    name: Literal["at_fractions"]
    fractions: Annotated[list[OpenFraction], Field(min_length=1), AfterValidator(increasing)] = Field(
        description="Shares of the budget, increasing: [0.5, 0.75] reads at half and at three quarters."
    )


SamplingSettings = Annotated[EveryStep | EveryEpoch | EveryPercent | AtFractions, Field(discriminator="name")]
EVERY_STEP = EveryStep(name="every_step")
EVERY_EPOCH = EveryEpoch(name="every_epoch")


class WarmUp(Section):
    """A low start that leads to the first value of the schedule, and is joined before it."""

    name: Literal["linear", "exponential", "constant"] = Field(
        description="linear: rise by equal amounts. exponential: by equal factors. constant: hold, then jump."
    )
    epochs: float = Field(gt=0, description="Length, out of the budget, in epochs; rounded to whole steps.")
    start: Floor = Field(
        description="Multiplier at step 0, relative to the schedule's first value; above 0 unless linear."
    )
    sampling: SamplingSettings = Field(default=EVERY_STEP, description=SAMPLING)

    @model_validator(mode="after")
    def _start_trains(self) -> Self:
        if self.name != "linear" and self.start == 0:
            raise ValueError(f"{self.name} warm-up should start above 0")
        return self


class PureSchedule(Section):
    """What all schedules that depend on the step alone have in common."""

    name: str
    sampling: SamplingSettings = Field(default=EVERY_EPOCH, description=SAMPLING)
    warm_up: WarmUp | None = Field(default=None, description="null: start with the schedule itself.")


class Constant(PureSchedule):
    """The base learning rate throughout."""

    name: Literal["constant"]


class Step(PureSchedule):
    """A drop after every `step_epochs` epochs."""

    name: Literal["step"]
    step_epochs: Positive = Field(description="Epochs between drops.")
    gamma: OpenFraction = Field(default=0.1, description="Factor of each drop. torch's default.")


class MultiStep(PureSchedule):
    """A drop at each milestone."""

    name: Literal["multi_step"]
    milestones: Annotated[list[Positive], Field(min_length=1), AfterValidator(increasing)] = Field(
        description="Epochs at which to drop, increasing; counted from the end of the warm-up."
    )
    of_budget: bool = Field(default=False, description="true: milestones are shares of the budget, as 0.5.")
    gamma: OpenFraction = Field(default=0.1, description="Factor of each drop. torch's default.")


class Exponential(PureSchedule):
    """decay_rate ** (epochs / decay_epochs)."""

    name: Literal["exponential"]
    decay_rate: OpenFraction = Field(description="Factor of the decay over `decay_epochs`.")
    decay_epochs: Positive = Field(default=1.0, description="Epochs over which `decay_rate` applies once.")
    staircase: bool = Field(
        default=False, description="true: drop once every `decay_epochs`. false: continuously."
    )


class Geometric(PureSchedule):
    """Decay by equal factors over the budget: the exponential profile of arXiv:2107.04197."""

    name: Literal["geometric"]
    final: OpenFraction = Field(description=FINAL)


class FlooredExponential(PureSchedule):
    """floor + (1 - floor) exp(-rate p), p the share of the budget: the exponential of report 002's code."""

    name: Literal["floored_exponential"]
    floor: OpenFraction = Field(description="Multiplier that it falls towards: 0.01 in that code.")
    rate: Positive = Field(
        description="Times that it falls by a factor of e over the budget: 4 in that code."
    )


class Linear(PureSchedule):
    """Decay by equal amounts over the budget."""

    name: Literal["linear"]
    final: Floor = Field(default=0.0, description=FINAL)


class Polynomial(PureSchedule):
    """Decay with a power of the budget that remains."""

    name: Literal["polynomial"]
    power: Positive = Field(default=1.0, description="1: linear; above: faster at first. torch's default.")
    final: Floor = Field(default=0.0, description=FINAL)


class InversePower(PureSchedule):
    """(s / (s + epochs)) ** power, s being the time scale: inverse square root, time-based decay and their kin."""

    name: Literal["inverse_power"]
    time_scale_epochs: Positive = Field(
        description="Time scale s, in epochs. Keras' `decay` is 1 / (s times the steps of an epoch)."
    )
    power: Positive = Field(
        description="0.5: inverse square root (arXiv:2106.04560); after a linear warm-up of s epochs, that of the "
        "Transformer. 1: time-based decay. scikit-learn's invscaling: its power_t, with s one sample."
    )


def _power_of_two(number: int) -> int:
    if number.bit_count() != 1:
        raise ValueError("should be a power of two, as 32")
    return number


class Fractal(PureSchedule):
    """The step sizes of Chebyshev iteration in fractal order, repeated (arXiv:2103.01338)."""

    name: Literal["fractal"]
    nodes: Annotated[int, Field(ge=1, le=2**16), AfterValidator(_power_of_two)] = Field(
        description="Number of step sizes: the paper's T, a power of two."
    )
    condition: float = Field(
        gt=1, description="Highest over lowest curvature: nearly highest over lowest rate."
    )
    steps_per_node: int = Field(
        default=1, ge=1, description="Optimizer steps with each of them: our reading."
    )
    sampling: SamplingSettings = Field(default=EVERY_STEP, description=SAMPLING)


class Cosine(PureSchedule):
    """Half a cosine over the budget, without restarts."""

    name: Literal["cosine"]
    final: Floor = Field(default=0.0, description=FINAL)


class Sgdr(PureSchedule):
    """Cosines with warm restarts (arXiv:1608.03983)."""

    name: Literal["sgdr"]
    first_cycle_epochs: float = Field(ge=1, description="Epochs of the first cycle: T_0.")
    cycle_multiplier: int = Field(
        default=1, ge=1, description="Length of each cycle over the one before: T_mult."
    )
    final: Floor = Field(default=0.0, description="Multiplier that each cycle falls to.")


class Rex(PureSchedule):
    """Reflected exponential over the budget (arXiv:2107.04197)."""

    name: Literal["rex"]
    curvature: OpenFraction = Field(
        default=0.5, description="0.5, the paper's: 2/3 half-way. 0.9, that of report 002's code: 0.909."
    )


class Cycles(PureSchedule):
    """What Smith's cyclical schedules share."""

    half_cycle_epochs: Positive = Field(description="Epochs from lowest to highest: Smith's stepsize.")
    minimum: Floor = Field(description="Lowest learning rate, as a fraction of the highest.")
    sampling: SamplingSettings = Field(default=EVERY_STEP, description=SAMPLING)


class Triangular(Cycles):
    """Linear cycles of equal height (arXiv:1506.01186)."""

    name: Literal["triangular"]


class Triangular2(Cycles):
    """Linear cycles, each half as high as the last (arXiv:1506.01186)."""

    name: Literal["triangular2"]


class ExpRange(Cycles):
    """Linear cycles whose height shrinks at every step (arXiv:1506.01186)."""

    name: Literal["exp_range"]
    gamma: float = Field(gt=0, le=1, description="Factor of the height for each optimizer step, as in torch.")


class RangeReading(Section):
    """How a learning-rate range is read off the training losses of a range test."""

    smoothing: float = Field(
        default=0.9,
        ge=0,
        lt=1,
        description="Share of the mean loss that is carried over from step to step: 0.9 averages about ten steps.",
    )
    fall_share: OpenFraction = Field(
        default=0.1,
        description="The range begins at the rate where the loss has done this share of its fall to its lowest.",
    )
    safety_factor: float = Field(
        default=2.0,
        ge=1,
        description="Rate of the lowest loss over the highest rate of the range. 2: the rule of thumb that Smith "
        "cites, the best rate being within a factor of two of the largest that converges.",
    )
    fallback_factor: float = Field(
        default=4.0,
        gt=1,
        description="Highest over lowest rate, if the loss gives no lowest rate below the highest: Smith's 3 or 4.",
    )


Growth = Literal["linear", "exponential"]
GROWTH = (
    "How the rate rises. linear: as in the paper. exponential: each order of magnitude takes as many steps."
)


class RangeTest(PureSchedule, RangeReading):
    """The learning-rate range test: one rise, to the highest rate at the last step (arXiv:1506.01186, section 3.3)."""

    name: Literal["range_test"]
    minimum: OpenFraction = Field(description="Lowest learning rate, as a fraction of the highest.")
    growth: Growth = Field(default="linear", description=GROWTH)
    sampling: SamplingSettings = Field(default=EVERY_STEP, description=SAMPLING)


class OneCycle(PureSchedule):
    """One rise and one long fall, with momentum the other way: torch's OneCycleLR (arXiv:1708.07120)."""

    name: Literal["one_cycle"]
    warm_fraction: OpenFraction = Field(default=0.3, description="Share of the budget that rises.")
    annealing: Literal["cosine", "linear"] = Field(default="cosine", description="Shape of each phase.")
    three_phases: bool = Field(default=False, description="true: fall to the initial rate first.")
    initial_divisor: float = Field(default=25.0, ge=1, description="Highest over initial rate.")
    final_divisor: float = Field(default=1e4, ge=1, description="Initial over final rate.")
    cycle_momentum: bool = Field(default=True, description="Also cycle the momentum (Adam: beta1).")
    minimum_momentum: Floor = Field(default=0.85, description="Momentum where the rate is highest.")
    maximum_momentum: Floor = Field(default=0.95, description="Momentum at the start and at the end.")
    sampling: SamplingSettings = Field(default=EVERY_STEP, description=SAMPLING)

    @model_validator(mode="after")
    def _phases_and_momentum_fit(self) -> Self:
        if self.three_phases and self.warm_fraction > 0.5:
            raise ValueError("with three_phases, warm_fraction should be at most 0.5: the rise is mirrored")
        if self.minimum_momentum > self.maximum_momentum:
            raise ValueError("minimum_momentum should not exceed maximum_momentum")
        return self


Keyword = bool | int | float | str | list[float]


class OwnFunction(PureSchedule):
    """A function in a file of yours, from progress (0 to 1) to a multiplier; every other key is a setting of it."""

    # Which keys there may be, the function says: they are checked with it.
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Keyword]

    name: Literal["function"]
    file: str = Field(
        min_length=1,
        description="A Python file within the project's folder, by its path there: schedules/wsd.py.",
    )
    function: str = Field(
        min_length=1, description="Its name in the file; it takes progress, and settings by name."
    )
    content_sha256: str | None = Field(
        default=None,
        description="SHA-256 of the file's content. null: filled in, so that an edit of the file retrains its runs. "
        "Where it is written, another content is refused.",
    )
    sampling: SamplingSettings = Field(default=EVERY_STEP, description=SAMPLING)

    @property
    def keywords(self) -> dict[str, Any]:
        """The settings that the function is given by name."""
        return dict(self.__pydantic_extra__)


class ReduceOnPlateau(Section):
    """A drop whenever the monitored value stops improving: torch's ReduceLROnPlateau, but for patience and `eps`."""

    name: Literal["reduce_on_plateau"]
    monitor: Literal["validation_loss", "train_loss"] = Field(
        default="validation_loss",
        description="What should fall. train_loss: the mean over the steps of the epoch.",
    )
    factor: OpenFraction = Field(default=0.1, description="Factor of each drop.")
    patience: int = Field(
        ge=1,
        description="Epochs in a row without improvement after which the rate drops, as Keras counts: "
        "one more than torch's patience.",
    )
    threshold: float = Field(
        default=1e-4, ge=0, description="An improvement must exceed this; one that equals it is none."
    )
    threshold_mode: Literal["rel", "abs"] = Field(
        default="rel", description="rel: the threshold is a share of the best value. abs: a difference."
    )
    best: Literal["improved", "lowest"] = Field(
        default="improved",
        description="What an improvement is measured from. improved: the value of the last improvement, as in torch "
        "and Keras. lowest: the lowest value so far, improvement or not, as in scikit-learn.",
    )
    cooldown: int = Field(default=0, ge=0, description="Epochs after a drop that do not count.")
    minimum_rate: float = Field(
        default=0.0,
        ge=0,
        description="The learning rate never falls below this, and reaches it: torch stops where a drop would be "
        "no larger than its eps, 1e-8.",
    )


class LossProbing(Section):
    """Report 004's scheduler: try factors on copies of the model, take their weighted geometric mean."""

    name: Literal["loss_probing"]
    factors: Annotated[list[Positive], Field(min_length=1), AfterValidator(_distinct)] = Field(
        description="Candidate factors of the current learning rate, as [2, 1, 0.5]."
    )
    batches: int = Field(
        default=1, ge=1, description="Random training batches to average over: our reading of Figure 3."
    )
    images: int | None = Field(
        default=None,
        ge=2,
        description="Random training images to average over, instead of whole batches: our reading of Figure 3.",
    )
    scored_on: Literal["same", "other"] = Field(
        default="same",
        description="Images of the trial losses. same: those of the gradient, our reading. other: as many others.",
    )
    scored_in: Literal["training", "evaluation"] = Field(
        default="training",
        description="Mode of the model in trial losses. training: batch normalisation by the batch, our reading. "
        "evaluation: by its running statistics.",
    )
    interval_epochs: int = Field(default=1, ge=1, description="Epochs between probings: our reading.")
    normalisation: Literal["min_max", "z_score", "sum", "none"] = Field(
        default="min_max", description="How losses are made comparable before scoring: our reading."
    )
    temperature: Positive = Field(
        default=1.0, description="Score = exp(-normalised loss / temperature): our reading."
    )
    minimum_rate: Positive | None = Field(
        default=None, description="Lower bound of the rate. null, none, is our reading."
    )
    maximum_rate: Positive | None = Field(
        default=None, description="Upper bound of the rate. null, none, is our reading."
    )

    @model_validator(mode="after")
    def _batches_or_images(self) -> Self:
        if self.images is not None and self.batches != 1:
            raise ValueError("images takes the place of batches: give one of them")
        return self

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        lowest, highest = self.minimum_rate, self.maximum_rate
        if lowest is not None and highest is not None and lowest >= highest:
            raise ValueError("minimum_rate should be below maximum_rate")
        return self


class RangeTested(RangeReading):
    """Smith's cycles between the rates that a range test at the start of the run suggests (arXiv:1506.01186)."""

    name: Literal["range_tested"]
    policy: Literal["triangular", "triangular2", "exp_range"] = Field(
        default="triangular", description="The schedule that cycles, every step, between the rates found."
    )
    half_cycle_epochs: Positive = Field(description="Epochs from lowest to highest: Smith's stepsize.")
    gamma: float | None = Field(
        default=None, gt=0, le=1, description="exp_range, and only it: factor of the height for each step."
    )
    test_epochs: Positive = Field(
        description="Length of the test in epochs, rounded to whole steps; it is not part of the budget."
    )
    test_minimum_rate: Positive = Field(description="The learning rate of the first step of the test.")
    test_maximum_rate: Positive = Field(description="The learning rate of the last step of the test.")
    growth: Growth = Field(default="linear", description=GROWTH)

    @model_validator(mode="after")
    def _rates_rise(self) -> Self:
        if self.test_minimum_rate >= self.test_maximum_rate:
            raise ValueError("test_minimum_rate should be below test_maximum_rate")
        return self

    @model_validator(mode="after")
    def _gamma_of_exp_range(self) -> Self:
        if (self.gamma is not None) != (self.policy == "exp_range"):
            raise ValueError("`gamma` goes with the policy exp_range, and only with it")
        return self


class BeamSearch(Section):
    """Search of the tree of factors, epoch by epoch (Takase et al., Neural Networks 101, 2018)."""

    name: Literal["beam_search"]
    factors: Annotated[list[Positive], Field(min_length=1), AfterValidator(_distinct)] = Field(
        description="Candidate factors of the current learning rate, as [2, 1, 0.5]; each is trained for the epoch."
    )
    beam_size: int = Field(
        ge=1,
        description="Number of states, those of lowest training loss, that are kept after each epoch. 1: greedy.",
    )

    def candidates(self, epoch: int) -> int:
        """Return how many states an epoch, counted from 1, trains: the beam is one at first, and grows."""
        beam = 1
        for _ in range(epoch - 1):
            beam = min(self.beam_size, beam * len(self.factors))
        return beam * len(self.factors)


class Hypergradient(Section):
    """Descent on the learning rate itself, at every step (Baydin et al., arXiv:1703.04782)."""

    name: Literal["hypergradient"]
    hypergradient_rate: Positive = Field(description="Learning rate of the learning rate: the paper's beta.")
    multiplicative: bool = Field(
        default=False, description="true: the paper's multiplicative rule. false: its additive one."
    )
    minimum_rate: float = Field(
        default=0.0, ge=0, description="Lower bound of the rate: our reading, the paper has none."
    )


class Newton(Section):
    """Damped Newton steps on the learning rate (Retsinas et al., ICASSP 2023), as in the authors' code."""

    name: Literal["newton"]
    damping: float = Field(
        default=0.2, gt=0, le=1, description="Share of a Newton step: the code's meta_gamma."
    )
    interval_epochs: float = Field(
        default=1 / 3,
        gt=0,
        le=1,
        description="Epochs between changes, rounded down to whole steps, at least one.",
    )
    largest_change: float = Field(
        default=100.0, gt=1, description="Most by which a change multiplies the rate: our reading."
    )


class ReinforcementLearned(Section):
    """A policy learned on small models, then frozen, scales the rate after each epoch (Xu et al., arXiv:1909.09712)."""

    name: Literal["reinforcement_learned"]
    updates: int = Field(
        default=40, ge=1, description="Updates of the policy, each after 8 trainings of a small model."
    )
    epochs: int = Field(default=10, ge=3, description="Epochs of such a training.")
    images: int = Field(
        default=1000,
        ge=2,
        description="Training images, the first ones, of such a training; all if there are fewer.",
    )
    units: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] = Field(
        default=[32], description="Units of each hidden layer of the small model, a perceptron."
    )
    largest_factor: float = Field(
        default=2.0, gt=1, description="Most by which a decision multiplies or divides the rate."
    )


ScheduleSettings = Annotated[
    Constant
    | Step
    | MultiStep
    | Exponential
    | Geometric
    | FlooredExponential
    | Linear
    | Polynomial
    | InversePower
    | Fractal
    | Cosine
    | Sgdr
    | Rex
    | Triangular
    | Triangular2
    | ExpRange
    | RangeTest
    | OneCycle
    | OwnFunction
    | ReduceOnPlateau
    | LossProbing
    | BeamSearch
    | Hypergradient
    | Newton
    | ReinforcementLearned
    | RangeTested,
    Field(discriminator="name"),
]
