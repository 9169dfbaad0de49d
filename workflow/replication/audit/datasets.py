"""The data sets that the runs have used: each read once, whole."""

import filecmp
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from replication.audit.findings import Findings
from replication.data import Dataset, describe, prepare, read_dataset, user_inputs, write_dataset
from replication.errors import DataError
from replication.settings.run import DataSettings
from replication.settings.sources import DataSources
from replication.system.digests import canonical_json
from replication.system.files import json_text, whole_file

FOLDER = Path("resources/datasets")
LABELS = Path("resources/labels")  # of data sets whose images are not here, as published with results
REMEDY = "delete it, and `snakemake --cores all` prepares it again"


@dataclass(frozen=True)
class Labels:
    """The parts of a data set that the runs' metrics depend on."""

    identity: str
    classes: int
    train: NDArray[np.uint16]
    test: NDArray[np.uint16]

    @classmethod
    def of(cls, dataset: Dataset) -> "Labels":
        """Return those of a data set."""
        return cls(
            identity=dataset.identity,
            classes=len(dataset.classes),
            train=np.array(dataset.train_labels),
            test=np.array(dataset.test_labels),
        )

    def train_count(self, data: DataSettings) -> int:
        """Return how many training images a run has used, validation included."""
        return len(self.train) if data.train_images is None else data.train_images

    def border(self, data: DataSettings) -> int:
        """Return how many images a run was trained on; those after them validate."""
        count = self.train_count(data)
        return count - data.held_out(count)

    def of_split(self, data: DataSettings, split: str) -> NDArray[Any]:
        """Return the true classes of the images of a split (validation or test)."""
        if split == "test":
            return self.test[: data.test_images]
        return self.train[self.border(data) : self.train_count(data)]


def check_datasets(names: list[str], sources: DataSources, findings: Findings) -> dict[str, Labels]:
    """Check the prepared files of data sets, and return the labels of those that are intact.

    What the user has handed in is prepared again, to see that it still gives what the runs have used.
    """
    found = {name: _check(name, findings) for name in names}
    for name, labels in found.items():
        if labels is not None and (FOLDER / f"{name}.safetensors").exists():
            _check_inputs(name, labels.identity, sources, findings)
    findings.counts["data sets"] += len(names)
    return {name: labels for name, labels in found.items() if labels is not None}


def _check(name: str, findings: Findings) -> Labels | None:
    path = FOLDER / f"{name}.safetensors"
    if not path.exists() and labels_file(name).is_file():
        return _published(name, path, findings)
    try:
        dataset = read_dataset(path)
        if dataset.name != name:
            raise DataError(f"{path}: holds the data set {dataset.name}; {REMEDY}")
    except DataError as error:
        findings.fail(path, str(error).removeprefix(f"{path}: "))
        return None
    if not _is_as_written(dataset, path):
        findings.fail(path, f"damaged (is not as it was written); {REMEDY}")
    manifest = FOLDER / f"{name}.json"
    text = manifest.read_bytes() if manifest.is_file() else b""
    if text != json_text(describe(dataset)).encode():
        state = "damaged" if text else "missing"
        findings.fail(manifest, f"{state}: is not the description of {path}; {REMEDY}")
    return Labels.of(dataset)


def labels_file(name: str, folder: Path = LABELS) -> Path:
    """Return where the labels of a data set lie that were published with results."""
    return folder / f"{name}.safetensors"


def write_labels(labels: Labels, path: Path) -> None:
    """Write labels, which weigh a thousandth of the images, so that metrics can be computed again without these."""
    with whole_file(path) as temporary:
        facts = canonical_json({"identity": labels.identity, "classes": labels.classes})
        # One entry, since safetensors writes several in no certain order.
        save_file({"train": labels.train, "test": labels.test}, temporary, {"facts": facts})


def read_labels(path: Path) -> Labels:
    """Read such labels.

    Raises
    ------
    DataError
        They are damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            facts = json.loads(file.metadata()["facts"])
            train, test = file.get_tensor("train"), file.get_tensor("test")
            return Labels(facts["identity"], facts["classes"], train, test)
    except (OSError, SafetensorError, KeyError, ValueError, TypeError) as error:
        raise DataError(f"{path}: damaged ({error}); restore the published results again") from error


def _published(name: str, path: Path, findings: Findings) -> Labels | None:
    labels = labels_file(name)
    try:
        found = read_labels(labels)
    except DataError as error:
        findings.fail(labels, str(error).removeprefix(f"{labels}: "))
        return None
    findings.note(path, f"not here: metrics are checked with {labels}, as published; images are not checked")
    return found


def _check_inputs(name: str, identity: str, sources: DataSources, findings: Findings) -> None:
    inputs = user_inputs(name, sources)
    if not inputs:
        return
    findings.counts["inputs"] += len(inputs)
    try:
        now = prepare(name, inputs, sources).identity
    except DataError as error:
        findings.fail(
            inputs[0], f"no longer gives {FOLDER / name}.safetensors, which runs have used: {error}"
        )
        return
    if now != identity:
        findings.fail(
            inputs[0],
            f"changed: its content is no longer that of {FOLDER / name}.safetensors, which runs have used; put back "
            "what it was, or `snakemake --cores all` prepares it again and runs again what used it",
        )


def _is_as_written(dataset: Dataset, path: Path) -> bool:
    """Return whether a file, whose content is right, has the right layout too."""
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(dataset, Path(folder, path.name))
        return filecmp.cmp(path, Path(folder, path.name), shallow=False)
