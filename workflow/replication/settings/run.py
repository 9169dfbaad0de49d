"""The settings of one run: everything that decides its numbers, and nothing else."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from replication.settings.base import Section
from replication.settings.schedule import Constant, ScheduleSettings, increasing
from replication.system.decimals import share_of, written

MOST_EPOCHS = 1_000_000  # each is a row of the history
Fraction = Annotated[float, Field(gt=0, lt=1)]


class DataSettings(Section):
    """Which images are used, and how they reach the model."""

    dataset: str = Field(description="Name of a data set of the registry, or of one of `image_folders`.")
    train_images: int | None = Field(
        default=None,
        ge=2,
        description="Number of training images to use, the first ones, validation included; null: all.",
    )
    test_images: int | None = Field(
        default=None, ge=1, description="Number of test images to use, the first ones; null: all."
    )
    validation_fraction: Fraction = Field(
        description="The last part of the training images, held out: it chooses, and the test images judge."
    )
    scaling: Literal["unit", "standard"] = Field(
        description="unit: pixels / 255. standard: then minus the data set's mean, over its standard deviation."
    )
    augmentation: Literal["none", "crop_and_flip"] = Field(
        default="none",
        description="crop_and_flip: a random crop after 4 pixels of zero padding, and a horizontal flip with p = 1/2.",
    )

    def held_out(self, train_images: int) -> int:
        """Return how many of so many training images validate: the nearest whole number, halves to the even one."""
        return share_of(train_images, self.validation_fraction)


class MnistCnn(Section):
    """The CNN of the MNIST report: 32 3x3 filters, 2x2 max pooling, 64 units, one unit per class."""

    name: Literal["mnist-cnn"]


class Mlp(Section):
    """Fully connected layers with ReLU, for images of any size: what trains within a second on a CPU."""

    name: Literal["mlp"]
    units: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] = Field(
        default=[64], description="Units of each hidden layer."
    )


class ResNet18(Section):
    """torchvision's ResNet18."""

    name: Literal["resnet18"]
    stem: Literal["imagenet", "cifar"] = Field(
        description="imagenet: 7x7 convolution of stride 2, then max pooling. cifar: 3x3 of stride 1, no pooling."
    )
    # With fewer channels, oneDNN (in PyTorch 2.14) corrupts memory in the backward pass of the shortcuts' convolutions,
    # 1x1 of stride 2, on processors with AVX2 and no more: the process dies, or never ends.
    width: int = Field(
        default=64, ge=8, description="Channels of the first stage; each later one has twice as many."
    )


class ResNetCifar(Section):
    """What the ResNets for CIFAR share (He et al., arXiv:1512.03385, section 4.2)."""

    width: int = Field(
        default=16, ge=1, description="Channels of the first stage; each later one has twice as many."
    )


class ResNet20(ResNetCifar):
    """The ResNet of 20 layers for CIFAR (arXiv:1512.03385): three stages of three blocks, 0.27 M weights."""

    name: Literal["resnet20"]


class ResNet38(ResNetCifar):
    """The ResNet of 38 layers for CIFAR (arXiv:1512.03385): three stages of six blocks, 0.56 M weights."""

    name: Literal["resnet38"]


class Transformer(Section):
    """A small transformer encoder that reads an image as a sequence of patches (arXiv:1706.03762)."""

    name: Literal["transformer"]
    patch: int = Field(
        default=4, ge=1, description="Side of a patch in pixels, which divides that of the image."
    )
    width: int = Field(default=32, ge=2, description="Numbers of a token: a multiple of `heads`, and even.")
    heads: int = Field(default=4, ge=1, description="Parts of a token that attend separately.")
    blocks: int = Field(default=4, ge=1, description="Blocks of attention and a hidden layer.")
    normalisation: Literal["after", "before"] = Field(
        default="after",
        description="Layer normalisation after each sum, as in the paper, or before each part.",
    )

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> "Transformer":
        if self.width % self.heads or self.width % 2:
            raise ValueError("width should be even, and a multiple of heads")
        return self


class RowGru(Section):
    """A GRU that reads an image of 28x28 row by row, and a linear layer (arXiv:1406.1078)."""

    name: Literal["row-gru"]
    units: int = Field(default=64, ge=1, description="Numbers of its state.")


class Vgg(Section):
    """VGG for small images, with batch normalisation (arXiv:1409.1556)."""

    name: Literal["vgg"]
    depth: Literal[11, 13, 16] = Field(
        default=11, description="Layers that have weights, in the paper's count."
    )
    width: int = Field(
        default=64, ge=1, description="Channels of the first stage; twice as many up to 8 times."
    )


