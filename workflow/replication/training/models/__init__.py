"""The models, one architecture per file."""

from collections.abc import Callable
from typing import Any

from torch import nn

from replication.settings.run import ModelSettings
from replication.training.models.mlp import mlp
from replication.training.models.mnist_cnn import mnist_cnn
from replication.training.models.resnet18 import resnet18
from replication.training.models.resnet_cifar import resnet20, resnet38
from replication.training.models.row_gru import row_gru
from replication.training.models.transformer import transformer
from replication.training.models.vgg import vgg

# The keys are the names in `ModelSettings`, which has refused any other before this is read.
MODELS: dict[str, Callable[[Any, int, int], nn.Module]] = {
    "mnist-cnn": mnist_cnn,
    "mlp": mlp,
    "resnet18": resnet18,
    "resnet20": resnet20,
    "resnet38": resnet38,
    "transformer": transformer,
    "row-gru": row_gru,
    "vgg": vgg,
}


def build_model(settings: ModelSettings, channels: int, classes: int) -> nn.Module:
    """Return the model, freshly initialised from torch's default generator.

    Parameters
    ----------
    settings
        Name and settings of the architecture.
    channels
        Of the images that it takes, shape (N, channels, height, width).
    classes
        Length of the logits that it gives, shape (N, classes).
    """
    return MODELS[settings.name](settings, channels, classes)
