"""Replication of five reports on early stopping and learning-rate schedules."""

import os

# OpenMP reads these when PyTorch is imported, which this comes before. Of the threads that a run asks for it then gives
# fewer, whenever the machine is busy or always: sums come out otherwise, and oneDNN waits for ever for those missing.
os.environ["OMP_DYNAMIC"] = "false"
os.environ.pop("OMP_THREAD_LIMIT", None)
