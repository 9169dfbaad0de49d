"""What ran: one execution of a step for each run, table, notebook and so on."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from replication.audit.layout import AUDIT, PAGE, SIGNATURE, SUMS
from replication.crate.steps import COMBINED, STEPS, parameter_id, step_id
from replication.crate.vocabulary import COMPLETED, Entity, identifier, property_value, reference, references
from replication.report.parts import PAGE_FILES
from replication.runs.folder import HISTORY, PREDICTIONS, RECORD, TIMINGS
from replication.runs.folder import STEPS as STEPS_FILE
from replication.runs.results import STUDY_TABLES
from replication.system.digests import canonical_json

RUN_FILES = {
    "record": RECORD,
    "history": HISTORY,
    "timings": TIMINGS,
    "predictions": PREDICTIONS,
    "steps": STEPS_FILE,
}
OF_RUNS = {"records": RECORD, "histories": HISTORY, "timings": TIMINGS, "steps": STEPS_FILE}
Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Execution:
    """One execution of a step.

    Attributes
    ----------
    name
        Tells it from others of the step; empty where there is only one.
    inputs, outputs
        From the name of a parameter of the step to the identifiers of its values.
    facts
        More about the action, such as when it started.
    """

    step: str
    name: str
    inputs: Values
    outputs: Values
    facts: Entity = field(default_factory=dict)

    @property
    def action_id(self) -> str:
        """Identifier of the action."""
        return "/".join(["#action", self.step, *([self.name] if self.name else [])])

    @property
    def control_id(self) -> str:
        """Identifier of the action that started this one."""
        return self.action_id.replace("#action", "#control", 1)

    def entities(self) -> list[Entity]:
        """Describe the action and what controlled it."""
        step = STEPS[self.step]
        name = f"{self.step} {self.name}".strip()
        action = {
            "@id": self.action_id,
            "@type": "CreateAction",
            "name": name,
            "description": step.description,
            "instrument": reference(step.tool),
            "object": _links(self.inputs),
            "result": _links(self.outputs),
            "actionStatus": COMPLETED,
            **self.facts,
        }
        control = {
            "@id": self.control_id,
            "@type": "ControlAction",
            "name": f"control of {name}",
            "instrument": reference(step_id(self.step)),
            "object": reference(self.action_id),
            "actionStatus": COMPLETED,
        }
        return [action, control]

    def values(self) -> Iterator[tuple[str, str]]:
        """Yield each value's identifier with that of its parameter."""
        for side, values in (("input", self.inputs), ("output", self.outputs)):
            for name, entity_ids in values.items():
                for entity_id in entity_ids:
                    yield entity_id, parameter_id(self.step, side, name)


def _links(values: Values) -> list[Entity]:
    return references(entity_id for each in values.values() for entity_id in each)


class Results:
    """The files of `results/<scale>` that are in the crate, asked for as identifiers."""

    def __init__(self, folder: str, files: Collection[str]) -> None:
        self._folder = folder
        self._files = files

    def there(self, *paths: str) -> list[str]:
        """Return the identifiers of those paths below the results that exist."""
        return self.of_project(*(f"{self._folder}/{path}" for path in paths))

    def of_project(self, *paths: str) -> list[str]:
        """Return the identifiers of those paths of the project that exist; a folder's ends in a slash."""
        return [
            identifier(path)
            for path in paths
            if path in self._files
            or (path.endswith("/") and any(file.startswith(path) for file in self._files))
        ]


def run_execution(record: Mapping[str, Any], results: Results) -> Execution:
    """Return the training of a run, with what its record says."""
    run_id = record["run_id"]
    dataset = record["dataset"]["name"]
    return Execution(
        "train",
        run_id,
        inputs={
            "dataset": [dataset_id(dataset)],
            "manifest": results.of_project(f"resources/datasets/{dataset}.json"),
            "settings": [settings_id(record)],
            "seed": [seed_id(record)],
            "code": [f"#code/{record['code_sha256']}"],
        },
        outputs={parameter: results.there(f"runs/{run_id}/{name}") for parameter, name in RUN_FILES.items()},
        facts={
            "description": f"{STEPS['train'].description} {_in_words(record)}",
            "startTime": record["started"],
            "endTime": record["ended"],
        },
    )


def _in_words(record: Mapping[str, Any]) -> str:
    machine, git = record["machine"], record["git"]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(record["versions"].items()))
    commit = f"commit {git['commit']}" if git["commit"] else "no commit known"
    return (
        f"Outcome: {record['outcome']} after {record['epochs']} epochs; on {machine['device']}, "
        f"{machine['processor']}, {machine['system']} {machine['architecture']}, threads: {machine['threads']}; "
        f"{versions}; "
        f"lock file SHA-256 {record['lock_sha256'] or 'unknown'}; {commit}{' with changes' if git['dirty'] else ''}; "
        f"final weights SHA-256 {record['weights_sha256']}."
    )


