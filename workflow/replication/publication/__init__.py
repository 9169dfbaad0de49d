"""Audited results, packed so that they can be kept with the code, and taken out again as they were.

`publish` puts the results of a scale into a folder of some ten files instead of thousands: each study's runs as one
archive, everything else as it is, and beside it the configuration, the labels of the data and what it has cost.
`restore` makes the results folder of it again, to the byte, for `snakemake audit`, `recheck` and `trace`.
"""

import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from replication.audit.certificate import check_certified
from replication.audit.checksums import read_sums
from replication.audit.datasets import FOLDER, LABELS, Labels, labels_file, write_labels
from replication.audit.layout import OWN, SUMS, files_below
from replication.data import read_dataset
from replication.errors import ResultsError
from replication.publication.cost import cost_of
from replication.runs.folder import RECORD
from replication.runs.record import read_record
from replication.runs.results import RUNS
from replication.system.digests import digest_of_file
from replication.system.files import replace_folder, write_json, write_text

PUBLISHED = Path("published")
CONFIGURATION, COST = "config.yaml", "cost.json"
LARGEST = 40_000_000  # bytes: what one should put into a git repository


def publish(results: Path, published: Path = PUBLISHED, largest: int = LARGEST) -> Path:
    """Publish the results of a scale, whole or not at all, and return the folder in `published` that holds them.

    Raises
    ------
    ResultsError
        The results are not audited, or have changed since, or are too large.
    """
    audit, files = _audited(results)
    target = published / results.name
    with tempfile.TemporaryDirectory(prefix="publish-") as place:
        folder = Path(place, results.name)
        _copy(results, _rest(results, files), folder)
        records = []
        for study, paths in _by_study(files):
            _pack(results, paths, folder / RUNS / f"{study}.tar.xz")
            records += [read_record(results / path) for path in paths if path.endswith(f"/{RECORD}")]
        for name in sorted({record.dataset.name for record in records}):
            labels = Labels.of(read_dataset(FOLDER / f"{name}.safetensors"))
            write_labels(labels, labels_file(name, folder / LABELS.name))
        write_text(folder / CONFIGURATION, yaml.safe_dump(audit["configuration"]))
        write_json(folder / COST, cost_of(results, files, records))
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size > largest:
            raise ResultsError(
                f"{results}: packed it has {size / 1e6:.1f} MB, more than the {largest / 1e6:.0f} MB that a repository "
                "should hold: publish fewer studies, with `only`"
            )
        replace_folder(target, folder)
    return target


def restore(published: Path, results: Path) -> None:
    """Make the results folder of what was published, with each file as its hash says, whole or not at all.

    Raises
    ------
    ResultsError
        `results` is there already, or what was published is damaged.
    """
    if results.exists():
        raise ResultsError(
            f"{results}: is there already; move it away, for these results would take its place"
        )
    if not (published / SUMS).is_file():
        raise ResultsError(f"{published}: holds no published results (no {SUMS})")
    with tempfile.TemporaryDirectory(prefix="restore-") as place:
        folder = Path(place, results.name)
        ours = {CONFIGURATION, COST, LABELS.name, RUNS}  # the rest is as it was in the results
        shutil.copytree(published, folder, ignore=lambda at, _: ours if Path(at) == published else ())
        for archive in sorted((published / RUNS).glob("*.tar.xz")):
            _unpack(archive, folder)
        _check_all(folder, published)
        replace_folder(results, folder)
    for path in sorted((published / LABELS.name).glob("*.safetensors")):
        LABELS.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, LABELS / path.name)


def _audited(results: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the last audit, and the files that it was of, in order."""
    if not results.is_dir():
        raise ResultsError(
            f"{results}: there are no results: run `snakemake --cores all`, and `snakemake audit`"
        )
    audit = check_certified(results, {path: digest_of_file(results / path) for path in files_below(results)})
    return audit, list(read_sums((results / SUMS).read_text(encoding="utf-8")))


def _rest(results: Path, files: Iterable[str]) -> list[str]:
    """Return the files that are no run's: those audited, and the audit's own."""
    own = sorted(name for name in OWN if (results / name).is_file())
    return [*(path for path in files if not path.startswith(f"{RUNS}/")), *own]


def _copy(results: Path, files: Iterable[str], folder: Path) -> None:
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(results / path, folder / path)


def _by_study(files: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield the files of the runs of each study, in order."""
    runs: dict[str, list[str]] = {}
    for path in sorted(files):
        if path.startswith(f"{RUNS}/"):
            runs.setdefault(path.split("/")[1], []).append(path)
    yield from runs.items()


def _pack(results: Path, files: Iterable[str], archive: Path) -> None:
    """Write files into an archive that depends on nothing but their paths and contents."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:xz", format=tarfile.PAX_FORMAT, preset=6) as packed:
        # By name first: what one sort of file repeats from run to run is then near enough to be found.
        for path in sorted(files, key=lambda path: (path.rpartition("/")[2], path)):
            entry = tarfile.TarInfo(path)
            entry.size = (results / path).stat().st_size
            with (results / path).open("rb") as content:
                packed.addfile(entry, content)


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive, "r:xz") as packed:
            packed.extractall(folder, filter="data")
    except (OSError, tarfile.TarError, EOFError) as error:
        raise ResultsError(f"{archive}: damaged ({error}): take it from the repository again") from error


def _check_all(folder: Path, published: Path) -> None:
    """Compare every file with its published hash."""
    for path, digest in read_sums((folder / SUMS).read_text(encoding="utf-8")).items():
        if not (folder / path).is_file() or digest_of_file(folder / path) != digest:
            raise ResultsError(
                f"{published}: {path} is missing or changed; take the folder from the repository again"
            )
