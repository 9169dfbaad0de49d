"""Audited results, packed so that they can be kept with the code, and taken out again.

`publish` puts the results of a scale into a folder of some twenty files instead of thousands: each study's runs,
tables and figures as one archive, everything else as it is, and beside it the configuration, the labels of the data,
what it has cost, and the last forecast of that. Of a run's predictions it keeps the classes of the last and the best
epoch, a hundredth of the whole, except where ensembles need the probabilities. `restore` makes the results folder of it
again, for `snakemake audit`, `recheck` and `trace`.
"""

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from replication.audit.certificate import check_certified
from replication.audit.checksums import read_sums
from replication.audit.datasets import FOLDER, LABELS, Labels, labels_file, write_labels
from replication.audit.layout import OWN, SUMS, files_below
from replication.audit.run_contents import only_classes
from replication.data import read_dataset
from replication.errors import ResultsError
from replication.publication.cost import cost_of
from replication.runs.folder import CLASSES, PREDICTIONS, RECORD
from replication.runs.record import read_record
from replication.runs.results import RUNS
from replication.system.digests import digest_of_file
from replication.system.files import replace_folder, write_json, write_text
from replication.training.predictions import read_predictions, write_classes

PUBLISHED = Path("published")
CONFIGURATION, COST, FORECAST = "config.yaml", "cost.json", "forecast.csv"
ARCHIVE = ".tar.xz"
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
        records = []
        for name, paths in _archives(files).items():
            reduced = Path(place, "reduced", name)
            _pack([_reduced(results, path, reduced) for path in paths], folder / f"{name}{ARCHIVE}")
            records += [read_record(results / path) for path in paths if path.endswith(f"/{RECORD}")]
        _copy(results, _rest(results, files), folder)
        for name in sorted({record.dataset.name for record in records}):
            labels = Labels.of(read_dataset(FOLDER / f"{name}.safetensors"))
            write_labels(labels, labels_file(name, folder / LABELS.name))
        write_text(folder / CONFIGURATION, yaml.safe_dump(audit["configuration"]))
        write_json(folder / COST, cost_of(results, files, records))
        if (forecast := results.with_name(f"{results.name}.{FORECAST}")).is_file():
            shutil.copy(forecast, folder / FORECAST)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size > largest:
            raise ResultsError(
                f"{results}: packed it has {size / 1e6:.1f} MB, more than the {largest / 1e6:.0f} MB that a "
                "repository should hold: publish fewer studies, with `only`"
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
        folder.mkdir()
        for path in sorted(published.iterdir()):
            if path.name.endswith(ARCHIVE):
                unpack(path, folder)
            elif path.is_file() and path.name not in (CONFIGURATION, COST, FORECAST):
                shutil.copy(path, folder / path.name)
        _check_all(folder, published)
        _set_times(folder)
        replace_folder(results, folder)
    for path in sorted((published / LABELS.name).glob("*.safetensors")):
        LABELS.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, LABELS / path.name)


def _set_times(folder: Path) -> None:
    """Make everything derived a second older than the runs, so that Snakemake derives it again when it goes on."""
    now = folder.stat().st_mtime_ns
    for path in folder.rglob("*"):
        of_run = path.is_relative_to(folder / RUNS)
        time = now if of_run else now - 10**9
        os.utime(path, ns=(time, time))


def _audited(results: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the last audit, and the files that it was of, in order."""
    if not results.is_dir():
        raise ResultsError(
            f"{results}: there are no results: run `snakemake --cores all`, and `snakemake audit`"
        )
    audit = check_certified(results, {path: digest_of_file(results / path) for path in files_below(results)})
    return audit, list(read_sums((results / SUMS).read_text(encoding="utf-8")))


def _rest(results: Path, files: Iterable[str]) -> list[str]:
    """Return the files that are in no archive: those at the top, and the audit's own."""
    own = sorted(name for name in OWN if (results / name).is_file())
    return [*(path for path in files if "/" not in path), *own]


def _copy(results: Path, files: Iterable[str], folder: Path) -> None:
    for path in files:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(results / path, folder / path)


def _archives(files: Iterable[str]) -> dict[str, list[str]]:
    """Return which files go into which archive: runs and tables of a study into its own, combined tables into one."""
    archives: dict[str, list[str]] = {}
    for path in sorted(files):
        top, *below = path.split("/")
        if below:
            archives.setdefault(below[0] if top in (RUNS, "studies") else top, []).append(path)
    return archives


def _reduced(results: Path, path: str, folder: Path) -> tuple[str, Path]:
    """Return what is kept of a file of the results, and where that lies."""
    if not path.endswith(f"/{PREDICTIONS}"):
        return path, results / path
    log = read_predictions(results / path)
    if log.snapshots:
        return path, results / path
    name = path.removesuffix(PREDICTIONS) + CLASSES
    record = read_record(results / path.removesuffix(PREDICTIONS) / RECORD)
    (folder / name).parent.mkdir(parents=True)
    write_classes(log, {record.epochs, record.best_epoch or record.epochs}, folder / name)
    return name, folder / name


def _pack(files: Iterable[tuple[str, Path]], archive: Path) -> None:
    """Write files into an archive that depends on nothing but their paths in it and their contents."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:xz", format=tarfile.PAX_FORMAT, preset=6) as packed:
        # By name first: what one sort of file repeats from run to run is then near enough to be found.
        for path, place in sorted(files, key=lambda file: (file[0].rpartition("/")[2], file[0])):
            entry = tarfile.TarInfo(path)
            entry.size = place.stat().st_size
            with place.open("rb") as content:
                packed.addfile(entry, content)


def unpack(archive: Path, folder: Path) -> None:
    """Write the files of an archive below a folder. Not by `extractall`, whose filter Python 3.11.3 does not have."""
    try:
        with tarfile.open(archive, "r:xz") as packed:
            for entry in packed:
                content = packed.extractfile(entry) if entry.isfile() else None
                if content is None or ".." in (parts := PurePosixPath(entry.name).parts) or "/" in parts:
                    raise ResultsError(
                        f"{archive}: holds {entry.name}, which is no file of results: take it from the repository again"
                    )
                (folder / entry.name).parent.mkdir(parents=True, exist_ok=True)
                with (folder / entry.name).open("wb") as target:
                    shutil.copyfileobj(content, target)
    except (OSError, tarfile.TarError, EOFError, LZMAError) as error:
        raise ResultsError(f"{archive}: damaged ({error}): take it from the repository again") from error


def _check_all(folder: Path, published: Path) -> None:
    """Compare every file with its published hash."""
    for path, digest in read_sums((folder / SUMS).read_text(encoding="utf-8")).items():
        if path.endswith(f"/{PREDICTIONS}") and only_classes((folder / path).parent):
            continue
        if not (folder / path).is_file() or digest_of_file(folder / path) != digest:
            raise ResultsError(
                f"{published}: {path} is missing or changed; take the folder from the repository again"
            )
