import pytest
import torch

from replication.settings.run import (
    Mlp,
    MnistCnn,
    ModelSettings,
    ResNet18,
    ResNet20,
    ResNet38,
    RowGru,
    Transformer,
    Vgg,
)
from replication.training.models import MODELS, build_model
from support import names_of

SETTINGS = [
    MnistCnn(name="mnist-cnn"),
    Mlp(name="mlp", units=[8, 4]),
    ResNet18(name="resnet18", stem="imagenet", width=8),
    ResNet18(name="resnet18", stem="cifar", width=8),
    ResNet20(name="resnet20", width=4),
    ResNet38(name="resnet38", width=4),
    Transformer(name="transformer", width=8, heads=2, blocks=1),
    Transformer(name="transformer", width=8, heads=2, blocks=1, normalisation="before"),
    RowGru(name="row-gru", units=8),
    Vgg(name="vgg", depth=11, width=2),
    Vgg(name="vgg", depth=16, width=2),
]


def test_the_registry_holds_the_models_of_the_settings():
    assert set(MODELS) == names_of(ModelSettings)
    assert {settings.name for settings in SETTINGS} == set(MODELS)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize(("channels", "classes"), [(1, 10), (3, 7)])
def test_every_model_takes_images_and_gives_logits(settings, channels, classes):
    model = build_model(settings, channels, classes)
    assert model(torch.rand(2, channels, 28, 28)).shape == (2, classes)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_initial_weights_come_from_the_default_generator(settings):
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([parameter.flatten() for parameter in build_model(settings, 1, 3).parameters()])

    first = weights(1)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))
