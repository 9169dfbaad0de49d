"""The CNN of the MNIST report, 000_75a4cf886b356ddd.txt, "Model Development"."""

from torch import Tensor, nn
from torch.nn import functional

from replication.errors import ConfigurationError
from replication.settings.run import MnistCnn

SIZE = (28, 28)
FILTERS = 32
UNITS = 64
POOLED = 13 * 13  # 28 -> 26 by the unpadded 3x3 convolution (Keras' default) -> 13 by 2x2 pooling


class _MnistCnn(nn.Module):
    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, FILTERS, kernel_size=3)
        self.hidden = nn.Linear(FILTERS * POOLED, UNITS)
        self.output = nn.Linear(UNITS, classes)
        for layer in (self.convolution, self.hidden, self.output):
            # Keras' defaults: Glorot uniform weights, zero biases.
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        if tuple(images.shape[2:]) != SIZE:
            raise ConfigurationError(
                f"model: mnist-cnn takes images of 28x28, not {images.shape[2]}x{images.shape[3]}: "
                "choose other data, or resnet18"
            )
        # ReLU and max pooling commute: in this order ReLU has a quarter of the work.
        features = functional.relu(functional.max_pool2d(self.convolution(images), 2))
        # Softmax is part of the loss: the model gives logits.
        logits: Tensor = self.output(functional.relu(self.hidden(features.flatten(1))))
        return logits


def mnist_cnn(settings: MnistCnn, channels: int, classes: int) -> nn.Module:  # noqa: ARG001 - has no settings
    """Return the CNN: 32 3x3 filters, 2x2 max pooling, 64 units, `classes` logits; 28x28 images only."""
    return _MnistCnn(channels, classes)
