"""A small transformer encoder (Vaswani et al., arXiv:1706.03762) for images, read as a sequence of patches.

Each patch becomes a token, by one linear map; sines and cosines of its number tell its place, so that images may be of
any size; the mean of the last tokens gives the logits. Layer normalisation comes after each sum, as in the paper
(post-LN), or before each part (pre-LN): Xiong et al., arXiv:2002.04745, explain by it why the first needs a warm-up.
There is no dropout. Attention is written out: torch's fused kernels are not deterministic everywhere.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from replication.errors import ConfigurationError
from replication.settings.run import Transformer

WIDER = 4  # the hidden layer of each block, over the width: the paper's 2048 over 512


class _Block(nn.Module):
    """Attention and a hidden layer, a sum around each."""

    def __init__(self, settings: Transformer) -> None:
        super().__init__()
        width = settings.width
        self.heads = settings.heads
        self.before = settings.normalisation == "before"
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.hidden = nn.Linear(width, WIDER * width)
        self.output = nn.Linear(WIDER * width, width)
        self.normalisation1 = nn.LayerNorm(width)
        self.normalisation2 = nn.LayerNorm(width)

    def forward(self, tokens: Tensor) -> Tensor:
        if self.before:
            tokens = tokens + self.attention(self.normalisation1(tokens))
            return tokens + self.feed(self.normalisation2(tokens))
        tokens = self.normalisation1(tokens + self.attention(tokens))
        normalised: Tensor = self.normalisation2(tokens + self.feed(tokens))
        return normalised

    def attention(self, tokens: Tensor) -> Tensor:
        """Return the mixture of all tokens' values that each asks for: shape (N, tokens, width), as given."""
        count, length, width = tokens.shape
        parts = self.queries_keys_values(tokens).view(count, length, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        scores = queries @ keys.transpose(-2, -1) / math.sqrt(width // self.heads)
        mixture = scores.softmax(-1) @ values
        mixed: Tensor = self.mixed(mixture.transpose(1, 2).reshape(count, length, width))
        return mixed

    def feed(self, tokens: Tensor) -> Tensor:
        """Return each token through the hidden layer."""
        fed: Tensor = self.output(functional.relu(self.hidden(tokens)))
        return fed


class _Transformer(nn.Module):
    def __init__(self, settings: Transformer, channels: int, classes: int) -> None:
        super().__init__()
        self.patch = settings.patch
        self.embedding = nn.Linear(channels * settings.patch**2, settings.width)
        self.blocks = nn.Sequential(*(_Block(settings) for _ in range(settings.blocks)))
        self.last = nn.LayerNorm(settings.width) if settings.normalisation == "before" else nn.Identity()
        self.output = nn.Linear(settings.width, classes)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2:]
        if height % self.patch or width % self.patch:
            raise ConfigurationError(
                f"model: transformer cuts images of {height}x{width} into patches of {self.patch}x{self.patch}, which "
                "does not come out even: change `patch`"
            )
        cut = images.unfold(2, self.patch, self.patch).unfold(3, self.patch, self.patch)
        patches = cut.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
        tokens = self.embedding(patches)
        tokens = self.last(self.blocks(tokens + _places(*tokens.shape[1:]).to(tokens)))
        # Softmax is part of the loss: the model gives logits.
        logits: Tensor = self.output(tokens.mean(1))
        return logits


def _places(length: int, width: int) -> Tensor:
    """Return sines and cosines of the numbers of tokens, of wavelengths from 2 pi to 10,000 times that."""
    rates = 10_000.0 ** (-torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


def transformer(settings: Transformer, channels: int, classes: int) -> nn.Module:
    """Return the encoder; images whose sides are multiples of the patch's."""
    return _Transformer(settings, channels, classes)
