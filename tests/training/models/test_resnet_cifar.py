import pytest
import torch
from torch import nn
from torch.nn import functional

from replication.data import prepare
from replication.settings.run import ResNet20, ResNet38
from replication.settings.sources import DataSources
from replication.training.models import build_model
from support import column, trained

pytestmark = pytest.mark.slow

DEPTHS = {"resnet20": (ResNet20, 3), "resnet38": (ResNet38, 6)}


def model(name="resnet20", width=16, channels=3, classes=10):
    torch.manual_seed(5)
    return build_model(DEPTHS[name][0](name=name, width=width), channels, classes)


def weights_of(network):
    return sum(parameter.numel() for parameter in network.parameters())


def counted(blocks, width=16, channels=3, classes=10):
    """Count as the paper describes: 9 weights for each pair of channels, two for each normalised channel."""
    stages = [width, 2 * width, 4 * width]
    total = 9 * channels * width + 2 * width
    for before, filters in zip([width, *stages], stages, strict=False):
        total += 9 * before * filters + 9 * filters * filters * (2 * blocks - 1) + 2 * blocks * 2 * filters
    return total + (4 * width + 1) * classes


@pytest.mark.parametrize(("name", "weights"), [("resnet20", 269_722), ("resnet38", 561_370)])
def test_number_of_weights(name, weights):
    """He et al., table 6: 0.27 M for ResNet20; 38 layers lie between 32 with 0.46 M and 44 with 0.66 M."""
    assert weights_of(model(name)) == weights == counted(DEPTHS[name][1])


@pytest.mark.parametrize("name", DEPTHS)
@pytest.mark.parametrize(("width", "channels", "classes"), [(4, 1, 3), (8, 3, 100)])
def test_width_channels_and_classes(name, width, channels, classes):
    network = model(name, width, channels, classes)
    assert weights_of(network) == counted(DEPTHS[name][1], width, channels, classes)


@pytest.mark.parametrize(("name", "layers"), [("resnet20", 20), ("resnet38", 38)])
def test_it_has_as_many_layers_as_its_name_says(name, layers):
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in model(name).modules()) == layers


@pytest.mark.parametrize(
    ("size", "sizes"), [(8, [8, 4, 2]), (28, [28, 14, 7]), (32, [32, 16, 8]), (33, [33, 17, 9])]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_resolution_and_channels_of_each_stage(size, sizes, channels):
    network = model(width=4, channels=channels)
    seen = []
    for stage in network.stages:
        stage.register_forward_hook(lambda _module, _in, out: seen.append(tuple(out.shape)))
    network(torch.rand(2, channels, size, size))
    assert seen == [(2, filters, pixels, pixels) for filters, pixels in zip([4, 8, 16], sizes, strict=True)]


def reference(network, images):
    """Compute what section 3.3 and 4.2 describe, from the weights alone, with batch statistics."""
    state = network.state_dict()

    def normalised(features, convolution, normalisation, stride=1):
        features = functional.conv2d(features, state[f"{convolution}.weight"], stride=stride, padding=1)
        mean = features.mean((0, 2, 3), keepdim=True)
        variance = features.var((0, 2, 3), unbiased=False, keepdim=True)
        gain, shift = (state[f"{normalisation}.{part}"][:, None, None] for part in ("weight", "bias"))
        return (features - mean) / (variance + 1e-5).sqrt() * gain + shift

    features = normalised(images, "stem", "normalisation").clamp(min=0)
    for stage in range(3):
        for block in range(3):
            place = f"stages.{stage}.{block}"
            stride = 2 if stage and not block else 1
            inner = normalised(features, f"{place}.convolution1", f"{place}.normalisation1", stride).clamp(
                min=0
            )
            inner = normalised(inner, f"{place}.convolution2", f"{place}.normalisation2")
            shortcut = torch.zeros_like(inner)
            shortcut[:, : features.shape[1]] = features[:, :, ::stride, ::stride]
            features = (inner + shortcut).clamp(min=0)
    return features.mean((2, 3)) @ state["output.weight"].T + state["output.bias"]


def test_logits_are_those_of_the_description():
    network = model(width=4).double()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    images = torch.randn(4, 3, 12, 12, dtype=torch.float64)
    torch.testing.assert_close(network(images), reference(network, images))


def test_a_shortcut_has_no_weights_and_pads_with_zeros():
    first = model(width=4).stages[1][0]
    features = torch.arange(2 * 4 * 5 * 5, dtype=torch.float32).reshape(2, 4, 5, 5)
    shortcut = first.shortcut(features)
    assert shortcut.shape == (2, 8, 3, 3)
    assert torch.equal(shortcut[:, :4], features[:, :, ::2, ::2])
    assert not shortcut[:, 4:].any()
    assert model(width=4).stages[1][1].shortcut(features) is features


@pytest.mark.parametrize("name", DEPTHS)
def test_weights_are_he_normal_by_the_fan_in(name):
    network = model(name)
    for place, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            deviation = (2 / module.weight[0].numel()) ** 0.5
            assert module.weight.std().item() == pytest.approx(deviation, rel=0.15), place
            assert module.weight.mean().item() == pytest.approx(0, abs=0.15 * deviation), place
        if isinstance(module, nn.BatchNorm2d):
            assert torch.all(module.weight == 1), place
            assert not module.bias.any(), place
    limit = network.output.in_features**-0.5
    for parameter in network.output.parameters():
        assert 0.6 * limit < parameter.abs().max() <= limit


def test_features_stay_channels_last():
    network = model(width=4).to(memory_format=torch.channels_last)
    seen = []
    for stage in network.stages:
        stage.register_forward_hook(lambda _module, _in, out: seen.append(out))
    network(torch.rand(2, 3, 16, 16).contiguous(memory_format=torch.channels_last))
    assert [each.is_contiguous(memory_format=torch.channels_last) for each in seen] == [True] * 3


def test_resnet20_learns_from_embedded_colour_images():
    """A few steps on photo-digits-10 take the loss below that of guessing, log 10 = 2.30."""
    result = trained(
        prepare("photo-digits-10", [], DataSources()),
        data={"dataset": "photo-digits-10", "train_images": 160, "test_images": 20, "scaling": "standard"},
        model={"name": "resnet20", "width": 8},
        optimizer={"learning_rate": 0.05, "momentum": 0.9},
        batch_size=32,
        epochs=8,
    )
    losses = column(result, "train_loss")
    assert losses[0] > 2.3
    assert losses[-1] < 2.1
