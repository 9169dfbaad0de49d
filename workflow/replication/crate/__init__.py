"""The results of a scale as one Workflow Run RO-Crate (Provenance Run Crate 0.5), ready to be deposited.

See https://www.researchobject.org/workflow-run-crate/profiles/0.5/provenance_run_crate/.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from replication.analysis.measures import DERIVED
from replication.audit.certificate import check_certified
from replication.audit.layout import AUDIT
from replication.crate.archive import write_archive
from replication.crate.contents import CrateFile, crate_files, folders_of
from replication.crate.deposit import CODECHECK, ZENODO, codecheck, zenodo
from replication.crate.evidence import Engine, Evidence
from replication.crate.metadata import metadata
from replication.crate.preview import PREVIEW, preview
from replication.crate.root import METADATA
from replication.errors import ResultsError
from replication.runs.folder import RECORD
from replication.runs.record import read_record
from replication.system.digests import digest_of_text
from replication.system.tables import read_table

__all__ = ["Engine", "write_crate"]


def write_crate(
    results: str,
    manifests: Iterable[str],
    configuration: Mapping[str, Any],
    engine: Engine,
    output: str | Path,
    project: str | Path = ".",
) -> None:
    """Write the crate of a scale: the same results give the same bytes.

    Parameters
    ----------
    results
        `results/<scale>`, relative to `project`, with its report.
    manifests
        Paths of the data sets' manifests, relative to `project`.
    configuration
        The knobs, as Snakemake hands them to a script.
    project
        The folder that holds the workflow.

    Raises
    ------
    ResultsError
        There are no runs, a file is missing, a file of a run is not the one that its record names, or the last
        audit failed or was of other files.
    """
    evidence = gather(Path(project), results, list(manifests), configuration, engine)
    more = {ZENODO: zenodo(evidence), CODECHECK: codecheck(evidence)}
    added = {path: CrateFile(path, len(text.encode()), digest_of_text(text)) for path, text in more.items()}
    evidence = replace(evidence, files=dict(sorted({**evidence.files, **added}.items())))
    described = metadata(evidence)
    text = json.dumps(described, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False) + "\n"
    write_archive(
        output,
        Path(project),
        files=evidence.files,
        folders=folders_of(evidence.files),
        texts={METADATA: text, PREVIEW: preview(evidence, Path(project)), **more},
        moment=evidence.ended,
    )


def gather(
    project: Path, results: str, manifests: list[str], configuration: Mapping[str, Any], engine: Engine
) -> Evidence:
    """Read what a crate is made of, and compare every file of a run with the hash in its record."""
    runs = _runs(project / results)
    run_ids = [run_id for of_study in runs.values() for run_id in of_study]
    if not run_ids:
        raise ResultsError(f"{results}: holds no finished run: run the workflow first")
    files = crate_files(project, results, run_ids, manifests)
    records = {run_id: _record(project, f"{results}/runs/{run_id}", files) for run_id in run_ids}
    return Evidence(
        scale=Path(results).name,
        results=results,
        files=files,
        runs=runs,
        records=records,
        audit=_audit(project, results, files),
        manifests={path: _json(project / path) for path in sorted(manifests)},
        configuration=configuration,
        citation=yaml.safe_load((project / "CITATION.cff").read_text(encoding="utf-8")),
        engine=engine,
    )


def _runs(results: Path) -> dict[str, list[str]]:
    """Return the runs in the tables, study by study, without those that are missing."""
    table = read_table(results / "tables" / "runs.csv")
    return {
        str(study): rows.loc[~rows["outcome"].isin(["missing", DERIVED]), "run_id"].tolist()
        for study, rows in table.groupby("study", sort=False)
    }


def _json(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{path}: missing or damaged ({error}): run the workflow again") from error
    return content


def _record(project: Path, folder: str, files: Mapping[str, CrateFile]) -> dict[str, Any]:
    """Read the record of a run, and compare each file with its hash in it."""
    try:
        record = read_record(project / folder / RECORD).model_dump(mode="json")
    except ResultsError as error:
        raise ResultsError(f"{folder}/{RECORD}: {error}: delete the run's folder and run again") from error
    for name, sha256 in record["files"].items():
        path = f"{folder}/{name}"
        if path not in files or files[path].sha256 != sha256:
            raise ResultsError(
                f"{path}: missing, or not the file that {RECORD} names: delete the run's folder and run again"
            )
    return record


def _audit(project: Path, results: str, files: Mapping[str, CrateFile]) -> dict[str, Any] | None:
    """Return what the last audit found, None if there was none; it must be about these very files."""
    if f"{results}/{AUDIT}" not in files:
        return None
    inside = {path.removeprefix(f"{results}/"): file.sha256 for path, file in files.items()}
    return check_certified(project / results, inside)
