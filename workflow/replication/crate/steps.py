"""The steps of the workflow, one for each rule that makes something, and what flows between them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from replication.crate.vocabulary import BIOSCHEMAS, Entity, reference, references
from replication.runs.results import STUDY_TABLES

FILE, FOLDER, TEXT, NUMBER = "File", "Dataset", "Text", "Integer"
WORKFLOW = "workflow"  # as the name of a step: the workflow as a whole
COMBINED = (*STUDY_TABLES, "claims")  # the tables of a study, each of which there is for all studies, too


@dataclass(frozen=True)
class Step:
    """One rule.

    Attributes
    ----------
    script
        What it runs, below workflow/scripts.
    inputs
        From the name of a parameter to the kind of thing that it is.
    outputs
        The same, for outputs.
    sources
        From the name of an input to the output of another step, as `step.name`, that it comes from.
    """

    script: str
    description: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def tool(self) -> str:
        """Identifier of the script."""
        return f"workflow/scripts/{self.script}"


# In the order of the work. The names are those of the rules. A step that left nothing in the results is left out.
STEPS: dict[str, Step] = {
    "download": Step("download.py", "Download and verify the files of a data set.", {}, {"source": FOLDER}),
    "prepare": Step(
        "prepare.py",
        "Prepare one data set into its verified file.",
        {"source": FOLDER},
        {"dataset": FOLDER, "manifest": FILE},
        {"source": "download.source"},
    ),
    "train": Step(
        "train.py",
        "Train one run: one arm of a study with one seed.",
        {"dataset": FOLDER, "manifest": FILE, "settings": TEXT, "seed": NUMBER, "code": TEXT},
        {"record": FILE, "history": FILE, "timings": FILE, "predictions": FILE, "steps": FILE},
        {"dataset": "prepare.dataset", "manifest": "prepare.manifest"},
    ),
    "study_tables": Step(
        "study_tables.py",
        "Collect the runs of one study into its tables, and judge its claims.",
        {"study": FILE, "records": FILE, "histories": FILE, "timings": FILE, "steps": FILE},
        dict.fromkeys(COMBINED, FILE),
        {
            "records": "train.record",
            "histories": "train.history",
            "timings": "train.timings",
            "steps": "train.steps",
        },
    ),
    "combine": Step(
        "combine.py",
        "Put each table of all studies into one.",
        dict.fromkeys(COMBINED, FILE),
        dict.fromkeys(COMBINED, FILE),
        {table: f"study_tables.{table}" for table in COMBINED},
    ),
    "schedules": Step("schedules.py", "Tabulate the curve of every schedule.", {}, {"schedules": FILE}),
    "notebook": Step(
        "execute_notebook.py",
        "Execute the notebook of one study, which draws its figures.",
        {"notebook": FILE, "tables": FILE, "claims": FILE},
        {"notebook": FILE, "figures": FOLDER},
        {"tables": "study_tables.summary", "claims": "study_tables.claims"},
    ),
    "report": Step(
        "report.py",
        "Render the report.",
        {
            "claims": FILE,
            "tables": FILE,
            "schedules": FILE,
            "notebooks": FILE,
            "figures": FOLDER,
            "page": FILE,
        },
        {"report": FILE},
        {
            "claims": "combine.claims",
            "tables": "combine.summary",
            "schedules": "schedules.schedules",
            "notebooks": "notebook.notebook",
            "figures": "notebook.figures",
        },
    ),
    "audit": Step(
        "audit.py",
        "Check every link from data to report, and derive again what can be.",
        {"records": FILE, "claims": FILE, "report": FILE},
        {"audit": FILE},
        {"records": "train.record", "claims": "combine.claims", "report": "report.report"},
    ),
}
WORKFLOW_OUTPUTS = {"report": "report.report", "claims": "combine.claims"}


def parameter_id(step: str, side: str, name: str) -> str:
    """Return the identifier of a parameter; `side` is `input` or `output`."""
    return f"#parameter/{step}/{side}/{name}"


def step_id(step: str) -> str:
    """Return the identifier of a step."""
    return f"#step/{step}"


def parameters(step: str, kinds: Mapping[str, str], side: str, used: Collection[str]) -> list[Entity]:
    """Describe those parameters of one side of a step that are `used`, by identifier."""
    return [
        {
            "@id": parameter_id(step, side, name),
            "@type": "FormalParameter",
            "additionalType": kind,
            "conformsTo": reference(f"{BIOSCHEMAS}/FormalParameter/1.0-RELEASE"),
            "name": name,
        }
        for name, kind in kinds.items()
        if parameter_id(step, side, name) in used
    ]


def step_entities(steps: Collection[str], used: Collection[str]) -> Iterator[Entity]:
    """Describe the steps that ran, their parameters and the connections between these.

    Parameters
    ----------
    used
        Identifiers of the parameters that have a value in the crate.
    """
    for position, name in enumerate((name for name in STEPS if name in steps), 1):
        step = STEPS[name]
        yield from parameters(name, step.inputs, "input", used)
        yield from parameters(name, step.outputs, "output", used)
        links = [
            _connection(output, parameter_id(name, "input", target))
            for target, output in step.sources.items()
            if {_output_id(output), parameter_id(name, "input", target)} <= set(used)
        ]
        yield from links
        yield {
            "@id": step_id(name),
            "@type": "HowToStep",
            "name": name,
            "description": step.description,
            "position": str(position),
            "workExample": reference(step.tool),
            "connection": references(link["@id"] for link in links),
        }


def output_connections(used: Collection[str]) -> list[Entity]:
    """Return what leads from the last steps to the outputs of the workflow."""
    return [
        _connection(output, parameter_id(WORKFLOW, "output", name))
        for name, output in WORKFLOW_OUTPUTS.items()
        if _output_id(output) in used
    ]


def _output_id(output: str) -> str:
    step, _, name = output.partition(".")
    return parameter_id(step, "output", name)


def _connection(output: str, target: str) -> Entity:
    return {
        "@id": f"#connection/{output.replace('.', '/')}/{target.removeprefix('#parameter/')}",
        "@type": "ParameterConnection",
        "sourceParameter": reference(_output_id(output)),
        "targetParameter": reference(target),
    }
