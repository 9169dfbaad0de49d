"""What makes a run repeatable to the last bit."""

import os

import torch


def make_deterministic(threads: int) -> None:
    """Make torch use deterministic algorithms only, and `threads` CPU threads, which decide the order of sums.

    An operation without a deterministic algorithm raises a RuntimeError when it is used.
    """
    # cuBLAS reads this when its first handle is made, which is after this line.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = (
        False  # it chooses algorithms by their time, which differs from run to run
    )
    # Filling fresh memory only shows reads of memory that was never written, and costs a tenth of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_num_threads(threads)


def determinism_flags() -> dict[str, bool]:
    """Return the settings of this process that decide whether, and to which bits, a run repeats."""
    return {
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "tf32": torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32,
    }
