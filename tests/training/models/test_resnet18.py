import importlib

import pytest
import torch

from replication.settings.run import ResNet18
from replication.training.models import build_model

pytestmark = pytest.mark.slow


@pytest.fixture
def torchvision():
    """Return it imported here, for it takes seconds even where these tests are left out."""
    return importlib.import_module("torchvision")


def model(stem="imagenet", width=64, channels=3, classes=10):
    torch.manual_seed(5)
    return build_model(ResNet18(name="resnet18", stem=stem, width=width), channels, classes)


def shapes(network):
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def test_with_the_imagenet_stem_and_width_64_it_is_torchvisions(torchvision):
    ours, theirs = model(), torchvision.models.resnet18(num_classes=10)
    assert list(shapes(ours).items()) == list(shapes(theirs).items())
    theirs.load_state_dict(ours.state_dict())
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(ours(images), theirs(images))
    assert torch.equal(ours.eval()(images), theirs.eval()(images))


@pytest.mark.parametrize("width", [8, 16])
@pytest.mark.parametrize(
    ("stem", "pixels"), [("imagenet", [16, 8, 8, 4, 2, 1]), ("cifar", [32, 32, 32, 16, 8, 4])]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_resolution_and_channels_of_each_stage(stem, width, pixels, channels):
    network = model(stem, width, channels)
    seen = []
    stages = ("conv1", "maxpool", "layer1", "layer2", "layer3", "layer4")
    for stage in stages:
        network.get_submodule(stage).register_forward_hook(
            lambda _module, _in, out: seen.append(tuple(out.shape))
        )
    network(torch.rand(2, channels, 32, 32))
    expected = zip([width, width, width, 2 * width, 4 * width, 8 * width], pixels, strict=True)
    assert seen == [(2, filters, size, size) for filters, size in expected]


@pytest.mark.parametrize(
    ("stem", "channels", "kernel"),
    [("imagenet", 3, (7, 7)), ("imagenet", 1, (7, 7)), ("cifar", 3, (3, 3)), ("cifar", 1, (3, 3))],
)
@pytest.mark.parametrize("width", [16, 64])
def test_only_stem_and_width_differ_from_torchvisions(torchvision, stem, channels, kernel, width):
    """All shapes are torchvision's, each number of channels scaled by width / 64."""
    with torch.device("meta"):
        ours, theirs = (
            shapes(model(stem, width, channels)),
            shapes(torchvision.models.resnet18(num_classes=10)),
        )
    assert ours.pop("conv1.weight") == (width, channels, *kernel)
    del theirs["conv1.weight"]

    def scaled(shape):
        return tuple(size * width // 64 if size >= 64 else size for size in shape)

    assert ours == {name: scaled(shape) for name, shape in theirs.items()}


@pytest.mark.parametrize(
    ("stem", "width", "channels"), [("imagenet", 64, 3), ("imagenet", 16, 1), ("cifar", 16, 3)]
)
def test_it_is_initialised_as_torchvision_does(stem, width, channels):
    network = model(stem, width, channels, classes=50)
    for name, module in network.named_modules():
        if isinstance(module, torch.nn.Conv2d):
            fan_out = module.weight.shape[0] * module.weight[0, 0].numel()
            assert module.weight.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.15), name
            assert module.weight.mean().item() == pytest.approx(0, abs=0.15 * (2 / fan_out) ** 0.5), name
            assert module.bias is None
        if isinstance(module, torch.nn.BatchNorm2d):
            assert torch.all(module.weight == 1), name
            assert not module.bias.any(), name
    limit = network.fc.in_features**-0.5
    assert 0.9 * limit < network.fc.weight.abs().max() <= limit
