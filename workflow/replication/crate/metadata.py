"""The metadata of a crate: one JSON-LD graph about files, steps, what ran, and its results."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from replication.crate.contents import file_entities
from replication.crate.evidence import Evidence
from replication.crate.executions import (
    Execution,
    Results,
    audit_executions,
    dataset_executions,
    dataset_id,
    final_executions,
    run_execution,
    run_values,
    source_id,
    study_executions,
)
from replication.crate.root import (
    MAIN,
    PYTHON,
    descriptor,
    language_of,
    license_of,
    people_and_profiles,
    root,
)
from replication.crate.steps import (
    STEPS,
    WORKFLOW,
    WORKFLOW_OUTPUTS,
    output_connections,
    parameter_id,
    parameters,
    step_entities,
    step_id,
)
from replication.crate.vocabulary import (
    BIOSCHEMAS,
    COMPLETED,
    CONTEXT,
    Entity,
    property_value,
    reference,
    references,
)

RUN = "#workflow-run"
# Knobs that decide the plan. The others say where files lie on somebody's machine.
KNOBS = {"scale": "Text", "seeds": "Text", "only": "Text", "substitute": "Text"}


def metadata(evidence: Evidence) -> Entity:
    """Return the content of `ro-crate-metadata.json`: the same for the same evidence, entities in order."""
    executions = _executions(evidence)
    whole = _whole(evidence)
    examples = _examples([*executions, whole])
    entities = [
        *file_entities(evidence.files, examples),
        *_valued(run_values(list(evidence.records.values())), examples),
        *_valued(_knobs(evidence), examples),
        *_valued(_datasets(evidence), examples),
        *_actions(evidence, executions, whole),
        *_workflow_parts({each.step for each in executions}, {p for ps in examples.values() for p in ps}),
        *people_and_profiles(evidence),
    ]
    graph = {entity["@id"]: entity for entity in entities}
    _say_more(graph, evidence, executions, examples)
    first = [descriptor(), root(evidence, [RUN, *(each.action_id for each in executions)])]
    in_order = [*first, *(graph[key] for key in sorted(graph))]
    return {"@context": CONTEXT, "@graph": [_plain(entity) for entity in in_order]}


def _plain(entity: Entity) -> Entity:
    """Return an entity as RO-Crate recommends: a list of one item as that item, and no empty lists."""
    found: dict[str, Any] = {key: value for key, value in entity.items() if value != []}
    return {
        key: value[0] if isinstance(value, list) and len(value) == 1 else value
        for key, value in found.items()
    }


def _executions(evidence: Evidence) -> list[Execution]:
    results = Results(evidence.results, evidence.files)
    found = [each for path, facts in evidence.manifests.items() for each in dataset_executions(facts, path)]
    found += [run_execution(record, results) for record in evidence.records.values()]
    for study, run_ids in evidence.runs.items():
        found += study_executions(study, run_ids, results)
    found += final_executions(list(evidence.runs), results)
    return [*found, *audit_executions(evidence.audit, list(evidence.records), results)]


def _whole(evidence: Evidence) -> Execution:
    """Return the run of the workflow as a whole; its `step` is not one of `STEPS`."""
    results = Results(evidence.results, evidence.files)
    return Execution(
        WORKFLOW,
        "",
        inputs={
            **{name: [_knob_id(name)] for name in KNOBS if evidence.configuration.get(name) is not None},
            "studies": results.of_project(*(f"config/studies/{study}.yaml" for study in evidence.runs)),
        },
        outputs={"report": results.there("report.html"), "claims": results.there("claims.csv")},
    )


def _examples(executions: Iterable[Execution]) -> dict[str, set[str]]:
    examples: dict[str, set[str]] = {}
    for execution in executions:
        for entity_id, parameter in execution.values():
            examples.setdefault(entity_id, set()).add(parameter)
    return examples


def _valued(entities: Iterable[Entity], examples: Mapping[str, Iterable[str]]) -> list[Entity]:
    return [entity | {"exampleOfWork": references(examples.get(entity["@id"], []))} for entity in entities]


def _knob_id(name: str) -> str:
    return f"#configuration/{name}"


def _knobs(evidence: Evidence) -> list[Entity]:
    values = {name: evidence.configuration.get(name) for name in KNOBS}
    return [
        property_value(_knob_id(name), name, str(value))
        for name, value in values.items()
        if value is not None
    ]


def _datasets(evidence: Evidence) -> list[Entity]:
    """Describe the data sets and their sources, which are not in the crate themselves."""
    entities = []
    for path, facts in evidence.manifests.items():
        name, source = facts["name"], facts["source"]
        common = {"@type": "Dataset", "license": source["licence"]}
        images = {split: facts["shapes"][f"{split}_images"][0] for split in ("train", "test")}
        entities += [
            common
            | {
                "@id": dataset_id(name),
                "name": f"data set {name}, prepared",
                "description": f"{images['train']} training and {images['test']} test images in "
                f"{len(facts['classes'])} classes. Not in this crate: the workflow prepares it again, and the "
                "identifier is the SHA-256 of its images and labels.",
                "identifier": f"sha256:{facts['identity']}",
                "isBasedOn": reference(source_id(name)),
                "subjectOf": reference(path),
            },
            common
            | {
                "@id": source_id(name),
                "name": f"source of data set {name} ({source['kind']})",
                "description": source["description"],
            },
        ]
    return entities


def _actions(evidence: Evidence, executions: Sequence[Execution], whole: Execution) -> list[Entity]:
    engine = evidence.engine
    links = {side: references(v for vs in values.values() for v in vs) for side, values in _sides(whole)}
    times = {"startTime": evidence.started, "endTime": evidence.ended, "actionStatus": COMPLETED}
    return [
        *(entity for each in executions for entity in each.entities()),
        {
            "@id": RUN,
            "@type": "CreateAction",
            "name": f"Run of the workflow at {evidence.scale} scale",
            "description": "From the start of the first run to the end of the last; it may have been paused.",
            "instrument": reference(MAIN),
            **links,
            **times,
        },
        {
            "@id": "#execution",
            "@type": "OrganizeAction",
            "name": f"Execution by {engine.name} {engine.version}",
            "instrument": reference(engine.url),
            "object": references(each.control_id for each in executions),
            "result": reference(RUN),
            **times,
        },
        {
            "@id": engine.url,
            "@type": "SoftwareApplication",
            "name": engine.name,
            "softwareVersion": engine.version,
            "url": engine.url,
        },
    ]


def _sides(execution: Execution) -> list[tuple[str, Mapping[str, Sequence[str]]]]:
    return [("object", execution.inputs), ("result", execution.outputs)]


def _workflow_parts(steps: set[str], used: set[str]) -> list[Entity]:
    return [
        *step_entities(steps, used),
        *output_connections(used),
        *parameters(WORKFLOW, {**KNOBS, "studies": "File"}, "input", used),
        *parameters(WORKFLOW, dict.fromkeys(WORKFLOW_OUTPUTS, "File"), "output", used),
    ]


def _say_more(
    graph: dict[str, Entity],
    evidence: Evidence,
    executions: Sequence[Execution],
    examples: Mapping[str, Iterable[str]],
) -> None:
    """Add to the files that are more than files: the workflow, its tools and the README."""
    used = {parameter for found in examples.values() for parameter in found}
    steps = [name for name in STEPS if name in {each.step for each in executions}]
    for name in steps:
        step = STEPS[name]
        graph[step.tool] |= {
            "@type": ["File", "SoftwareSourceCode"],
            "description": step.description,
            "version": evidence.citation["version"],
            "programmingLanguage": reference(PYTHON),
            **_interface(name, used),
        }
    graph["README.md"] |= {"about": reference("./")}
    graph[MAIN] |= {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": evidence.citation["title"],
        "version": evidence.citation["version"],
        "license": license_of(evidence),
        "conformsTo": reference(f"{BIOSCHEMAS}/ComputationalWorkflow/1.0-RELEASE"),
        "programmingLanguage": language_of(evidence),
        "hasPart": references(STEPS[name].tool for name in steps),
        "step": [reference(step_id(name)) for name in steps],
        "connection": references(link["@id"] for link in output_connections(used)),
        **_interface(WORKFLOW, used),
    }


def _interface(step: str, used: Iterable[str]) -> Entity:
    """Return the links of a tool to its parameters."""
    sides = {side: parameter_id(step, side, "") for side in ("input", "output")}
    return {side: references(p for p in used if p.startswith(start)) for side, start in sides.items()}
