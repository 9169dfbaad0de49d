"""What a model predicts for the images of a split."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from replication.system import interruption
from replication.training.batches import Split
from replication.training.predictions import Predictions, class_type

# Images at once, on every machine, as it decides the last bits of a loss. Of the sizes that benchmarks/evaluation.py
# measures, the best or within 6 % of it for each model.
EVALUATION_BATCH = 128


@torch.inference_mode()
def predict(
    model: nn.Module,
    split: Split,
    logits: Callable[[nn.Module, Tensor], Tensor],
    classes: int,
    *,
    keep_probabilities: bool = False,
) -> Predictions:
    """Return what a model predicts for each image; it is left in evaluation mode.

    Parameters
    ----------
    logits
        From the model and images to logits, float32 of shape (images, classes).

    Raises
    ------
    RunInterruptedError
        A signal asks the run to end; nothing has changed.
    """
    model.eval()
    predicted, losses, probabilities = [], [], []
    for indices in torch.arange(len(split)).split(EVALUATION_BATCH):
        interruption.check()
        images, labels = split.batch(indices)
        output = logits(model, images)
        predicted.append(output.argmax(1))
        losses.append(functional.cross_entropy(output, labels, reduction="none"))
        if keep_probabilities:
            probabilities.append(output.softmax(1))
    return Predictions(
        classes=torch.cat(predicted).cpu().numpy().astype(class_type(classes)),
        losses=torch.cat(losses).cpu().numpy(),
        probabilities=torch.cat(probabilities).cpu().numpy() if keep_probabilities else None,
    )
