import pytest
import torch
from torch.nn import functional

from replication.errors import ConfigurationError
from replication.settings.run import MnistCnn
from replication.training.models import build_model


def model(channels=1, classes=10):
    torch.manual_seed(5)
    return build_model(MnistCnn(name="mnist-cnn"), channels, classes)


def shapes(channels=1, classes=10):
    return {name: tuple(weight.shape) for name, weight in model(channels, classes).named_parameters()}


def test_it_has_the_layers_of_the_report():
    """32 filters of 3x3 on a 28x28 image, 2x2 pooling, 64 units and 10 units, with Keras' 'valid' padding."""
    assert shapes() == {
        "convolution.weight": (32, 1, 3, 3),
        "convolution.bias": (32,),
        "hidden.weight": (64, 32 * 13 * 13),
        "hidden.bias": (64,),
        "output.weight": (10, 64),
        "output.bias": (10,),
    }
    # As Keras' summary counts the same layers: 320 + 346,176 + 0 buffers + 650.
    assert sum(weight.numel() for weight in model().parameters()) == 347_146
    assert list(model().buffers()) == []


def test_channels_and_classes_change_the_first_and_the_last_layer_only():
    changed = {name for name, shape in shapes(channels=3, classes=7).items() if shape != shapes()[name]}
    assert changed == {"convolution.weight", "output.weight", "output.bias"}


@pytest.mark.parametrize(
    ("layer", "inputs", "outputs"), [("convolution", 9, 9 * 32), ("hidden", 5408, 64), ("output", 64, 10)]
)
def test_weights_are_glorot_uniform_and_biases_zero(layer, inputs, outputs):
    weight = model().get_parameter(f"{layer}.weight")
    limit = (6 / (inputs + outputs)) ** 0.5
    assert 0.97 * limit < weight.abs().max() <= limit
    assert weight.mean().item() == pytest.approx(0, abs=0.1 * limit)
    assert weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.1)
    assert not model().get_parameter(f"{layer}.bias").any()


def reference(network, images):
    """Compute what the report describes, in its order: convolution, ReLU, pooling, dense, ReLU, dense."""
    features = functional.relu(
        functional.conv2d(images, network.convolution.weight, network.convolution.bias)
    )
    flat = functional.max_pool2d(features, 2).reshape(len(images), -1)
    hidden = functional.relu(flat @ network.hidden.weight.T + network.hidden.bias)
    return hidden @ network.output.weight.T + network.output.bias


def test_pooling_before_relu_changes_neither_outputs_nor_gradients():
    network = model().double()
    for parameter in network.parameters():  # biases too, and as many features below zero as above
        torch.nn.init.normal_(parameter, std=0.1)
    images = torch.randn(4, 1, 28, 28, dtype=torch.float64)
    ours, expected = network(images), reference(network, images)
    torch.testing.assert_close(ours, expected)
    gradients = [
        torch.autograd.grad(logits.square().sum(), list(network.parameters())) for logits in (ours, expected)
    ]
    torch.testing.assert_close(gradients[0], gradients[1])


def test_images_of_another_size_are_refused():
    with pytest.raises(ConfigurationError, match="takes images of 28x28, not 32x32"):
        model(channels=3)(torch.zeros(2, 3, 32, 32))
