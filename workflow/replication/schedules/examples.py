"""One curve of each schedule, for the page that shows them all."""

from collections.abc import Iterable

from replication.schedules.from_settings import build
from replication.schedules.own_function import title_of
from replication.settings.schedule import (
    AtFractions,
    Constant,
    Cosine,
    EveryPercent,
    EveryStep,
    Exponential,
    ExpRange,
    FlooredExponential,
    Fractal,
    Geometric,
    InversePower,
    Linear,
    MultiStep,
    OneCycle,
    OwnFunction,
    Polynomial,
    PureSchedule,
    RangeTest,
    Rex,
    Sgdr,
    Step,
    Triangular,
    Triangular2,
    WarmUp,
)

EPOCHS = 100
STEPS_PER_EPOCH = 100
STEP = EveryStep(name="every_step")

EXAMPLES: dict[str, PureSchedule] = {
    "Constant": Constant(name="constant"),
    "Step: × 0.1 every 30 epochs": Step(name="step", step_epochs=30),
    "Multi-step: × 0.1 at epochs 50 and 75": MultiStep(name="multi_step", milestones=[50, 75]),
    "Exponential: × 0.96 every epoch": Exponential(name="exponential", decay_rate=0.96),
    "Exponential: × 0.5 every 20 epochs, staircase": Exponential(
        name="exponential", decay_rate=0.5, decay_epochs=20, staircase=True
    ),
    "Linear": Linear(name="linear", sampling=STEP),
    "Exponential profile to a hundredth": Geometric(name="geometric", final=0.01, sampling=STEP),
    "Exponential profile above a floor": FlooredExponential(
        name="floored_exponential", floor=0.01, rate=4, sampling=STEP
    ),
    "Polynomial, power 2": Polynomial(name="polynomial", power=2, sampling=STEP),
    "Inverse square root, time scale 10 epochs": InversePower(
        name="inverse_power", time_scale_epochs=10, power=0.5, sampling=STEP
    ),
    "Time-based decay: 1/2 after 10 epochs": InversePower(
        name="inverse_power", time_scale_epochs=10, power=1, sampling=STEP
    ),
    "Fractal: 16 nodes, condition number 20": Fractal(
        name="fractal", nodes=16, condition=20, steps_per_node=312
    ),
    "Cosine": Cosine(name="cosine", sampling=STEP),
    "Cosine with restarts (SGDR): 10, 20, 40 epochs": Sgdr(
        name="sgdr", first_cycle_epochs=10, cycle_multiplier=2, sampling=STEP
    ),
    "REX": Rex(name="rex", sampling=STEP),
    "REX, curvature 0.9": Rex(name="rex", curvature=0.9, sampling=STEP),
    "REX, sampled every 10 %": Rex(name="rex", sampling=EveryPercent(name="every_percent", percent=10)),
    "REX, sampled at 50 % and 75 %": Rex(
        name="rex", sampling=AtFractions(name="at_fractions", fractions=[0.5, 0.75])
    ),
    "Triangular: 10 epochs up, 10 down": Triangular(name="triangular", half_cycle_epochs=10, minimum=0.1),
    "Triangular, halved each cycle": Triangular2(name="triangular2", half_cycle_epochs=10, minimum=0.1),
    "Triangular, exponential range": ExpRange(
        name="exp_range", half_cycle_epochs=10, minimum=0.1, gamma=0.9998
    ),
    "Range test, linear": RangeTest(name="range_test", minimum=0.01),
    "Range test, exponential": RangeTest(name="range_test", minimum=0.01, growth="exponential"),
    "1cycle, two phases, cosine": OneCycle(name="one_cycle"),
    "1cycle, three phases, linear": OneCycle(
        name="one_cycle", warm_fraction=0.45, three_phases=True, annealing="linear"
    ),
    "Linear warm-up, 5 epochs, then cosine": Cosine(
        name="cosine", sampling=STEP, warm_up=WarmUp(name="linear", epochs=5, start=0.0)
    ),
    "Exponential warm-up, 5 epochs, then linear": Linear(
        name="linear", sampling=STEP, warm_up=WarmUp(name="exponential", epochs=5, start=0.01)
    ),
    "Constant warm-up, 5 epochs, then constant": Constant(
        name="constant", warm_up=WarmUp(name="constant", epochs=5, start=0.1)
    ),
}


def gallery(points: int = 401, own: Iterable[OwnFunction] = ()) -> list[tuple[str, float, float]]:
    """Trace every example over its budget.

    Parameters
    ----------
    own
        Functions of the user's, which come after the examples: read at every step, without a warm-up.
    points
        Points of each curve, at least 2, evenly spaced from progress 0 to 1.

    Returns
    -------
    list of tuple
        (example, progress in [0, 1], multiplier). Progress 1 shows the last step of the budget.

    Examples
    --------
    >>> gallery(points=2)[:2]
    [('Constant', 0.0, 1.0), ('Constant', 1.0, 1.0)]
    """
    bare = {title_of(each): each.model_copy(update={"sampling": STEP, "warm_up": None}) for each in own}
    return [
        (title, *point) for title, example in (EXAMPLES | bare).items() for point in _trace(example, points)
    ]


def _trace(example: PureSchedule, points: int) -> list[tuple[float, float]]:
    rate = build(example, STEPS_PER_EPOCH, EPOCHS).learning_rate
    steps = EPOCHS * STEPS_PER_EPOCH
    spaced = [index / (points - 1) for index in range(points)]
    return [(progress, rate(min(round(progress * steps), steps - 1))) for progress in spaced]
