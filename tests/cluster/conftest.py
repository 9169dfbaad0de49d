"""A SLURM cluster for the tests here, on machines that can start one."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from slurm_cluster import Cluster, end_processes_that_name, missing_programs, started


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Return a cluster of one node with two CPUs, 16 GB and two GPUs, the latter three made up."""
    missing = missing_programs()
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (packages slurm-wlm and munge)")
    # Not pytest's own folders: a socket's path must be short, and munged wants to trust the folders above.
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    try:
        with started(folder, free_ports()) as cluster:
            yield cluster
    except subprocess.CalledProcessError as error:
        pytest.skip(f"SLURM does not start here: {error.stdout.strip()}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_outlives_the_test(tmp_path: Path) -> Iterator[None]:
    """End what is left of the jobs that the test has sent from its folder."""
    yield
    end_processes_that_name(tmp_path)


def free_ports() -> tuple[int, int]:
    """Return two ports that nothing listens on."""
    with socket.socket() as one, socket.socket() as other:
        for listener in (one, other):
            listener.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]
