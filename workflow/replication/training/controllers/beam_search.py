"""The ALR technique of Takase, Oyama & Kurihara: a beam search over factors of the learning rate.

"Effective neural network training with adaptive learning rate based on training loss", Neural Networks 101 (2018)
68-78. It "increases or decreases the learning rate adaptively so that the training loss (the sum of cross-entropy
losses for all training samples) decreases as much as possible" (abstract). Report 004 calls it a "search algorithm
based on breadth-first beam search" that takes the rate "that has resulted in the smallest training loss" (section
1.2), and counts "beam size * number of factors" losses (section 2). Beyond these words we have not seen the paper's
text, and read it as follows:

- A node of the tree is a state of training: weights, buffers, the optimizer's state and the rate. In each epoch, each
  node of the beam is trained for that whole epoch with each factor times its rate.
- The training loss of such a candidate is that of all training images after the epoch, unaugmented and in evaluation
  mode. The `beam_size` candidates with the lowest are the beam of the next epoch; of equal ones, the earlier is first.
- All candidates of an epoch see the same batches, the same augmentation and the same dropout.
- The best candidate is the model that is evaluated after the epoch, and the only one in the run's tables. The best of
  the next epoch need not descend from it.
"""

import copy
import math
from typing import Any

import torch

from replication.settings.schedule import BeamSearch
from replication.system import interruption
from replication.training.controllers.base import Measured, RateController, RunContext
from replication.training.evaluation import EVALUATION_BATCH
from replication.training.randomness import load_random_state, random_state
from replication.training.weights import copy_of_weights

# A state of training, as tensors and plain values: `model`, `optimizer`; of a candidate also `loss` and `measured`.
Node = dict[str, Any]


class BeamSearchRate(RateController):
    """Trains each epoch once for each node of the beam and each factor, and goes on with the best.

    At most 2 * `beam_size` nodes are kept, beside the one that is trained: the beam, and the best candidates so far.
    """

    def __init__(self, settings: BeamSearch, context: RunContext) -> None:
        self._settings = settings
        self._context = context
        self._beam: list[Node] = []
        self._best: list[Node] = []  # of this epoch's candidates so far, best first
        self._candidate = 0  # of this epoch: that which is trained
        self._random: dict[str, Any] = {}  # at the start of the epoch
        self._epochs = 0
        self._candidates = 0  # of all epochs, those that are trained
        self._copies = 0

    def begin_epoch(self, epoch: int) -> None:
        """Set the first candidate; before the first epoch, the beam is the initial state."""
        self._beam = self._beam or [self._node()]
        self._random = random_state(list(self._context.streams))
        self._epochs = epoch
        self._begin(0)

    def _begin(self, candidate: int) -> None:
        self._candidate = candidate
        parent, factor = divmod(candidate, len(self._settings.factors))
        self._load(self._beam[parent])
        load_random_state(self._random, list(self._context.streams))
        for group in self._context.optimizer.param_groups:
            group["lr"] *= self._settings.factors[factor]

    def _node(self) -> Node:
        context = self._context
        return {
            "model": copy_of_weights(context.model),
            "optimizer": copy.deepcopy(context.optimizer.state_dict()),
        }

    def _load(self, node: Node) -> None:
        self._context.model.load_state_dict(node["model"])
        # Copied: an optimizer goes on with the tensors that it is given.
        self._context.optimizer.load_state_dict(copy.deepcopy(node["optimizer"]))

    def end_pass(self, measured: Measured) -> Measured | None:
        """Judge the candidate, and set the next one; after the last, the best."""
        self._judge(training_loss(self._context), measured)
        self._candidates += 1
        if self._candidate + 1 < len(self._beam) * len(self._settings.factors):
            self._begin(self._candidate + 1)
            return None
        chosen: Measured = self._best[0]["measured"]
        self._beam = [{"model": best["model"], "optimizer": best["optimizer"]} for best in self._best]
        self._best = []
        self._load(self._beam[0])
        return chosen

    def _judge(self, loss: float, measured: Measured) -> None:
        """Keep the candidate if it is among the best so far; one whose loss is not finite comes after all others."""
        loss = loss if math.isfinite(loss) else math.inf
        kept = self._best[: self._settings.beam_size]
        if len(kept) == self._settings.beam_size:
            if loss >= kept[-1]["loss"]:
                return
            kept.pop()  # before its place is taken: no more than `beam_size` at any time
        self._best = kept
        self._best.append({**self._node(), "loss": loss, "measured": measured})
        self._best.sort(key=lambda node: float(node["loss"]))  # stable: of equals, the earlier first
        self._copies = max(self._copies, len(self._beam) + len(self._best))

    def costs(self) -> dict[str, float]:
        """Return what the search costs beyond one pass over each epoch.

        Passes are in training batches, those over all training images for the losses among them. Copies are the nodes
        that were kept at once, each with the state of the optimizer too.
        """
        steps = self._context.steps_per_epoch
        trials = (self._candidates - self._epochs) * steps
        return {
            "candidates": self._candidates,
            "trial_forward_passes": trials + self._candidates * steps,
            "trial_backward_passes": trials,
            "parameter_copies": self._copies,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the beam, and how far the epoch has come."""
        names = ("_beam", "_best", "_candidate", "_random", "_epochs", "_candidates", "_copies")
        return {name: getattr(self, name) for name in names}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        vars(self).update(state)


@torch.inference_mode()
def training_loss(context: RunContext) -> float:
    """Return the mean loss over all training images, in nats, of the model in evaluation mode.

    Raises
    ------
    RunInterruptedError
        A signal asks the run to end; nothing has changed.
    """
    context.model.eval()
    total = 0.0
    for indices in torch.arange(len(context.training)).split(EVALUATION_BATCH):
        interruption.check()
        loss = context.loss(context.model, *context.training.batch(indices))
        total += loss.item() * len(indices)
    return total / len(context.training)
