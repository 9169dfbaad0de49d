"""A recurrent network that reads an image row by row: a GRU (Cho et al., arXiv:1406.1078), and a linear layer."""

from torch import Tensor, nn

from replication.errors import ConfigurationError
from replication.settings.run import RowGru

SIZE = 28


class _RowGru(nn.Module):
    def __init__(self, units: int, channels: int, classes: int) -> None:
        super().__init__()
        self.recurrent = nn.GRU(SIZE * channels, units, batch_first=True)
        self.output = nn.Linear(units, classes)

    def forward(self, images: Tensor) -> Tensor:
        if tuple(images.shape[2:]) != (SIZE, SIZE):
            raise ConfigurationError(
                f"model: row-gru takes images of {SIZE}x{SIZE}, not {images.shape[2]}x{images.shape[3]}: "
                "choose other data, or transformer"
            )
        rows = images.permute(0, 2, 3, 1).flatten(2)
        states, _ = self.recurrent(rows)
        # Softmax is part of the loss: the model gives logits.
        logits: Tensor = self.output(states[:, -1])
        return logits


def row_gru(settings: RowGru, channels: int, classes: int) -> nn.Module:
    """Return the GRU, initialised as torch does; 28x28 images only."""
    return _RowGru(settings.units, channels, classes)