def run_values(records: Collection[Mapping[str, Any]]) -> list[Entity]:
    """Describe the settings, seeds and code digests that runs have as inputs."""
    values: dict[str, Entity] = {}
    for record in records:
        for entity in (
            property_value(settings_id(record), "settings", canonical_json(record["settings"])),
            property_value(seed_id(record), "seed", record["seed"]),
            property_value(
                f"#code/{record['code_sha256']}",
                "SHA-256 of the definitions that the run reaches",
                record["code_sha256"],
            ),
        ):
            values[entity["@id"]] = entity
    return list(values.values())


def seed_id(record: Mapping[str, Any]) -> str:
    """Return the identifier of a run's seed."""
    return f"#seed/{record['seed']}"


def settings_id(record: Mapping[str, Any]) -> str:
    """Return the identifier of a run's settings."""
    return f"#settings/{record['settings_sha256']}"


def dataset_id(name: str) -> str:
    """Return the identifier of a data set, whose images are not in the crate."""
    return f"#dataset/{name}"


def source_id(name: str) -> str:
    """Return the identifier of what a data set was prepared from."""
    return f"#source/{name}"


def dataset_executions(manifest: Mapping[str, Any], path: str) -> list[Execution]:
    """Return the preparation of a data set, and its download if it was downloaded."""
    name = manifest["name"]
    prepared = Execution(
        "prepare",
        name,
        {"source": [source_id(name)]},
        {"dataset": [dataset_id(name)], "manifest": [identifier(path)]},
    )
    if manifest["source"]["kind"] != "downloaded":
        return [prepared]
    return [Execution("download", name, {}, {"source": [source_id(name)]}), prepared]


def study_executions(study: str, run_ids: Sequence[str], results: Results) -> list[Execution]:
    """Return what made the tables, the verdicts and the figures of a study."""
    folder = f"studies/{study}"
    table = {name: results.there(f"{folder}/{name}.csv") for name in COMBINED}
    plan = {"study": results.of_project(f"config/studies/{study}.yaml")}
    of_runs = {
        parameter: results.there(*(f"runs/{run_id}/{name}" for run_id in run_ids))
        for parameter, name in OF_RUNS.items()
    }
    tables = {name: found for name, found in table.items() if name != "claims"}
    return [
        Execution("study_tables", study, plan | of_runs, table),
        Execution(
            "notebook",
            study,
            {
                "notebook": results.of_project(f"reports/{study}.ipynb"),
                "tables": [path for found in tables.values() for path in found],
                "claims": table["claims"],
            },
            {
                "notebook": results.there(f"{folder}/notebook.ipynb"),
                "figures": results.there(f"{folder}/figures/"),
            },
        ),
    ]


def final_executions(studies: Sequence[str], results: Results) -> list[Execution]:
    """Return what made the tables of all studies, and the report."""
    combined = {name: results.there(f"tables/{name}.csv") for name in STUDY_TABLES}
    combined["claims"] = results.there("claims.csv")
    schedules = results.there("tables/schedules.csv")
    return [
        Execution(
            "combine",
            "",
            {name: results.there(*(f"studies/{study}/{name}.csv" for study in studies)) for name in COMBINED},
            combined,
        ),
        Execution("schedules", "", {}, {"schedules": schedules}),
        Execution(
            "report",
            "",
            {
                "claims": combined["claims"],
                "tables": [path for name in STUDY_TABLES for path in combined[name]],
                "schedules": schedules,
                "notebooks": results.there(*(f"studies/{study}/notebook.ipynb" for study in studies)),
                "figures": results.there(*(f"studies/{study}/figures/" for study in studies)),
                "page": results.of_project(*PAGE_FILES),
            },
            {"report": results.there("report.html")},
        ),
    ]


def audit_executions(
    audit: Mapping[str, Any] | None, run_ids: Sequence[str], results: Results
) -> list[Execution]:
    """Return the last audit, given as in `audit.json`, if there was one."""
    if audit is None:
        return []
    inputs = {
        "records": results.there(*(f"runs/{run_id}/{RECORD}" for run_id in run_ids)),
        "claims": results.there("claims.csv"),
        "report": results.there("report.html"),
    }
    outputs = {"audit": results.there(AUDIT, PAGE, SUMS, SIGNATURE)}
    return [Execution("audit", "", inputs, outputs, {"endTime": audit["time"]})]
