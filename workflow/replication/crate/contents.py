"""What goes into a crate: the files of the workflow and of its results, each with size and hash."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from replication.audit.layout import AUDIT, OTHERS
from replication.crate.vocabulary import Entity, identifier, references
from replication.errors import ResultsError
from replication.runs.folder import PREDICTIONS, RECORD, STEPS, TIMINGS
from replication.runs.results import STUDY_TABLES
from replication.system.digests import canonical_json, digest_of_file, digest_of_text

# What it takes to run the workflow again; the tests stay in the repository.
WORKFLOW = (
    "CITATION.cff",
    "LICENSE",
    "Makefile",
    "README.md",
    "Snakefile",
    "config",
    "docs",
    "envs",
    "profiles",
    "pyproject.toml",
    "reports",
    "schedules",
    "workflow",
)
MEDIA_TYPES = {
    ".cff": "application/yaml",
    ".css": "text/css",
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/x-python",
    ".rst": "text/x-rst",
    ".safetensors": "application/octet-stream",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
DESCRIPTIONS = {
    RECORD: "The record of a run: settings, data, code, versions, machine and hashes.",
    TIMINGS: "One row per epoch: seconds of training, evaluation and probing, and the largest memory.",
    PREDICTIONS: "Predicted class and loss of each image, from which every evaluation metric can be computed again.",
    STEPS: "One row a training step.",
    **{f"{name}.csv": text for name, text in STUDY_TABLES.items()},
    "claims.csv": "One row per claim: estimate, interval, margin, verdict and the runs used.",
    "schedules.csv": "The curve of every schedule.",
    "audit.html": "What the last audit looked at, and found.",
    "audit.json": "The outcome of the last audit.",
    "SHA256SUMS": "The hashes of all results, as `sha256sum --check` reads them.",
    "report.html": "The report: claims, tables and figures, to be read offline.",
}


@dataclass(frozen=True)
class CrateFile:
    """One file of the crate.

    Attributes
    ----------
    path
        In the crate, which is also where it lies in the project.
    size
        In bytes.
    """

    path: str
    size: int
    sha256: str


def crate_files(
    project: Path, results: str, run_ids: Iterable[str], manifests: Iterable[str]
) -> dict[str, CrateFile]:
    """Return the files of a crate by path, in order.

    Of `results/<scale>/runs` only the folders of `run_ids` go in, since no number comes from any other; nothing
    hidden does, such as what an unfinished run or an editor leaves behind.

    Raises
    ------
    ResultsError
        A file is missing.
    """
    used = [f"{results}/runs/{run_id}" for run_id in run_ids]
    runs = PurePosixPath(results, "runs")
    paths = _workflow_files(project)
    paths += [path for path in _below(project, results) if runs not in PurePosixPath(path).parents]
    paths += [path for folder in used for path in _below(project, folder)]
    return {path: _described(project, path) for path in sorted({*paths, *manifests})}


def digest_of_more(project: Path, results: str) -> str:
    """Return the SHA-256 of what a crate holds beside what the report depends on.

    That is the workflow, and what the last audit and other commands have left in the results.
    """
    left = [f"{results}/{name}" for name in (AUDIT, *OTHERS) if (project / results / name).exists()]
    described = (_described(project, path) for path in sorted([*_workflow_files(project), *left]))
    return digest_of_text(canonical_json([[file.path, file.sha256] for file in described]))


def _workflow_files(project: Path) -> list[str]:
    return [path for top in WORKFLOW for path in _below(project, top)]


def _below(project: Path, top: str) -> Iterator[str]:
    """Yield the paths of a file, or of all files below a folder, that are not hidden."""
    place = project / top
    for path in [place] if place.is_file() else place.rglob("*"):
        parts = path.relative_to(project).parts
        if path.is_file() and not any(part.startswith(".") or part == "__pycache__" for part in parts):
            yield PurePosixPath(*parts).as_posix()


def _described(project: Path, path: str) -> CrateFile:
    try:
        return CrateFile(path, (project / path).stat().st_size, digest_of_file(project / path))
    except OSError as error:
        raise ResultsError(f"{path}: cannot be read ({error}); run the workflow first") from error


def folders_of(files: Iterable[str]) -> list[str]:
    """Return all folders that hold `files`, as paths that end in a slash, without the crate itself."""
    parents = {parent for path in files for parent in PurePosixPath(path).parents}
    return sorted(f"{parent}/" for parent in parents if parent != PurePosixPath())


def file_entities(files: Mapping[str, CrateFile], examples: Mapping[str, Iterable[str]]) -> list[Entity]:
    """Describe files and folders.

    Parameters
    ----------
    examples
        From the identifier of a file or folder to the parameters of which it is a value.
    """
    entities = [_file(file) for file in files.values()]
    entities += [_folder(folder, files) for folder in folders_of(files)]
    return [entity | {"exampleOfWork": references(examples.get(entity["@id"], []))} for entity in entities]


def _folder(folder: str, files: Iterable[str]) -> Entity:
    return {
        "@id": identifier(folder),
        "@type": "Dataset",
        "name": folder.rstrip("/"),
        "hasPart": parts_of(folder, files),
    }


def _file(file: CrateFile) -> Entity:
    path = PurePosixPath(file.path)
    entity: Entity = {
        "@id": identifier(file.path),
        "@type": "File",
        "name": file.path,
        "contentSize": str(file.size),
        "encodingFormat": MEDIA_TYPES.get(path.suffix, "text/plain"),
        "sha256": file.sha256,
    }
    if path.parts[0] == "results" and path.name in DESCRIPTIONS:
        entity["description"] = DESCRIPTIONS[path.name]
    return entity


def parts_of(folder: str, files: Iterable[str]) -> list[Entity]:
    """Return links to what lies directly in `folder`, a path that ends in a slash or is empty for the crate."""
    below = [path.removeprefix(folder) for path in files if path.startswith(folder)]
    names = {name + slash for name, slash, _ in (path.partition("/") for path in below)}
    return references(identifier(folder + name) for name in names)
