"""What the tests of kills and full disks share."""

from collections.abc import Iterator

import pytest

from trainer_forks import TrainerForks


@pytest.fixture(scope="module")
def forks() -> Iterator[TrainerForks]:
    """Return a process that has imported PyTorch, and forks trainers."""
    forks = TrainerForks()
    yield forks
    forks.close()
