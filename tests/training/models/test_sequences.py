"""The models that read an image as a sequence: against torch's own layers, and what they refuse."""

import pytest
import torch
from pydantic import ValidationError
from torch import nn

from replication.errors import ConfigurationError
from replication.settings.run import RowGru, Transformer, Vgg
from replication.training.models import build_model
from replication.training.models.transformer import _places


@pytest.mark.parametrize("normalisation", ["after", "before"])
def test_a_block_is_torchs_encoder_layer(normalisation):
    settings = Transformer(name="transformer", width=8, heads=2, blocks=1, normalisation=normalisation)
    block = build_model(settings, 1, 3).blocks[0]
    theirs = nn.TransformerEncoderLayer(
        8, 2, 32, dropout=0.0, batch_first=True, norm_first=normalisation == "before"
    )
    pairs = [
        (theirs.self_attn.in_proj_weight, block.queries_keys_values.weight),
        (theirs.self_attn.in_proj_bias, block.queries_keys_values.bias),
        (theirs.self_attn.out_proj.weight, block.mixed.weight),
        (theirs.self_attn.out_proj.bias, block.mixed.bias),
        (theirs.linear1.weight, block.hidden.weight),
        (theirs.linear1.bias, block.hidden.bias),
        (theirs.linear2.weight, block.output.weight),
        (theirs.linear2.bias, block.output.bias),
    ]
    for target, source in pairs:
        nn.init.normal_(source, std=0.3)
        target.data.copy_(source.data)
    tokens = torch.randn(3, 5, 8)
    torch.testing.assert_close(block(tokens), theirs(tokens))


def test_each_patch_is_one_token_and_its_place_counts():
    settings = Transformer(name="transformer", width=8, heads=2, blocks=1, patch=14)
    torch.manual_seed(1)
    model = build_model(settings, 1, 3)
    images = torch.rand(1, 1, 28, 28)
    seen = []
    model.blocks.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    model(images)
    corner = images[0, 0, 14:, :14].reshape(1, -1)  # the third patch, row by row
    torch.testing.assert_close(seen[0][0, 2:3], model.embedding(corner) + _places(4, 8)[2])
    assert seen[0].shape == (1, 4, 8)


def test_places_are_those_of_the_paper():
    places = _places(6, 4)
    assert places[3, 0] == pytest.approx(torch.sin(torch.tensor(3.0)))
    assert places[3, 3] == pytest.approx(torch.cos(torch.tensor(3 / 10_000**0.5)))


def test_the_gru_reads_rows_from_the_first_to_the_last():
    torch.manual_seed(1)
    model = build_model(RowGru(name="row-gru", units=4), 1, 3)
    images = torch.rand(2, 1, 28, 28)
    states, last = model.recurrent(images[:, 0])
    torch.testing.assert_close(model(images), model.output(last[0]))
    assert states.shape == (2, 28, 4)


@pytest.mark.parametrize(("depth", "convolutions"), [(11, 8), (13, 10), (16, 13)])
def test_vgg_has_the_convolutions_of_the_paper(depth, convolutions):
    model = build_model(Vgg(name="vgg", depth=depth, width=2), 3, 10)
    found = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    assert len(found) == convolutions == depth - 3
    assert [found[0].in_channels, found[-1].out_channels] == [3, 16]


@pytest.mark.parametrize(
    ("model", "size", "message"),
    [
        (
            Transformer(name="transformer", patch=5),
            28,
            "patches of 5x5, which does not come out even: change `patch`",
        ),
        (RowGru(name="row-gru"), 32, "takes images of 28x28, not 32x32: choose other data, or transformer"),
    ],
)
def test_images_that_do_not_fit_are_refused(model, size, message):
    with pytest.raises(ConfigurationError, match=message):
        build_model(model, 1, 3)(torch.zeros(2, 1, size, size))


@pytest.mark.parametrize("fields", [{"width": 30, "heads": 4}, {"width": 9, "heads": 3}])
def test_a_width_that_the_heads_do_not_divide_is_refused(fields):
    with pytest.raises(ValidationError, match="width should be even, and a multiple of heads"):
        Transformer(name="transformer", **fields)
