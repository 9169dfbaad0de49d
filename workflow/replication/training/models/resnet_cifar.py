"""The ResNets for CIFAR of He et al., arXiv:1512.03385, section 4.2: of 6 n + 2 layers, n blocks in a stage."""

from torch import Tensor, nn
from torch.nn import functional

from replication.settings.run import ResNet20, ResNet38

STAGES = 3


class _Block(nn.Module):
    """Two 3x3 convolutions with batch normalisation, and a shortcut without parameters (type A) around them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.padding = outputs - inputs
        self.convolution1 = _convolution(inputs, outputs, stride)
        self.normalisation1 = nn.BatchNorm2d(outputs)
        self.convolution2 = _convolution(outputs, outputs, 1)
        self.normalisation2 = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        inner = functional.relu(self.normalisation1(self.convolution1(features)))
        inner = self.normalisation2(self.convolution2(inner))
        return functional.relu(inner + self.shortcut(features))

    def shortcut(self, features: Tensor) -> Tensor:
        """Return the features at every `stride`-th pixel, with zeros for the channels that are missing."""
        if self.stride == 1 and self.padding == 0:
            return features
        seen = features[:, :, :: self.stride, :: self.stride]
        return functional.pad(seen, (0, 0, 0, 0, 0, self.padding))


class _ResNetCifar(nn.Module):
    def __init__(self, blocks: int, width: int, channels: int, classes: int) -> None:
        super().__init__()
        self.stem = _convolution(channels, width, 1)
        self.normalisation = nn.BatchNorm2d(width)
        self.stages = nn.Sequential(*(_stage(number, blocks, width) for number in range(STAGES)))
        self.output = nn.Linear(width * 2 ** (STAGES - 1), classes)
        for module in self.modules():
            # The initialisation of He et al., arXiv:1502.01852, which the paper adopts: by the fan-in. It is made for
            # what a ReLU follows. The output layer keeps torch's: with theirs, the first loss is far above chance.
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        features = self.stages(functional.relu(self.normalisation(self.stem(images))))
        # Softmax is part of the loss: the model gives logits.
        logits: Tensor = self.output(features.mean(dim=(2, 3)))
        return logits


def _convolution(inputs: int, outputs: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)


def _stage(number: int, blocks: int, width: int) -> nn.Sequential:
    """Return a stage of the network, counted from 0; each but the first halves the image in its first block."""
    outputs = width * 2**number
    first = _Block(outputs, outputs, 1) if number == 0 else _Block(outputs // 2, outputs, 2)
    return nn.Sequential(first, *(_Block(outputs, outputs, 1) for _ in range(blocks - 1)))


def resnet20(settings: ResNet20, channels: int, classes: int) -> nn.Module:
    """Return ResNet20: 3 blocks in each of 3 stages; images of any size from 8x8 on."""
    return _ResNetCifar(3, settings.width, channels, classes)


def resnet38(settings: ResNet38, channels: int, classes: int) -> nn.Module:
    """Return ResNet38: 6 blocks in each of 3 stages; images of any size from 8x8 on."""
    return _ResNetCifar(6, settings.width, channels, classes)