ModelSettings = Annotated[
    MnistCnn | Mlp | ResNet18 | ResNet20 | ResNet38 | Transformer | RowGru | Vgg, Field(discriminator="name")
]


class Adam(Section):
    """Adam (Kingma & Ba, arXiv:1412.6980)."""

    name: Literal["adam"]
    learning_rate: float = Field(gt=0, description="The base learning rate, which schedules multiply.")
    epsilon: float = Field(gt=0, description="Added to the denominator. Keras: 1e-7, torch: 1e-8.")
    beta1: Fraction = Field(
        default=0.9, description="Decay of the mean gradient; what a schedule calls momentum."
    )
    beta2: Fraction = Field(default=0.999, description="Decay of the mean squared gradient.")
    weight_decay: float = Field(default=0.0, ge=0, description="L2 penalty, added to the gradient.")


class Sgd(Section):
    """Stochastic gradient descent, torch's form: the learning rate multiplies the momentum buffer."""

    name: Literal["sgd"]
    learning_rate: float = Field(gt=0, description="The base learning rate, which schedules multiply.")
    momentum: float = Field(default=0.0, ge=0, lt=1, description="Decay of the momentum buffer.")
    nesterov: bool = Field(default=False, description="Nesterov's form of the momentum.")
    weight_decay: float = Field(default=0.0, ge=0, description="L2 penalty, added to the gradient.")

    @model_validator(mode="after")
    def _nesterov_needs_momentum(self) -> "Sgd":
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov: true needs a momentum above 0")
        return self


class ScheduleFreeSgd(Section):
    """SGD that averages its weights in place of a schedule (arXiv:2405.15682), from the package schedulefree.

    Only with the schedule `constant`. The averaged weights are the model that is evaluated.
    """

    name: Literal["schedule_free_sgd"]
    learning_rate: float = Field(
        gt=0, description="The learning rate; its authors start from 10 to 50 times that of SGD."
    )
    momentum: Fraction = Field(
        default=0.9, description="How near to the average the gradient is taken: the paper's beta."
    )
    weight_decay: float = Field(default=0.0, ge=0, description="L2 penalty, added to the gradient.")
    warmup_steps: int = Field(
        default=0, ge=0, description="Optimizer steps of a linear warm-up, which its authors recommend."
    )
    batch_norm_batches: int = Field(
        default=50,
        ge=0,
        description="Training batches that batch normalisation sees again, before each evaluation, for the statistics "
        "of the averaged weights: its authors' advice, and their number. 0: keep those of training.",
    )


OptimizerSettings = Annotated[Adam | Sgd | ScheduleFreeSgd, Field(discriminator="name")]


RESTORE_BEST = "End with the weights of the epoch of the lowest validation loss. Keras' default is not to."


class EarlyStopping(Section):
    """Stop when the monitored value has not improved for `patience` epochs, or cycles, in a row."""

    name: Literal["patience"] = Field(default="patience", description="May be left out.")
    monitor: Literal["validation_loss", "validation_accuracy"] = Field(description="What should improve.")
    judged: Literal["every_epoch", "cycle_ends"] = Field(
        default="every_epoch",
        description="When to compare with the best so far. cycle_ends: only where a cycle of the learning rate ends, "
        "and only with other cycle ends; patience then counts cycles. A cycle that ends within an epoch ends with it.",
    )
    patience: int = Field(
        ge=1, description="Epochs (or cycles) in a row without improvement after which training stops."
    )
    minimum_delta: float = Field(
        default=0.0,
        ge=0,
        description="An improvement must exceed this; one that equals it, as .4 to .3 and 0.1, is none.",
    )
    restore_best: bool = Field(default=False, description=RESTORE_BEST)


class PrecheltCriterion(Section):
    """What Prechelt's stopping criteria (1998) share: they look at the validation loss after every epoch."""

    monitor: Literal["validation_loss"] = Field(
        default="validation_loss", description="What should not rise."
    )
    judged: Literal["every_epoch"] = Field(default="every_epoch", description="When it is measured.")
    restore_best: bool = Field(default=False, description=RESTORE_BEST)


class GeneralisationLoss(PrecheltCriterion):
    """Prechelt's GL: stop when the validation loss is above the lowest so far by more than `threshold` percent."""

    name: Literal["generalisation_loss"]
    threshold: float = Field(gt=0, description="Percent of the lowest: the paper's alpha, from 1 to 5.")


class ProgressQuotient(PrecheltCriterion):
    """Prechelt's PQ: stop when that loss, over the training progress of the last strip, exceeds `threshold`."""

    name: Literal["progress_quotient"]
    threshold: float = Field(gt=0, description="Percent over per mille: the paper's alpha, from 0.5 to 3.")
    strip_epochs: int = Field(default=5, ge=2, description="Epochs of a strip: the paper's k.")


