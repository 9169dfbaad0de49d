import pytest
import torch
from torch.nn import functional

from replication.settings.run import Mlp
from replication.training.models import build_model
from replication.training.models.mlp import FieldMeans


def model(units=(5, 4), channels=1, classes=3):
    torch.manual_seed(5)
    return build_model(Mlp(name="mlp", units=list(units)), channels, classes)


@pytest.mark.parametrize(("units", "channels"), [((5,), 1), ((5, 4), 3), ((2, 3, 4), 1)])
def test_it_has_a_layer_of_each_size_and_one_of_the_classes(units, channels):
    found = [tuple(weight.shape) for weight in model(units, channels).parameters() if weight.dim() == 2]
    assert found == [*zip(units, (channels * 14 * 14, *units[:-1]), strict=True), (3, units[-1])]


def test_it_computes_relu_layers_on_means_of_fields():
    images = torch.rand(2, 1, 28, 28)
    features = images.reshape(2, 14, 2, 14, 2).mean((2, 4)).flatten(1)
    *hidden, last = [layer for layer in model().children() if hasattr(layer, "weight")]
    for layer in hidden:
        features = functional.relu(features @ layer.weight.T + layer.bias)
    assert torch.allclose(model()(images), features @ last.weight.T + last.bias, atol=1e-6)


@pytest.mark.parametrize("size", [8, 14, 28, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_fields_are_those_of_pytorch_bit_for_bit(size, channels):
    images = torch.rand(5, channels, size, size).to(memory_format=torch.channels_last)
    assert torch.equal(FieldMeans()(images), functional.adaptive_avg_pool2d(images, 14))


@pytest.mark.parametrize("size", [8, 14, 28, 32])
def test_images_may_have_any_size(size):
    assert model(channels=3)(torch.rand(2, 3, size, size)).shape == (2, 3)


def test_its_layers_have_the_names_that_they_have_on_record():
    assert list(model().state_dict()) == [
        f"{layer}.{kind}" for layer in (2, 4, 6) for kind in ("weight", "bias")
    ]


def test_weights_are_glorot_uniform_and_biases_zero():
    first = next(layer for layer in model((300,)).children() if hasattr(layer, "weight"))
    bound = (6 / (14 * 14 + 300)) ** 0.5
    assert first.weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    assert not first.bias.any()
