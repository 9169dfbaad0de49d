"""VGG (Simonyan & Zisserman, arXiv:1409.1556) for small images, with batch normalisation.

The convolutions are those of the paper's networks of 11, 13 and 16 layers. Its three dense layers, made for images of
224x224, become one, on the mean over what the last stage leaves of the image: the usual form for CIFAR, our reading.
"""

from torch import Tensor, nn

from replication.settings.run import Vgg

# Convolutions of each of the five stages, from the paper's table 1; all but the last end with 2x2 max pooling.
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3)}
WIDEST = 8  # over the first stage: each has twice the channels of the one before, up to this


class _Vgg(nn.Module):
    def __init__(self, depth: int, width: int, channels: int, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = channels
        for stage, convolutions in enumerate(STAGES[depth]):
            if stage > 0:
                layers.append(nn.MaxPool2d(2))
            outputs = width * min(2**stage, WIDEST)
            for _ in range(convolutions):
                layers += [
                    nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
                    nn.BatchNorm2d(outputs),
                    nn.ReLU(),
                ]
                inputs = outputs
        self.features = nn.Sequential(*layers)
        self.output = nn.Linear(inputs, classes)
        for module in self.modules():
            # As in the ResNets here: by the fan-in, for what a ReLU follows (He et al., arXiv:1502.01852).
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        # Softmax is part of the loss: the model gives logits.
        logits: Tensor = self.output(self.features(images).mean(dim=(2, 3)))
        return logits


def vgg(settings: Vgg, channels: int, classes: int) -> nn.Module:
    """Return the network of `depth` layers; images of any size from 16x16 on."""
    return _Vgg(settings.depth, settings.width, channels, classes)
