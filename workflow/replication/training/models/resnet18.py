"""ResNet18 (He et al., arXiv:1512.03385), torchvision's, with a choice of stem and of width."""

from typing import TYPE_CHECKING

from torch import nn

from replication.settings.run import ResNet18

if TYPE_CHECKING:
    from torchvision.models.resnet import ResNet

TORCHVISION_WIDTH = 64


def resnet18(settings: ResNet18, channels: int, classes: int) -> nn.Module:
    """Return ResNet18, initialised as torchvision does.

    The `imagenet` stem takes 32x32 images to 8x8 before the first block, the `cifar` stem leaves them at 32x32.
    """
    # torchvision takes as long to import as torch: only runs that use it should wait for it.
    from torchvision.models.resnet import BasicBlock, ResNet

    width = settings.width
    model: nn.Module = ResNet(BasicBlock, [2, 2, 2, 2], num_classes=classes)
    if width != TORCHVISION_WIDTH:
        model = _with_width(model, width, classes)
    if settings.stem == "cifar":
        model.conv1 = nn.Conv2d(channels, width, kernel_size=3, padding=1, bias=False)
        model.maxpool = nn.Identity()
    elif channels != 3 or width != TORCHVISION_WIDTH:
        model.conv1 = nn.Conv2d(channels, width, kernel_size=7, stride=2, padding=3, bias=False)
    for module in model.modules():
        # What was replaced is initialised as torchvision initialises what it builds.
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return model


def _with_width(model: "ResNet", width: int, classes: int) -> "ResNet":
    """Rebuild everything behind the stem with `width` channels in the first stage instead of 64."""
    from torchvision.models.resnet import BasicBlock

    model.inplanes = width
    model.bn1 = nn.BatchNorm2d(width)
    for stage in range(4):
        stride = 1 if stage == 0 else 2
        layer = model._make_layer(BasicBlock, width * 2**stage, 2, stride=stride)
        setattr(model, f"layer{stage + 1}", layer)
    model.fc = nn.Linear(width * 8, classes)
    return model