class RisingStrips(PrecheltCriterion):
    """Prechelt's UP: stop when the validation loss has risen in `strips` strips in a row."""

    name: Literal["rising_strips"]
    strips: int = Field(ge=1, description="The paper's s, from 2 to 8.")
    strip_epochs: int = Field(default=5, ge=1, description="Epochs of a strip: the paper's k.")


def _patience_by_default(raw: Any) -> Any:
    return {"name": "patience", **raw} if isinstance(raw, Mapping) else raw


StoppingSettings = Annotated[
    Annotated[
        EarlyStopping | GeneralisationLoss | ProgressQuotient | RisingStrips, Field(discriminator="name")
    ],
    BeforeValidator(_patience_by_default),
]


class WeightAveraging(Section):
    """Evaluate the mean of the weights that training has passed through (arXiv:1803.05407)."""

    at: Literal["every_epoch", "cycle_ends"] = Field(
        description="After which epochs the weights are added. cycle_ends: where a cycle of the learning rate ends."
    )
    from_share: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="Share of the budget after which averaging begins; until then, as without.",
    )


class RunSettings(Section):
    """Everything that decides the numbers of one run, but for its seed and the device."""

    data: DataSettings
    model: ModelSettings
    optimizer: OptimizerSettings
    schedule: ScheduleSettings
    early_stopping: StoppingSettings | None = Field(default=None, description="null: train all epochs.")
    averaging: WeightAveraging | None = Field(
        default=None, description="null: evaluate the weights themselves."
    )
    batch_size: int = Field(
        ge=1, description="Training images per step; the last batch of an epoch may be smaller."
    )
    epochs: int = Field(
        ge=1,
        le=MOST_EPOCHS,
        description="The whole budget: passes over the training images, if `budget_percent` is 100.",
    )
    budget_percent: float = Field(
        default=100.0,
        gt=0,
        le=100,
        description="Share of `epochs` that this run has, schedule included: rounded to the nearest whole number of "
        "epochs, halves to the even one, and at least 1.",
    )
    evaluate_test: Literal["every_epoch", "end"] = Field(
        default="end",
        description="When to measure the test images. The last and the best epoch on validation always are.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="bfloat16: autocast of the forward pass; weights stay float32."
    )
    threads: int = Field(
        default=1, ge=1, le=1024, description="CPU threads. It decides the last bits of every sum."
    )
    snapshot_epochs: Annotated[list[Annotated[int, Field(ge=1)]], AfterValidator(increasing)] = Field(
        default=[],
        description="Epochs, increasing, whose class probabilities of the test images are kept, for ensembles.",
    )
    member: int = Field(
        default=1,
        ge=1,
        description="Which of several independent models of one seed: each has its own initial weights and draws.",
    )
    record_every_step: bool = Field(
        default=False,
        description="Also write the learning rate, momentum and training loss of every step to steps.csv.",
    )

    @model_validator(mode="after")
    def _schedule_free_is_without_schedule(self) -> "RunSettings":
        if not isinstance(self.optimizer, ScheduleFreeSgd):
            return self
        if not isinstance(self.schedule, Constant) or self.schedule.warm_up is not None:
            raise ValueError(
                "optimizer schedule_free_sgd takes the place of a schedule: use the schedule constant without "
                "warm_up (the optimizer has warmup_steps), or another optimizer"
            )
        return self

    @model_validator(mode="after")
    def _averaged_once(self) -> "RunSettings":
        if self.averaging is not None and isinstance(self.optimizer, ScheduleFreeSgd):
            raise ValueError(
                "averaging: the optimizer schedule_free_sgd averages by itself: delete one of the two"
            )
        return self

    @model_validator(mode="after")
    def _snapshots_are_measured(self) -> "RunSettings":
        if self.snapshot_epochs and self.evaluate_test != "every_epoch":
            raise ValueError("snapshot_epochs need evaluate_test: every_epoch")
        if self.snapshot_epochs and self.snapshot_epochs[-1] > self.budget_epochs:
            raise ValueError(
                f"snapshot_epochs: {self.snapshot_epochs[-1]} comes after the last of {self.budget_epochs} epochs"
            )
        return self

    @property
    def budget_epochs(self) -> int:
        """The epochs that this run has, and over which its schedule goes."""
        return budget_epochs(self.epochs, self.budget_percent)


def budget_epochs(epochs: int, budget_percent: float) -> int:
    """Return `budget_percent` of `epochs`, to the nearest whole number (halves to the even one), at least 1."""
    return max(1, share_of(epochs, written(budget_percent) / 100))
