"""The whole cost of a run in passes over training batches.

An optimizer step is one forward and one backward pass. What the learning-rate controller and the optimizer do beyond
that counts too: trial steps, probes, abandoned candidates, tests of a range, losses of all training images that
decide something (as many passes as the batches that they would fill), batches that batch normalisation sees again, and
those of smaller models that something is learned from, each as one of the run's.
The evaluation of validation and test images does not: it is the same for every schedule, and judges it.

If a run was interrupted, the steps after its last checkpoint were taken twice. They count once: this is what an
undisturbed run costs.
"""

from collections.abc import Mapping
from typing import Any

# The costs in a run's record that count as passes, one pass each.
FORWARD = (
    "trial_forward_passes",
    "calibration_forward_passes",
    "learning_forward_passes",
    "range_test_steps",
)
BACKWARD = ("trial_backward_passes", "learning_backward_passes", "range_test_steps")


def passes(record: Mapping[str, Any], steps: int) -> dict[str, float]:
    """Return `forward_passes` and `backward_passes` of a run.

    Parameters
    ----------
    record
        Of the run.
    steps
        Optimizer steps of its history.
    """
    costs = record["costs"]
    forward, backward = _probing(record, steps)
    return {
        "forward_passes": steps + forward + sum(costs[name] for name in FORWARD if name in costs),
        "backward_passes": steps + backward + sum(costs[name] for name in BACKWARD if name in costs),
    }


def _probing(record: Mapping[str, Any], steps: int) -> tuple[float, float]:
    """Return forward and backward passes of all probes of loss probing: its record holds means per probe.

    Each is over the images of `batches` training batches, and its gradient takes a forward pass besides its trials.
    """
    costs = record["costs"]
    if "trial_losses_per_probe" not in costs:
        return 0, 0
    batches = min(record["settings"]["schedule"]["batches"], steps // record["epochs"])
    probes = costs["probes"] * batches
    backward = probes * costs["backward_passes_per_probe"]
    return probes * costs["trial_losses_per_probe"] + backward, backward
