"""The settings of one run: everything that decides its numbers, and nothing else."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from replication.settings.base import Section
from replication.settings.schedule import ScheduleSettings

Fraction = Annotated[float, Field(gt=0, lt=1)]


class DataSettings(Section):
    """Which images are used, and how they reach the model."""

    dataset: str = Field(description="Name of a data set of the registry, or of one of `image_folders`.")
    train_images: int | None = Field(
        default=None,
        ge=2,
        description="Use the first so many training images, validation included; null: all.",
    )
    test_images: int | None = Field(
        default=None, ge=1, description="Use the first so many test images; null: all."
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


class MnistCnn(Section):
    """The CNN of the MNIST report: 32 3x3 filters, 2x2 max pooling, 64 units, one unit a class."""

    name: Literal["mnist-cnn"]


class ResNet18(Section):
    """torchvision's ResNet18."""

    name: Literal["resnet18"]
    stem: Literal["imagenet", "cifar"] = Field(
        description="imagenet: 7x7 convolution of stride 2, then max pooling. cifar: 3x3 of stride 1, no pooling."
    )
    width: int = Field(
        default=64, ge=1, description="Channels of the first stage; each later one has twice as many."
    )


ModelSettings = Annotated[MnistCnn | ResNet18, Field(discriminator="name")]


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


OptimizerSettings = Annotated[Adam | Sgd, Field(discriminator="name")]


class EarlyStopping(Section):
    """Stop when the monitored value has not improved for `patience` epochs in a row."""

    monitor: Literal["validation_loss", "validation_accuracy"] = Field(description="What should improve.")
    patience: int = Field(ge=1, description="Epochs in a row without improvement after which training stops.")
    minimum_delta: float = Field(default=0.0, ge=0, description="An improvement must exceed this.")
    restore_best: bool = Field(
        default=False,
        description="End with the weights of the epoch of the lowest validation loss. Keras' default is not to.",
    )


class RunSettings(Section):
    """Everything that decides the numbers of one run, but for its seed and the device."""

    data: DataSettings
    model: ModelSettings
    optimizer: OptimizerSettings
    schedule: ScheduleSettings
    early_stopping: EarlyStopping | None = Field(default=None, description="null: train all epochs.")
    batch_size: int = Field(
        ge=1, description="Training images a step; the last batch of an epoch may be smaller."
    )
    epochs: int = Field(ge=1, description="The budget: passes over the training images.")
    evaluate_test: Literal["every_epoch", "end"] = Field(
        default="end",
        description="When to measure the test images. The last and the best epoch on validation always are.",
    )
    precision: Literal["float32", "bfloat16"] = Field(
        default="float32", description="bfloat16: autocast of the forward pass; weights stay float32."
    )
    threads: int = Field(default=1, ge=1, description="CPU threads. It decides the last bits of every sum.")
    record_every_step: bool = Field(
        default=False, description="Also write the learning rate and momentum of every step to steps.csv."
    )
