"""A multilayer perceptron on a coarse image: it takes the place of larger models where a run has half a second."""

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional

from replication.settings.run import Mlp

SIDE = 14  # fields across and down, over which the pixels are averaged


class FieldMeans(nn.Module):
    """Means over 14 x 14 fields of each channel."""

    def forward(self, images: Tensor) -> Tensor:
        """Map images of shape (images, channels, height, width) to means of shape (images, channels, 14, 14)."""
        # Plane by plane, as averaging channels that stand last takes three times as long.
        return functional.adaptive_avg_pool2d(images.flatten(0, 1), SIDE).reshape(
            *images.shape[:2], SIDE, SIDE
        )


def mlp(settings: Mlp, channels: int, classes: int) -> nn.Module:
    """Return the perceptron: means over 14 x 14 fields, hidden layers with ReLU, `classes` logits; images of any size.

    Weights are Glorot uniform and biases 0, as in the CNN of the MNIST report.
    """
    layers: list[nn.Module] = [FieldMeans(), nn.Flatten()]
    for inputs, units in pairwise([channels * SIDE**2, *settings.units]):
        layers += [_linear(inputs, units), nn.ReLU()]
    return nn.Sequential(*layers, _linear(settings.units[-1], classes))


def _linear(inputs: int, outputs: int) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
