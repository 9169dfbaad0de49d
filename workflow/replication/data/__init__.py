"""Data sets: where they come from, and the one verified file that each is prepared into.

Importing this package is light, for it happens while the workflow's graph is built: what fetches, decodes or
draws images is imported when it is called.
"""

from replication.data.dataset import Dataset, Source, describe, read_dataset, write_dataset
from replication.data.registry import (
    DATASETS,
    check_names,
    download,
    downloaded_all_the_same,
    inventory,
    known_datasets,
    prepare,
    raw_files,
    user_inputs,
)

__all__ = [
    "DATASETS",
    "Dataset",
    "Source",
    "check_names",
    "describe",
    "download",
    "downloaded_all_the_same",
    "inventory",
    "known_datasets",
    "prepare",
    "raw_files",
    "read_dataset",
    "user_inputs",
    "write_dataset",
]
