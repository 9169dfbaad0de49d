# What all rules share: the plan, paths, and digests of the code that results depend on.

import gc
from functools import cache

from snakemake.logging import logger

from replication.data import downloaded_all_the_same, inventory, raw_files
from replication.report.parts import PAGE_FILES
from replication.system.stale_locks import register
from replication.runs.plan import STUDIES, load_plan, own_functions
from replication.runs.results import RUN_ID, RUNS, STUDY_TABLES
from replication.runs.same_code import code_of_run
from replication.system.digests import canonical_json
from replication.system.remembered_digests import RememberedDigests
from replication.forecast.job_requests import read_requests
from replication.settings.config import load_config

# Snakemake's own locks outlive it when it is killed; this one does not, and tells which of those are stale. Only the
# main process takes such locks: its jobs may live on, on other hosts too, and are kept apart by those of the trainer.
INSTANCE = (
    register(".snakemake/instances", leftovers=".snakemake/locks") if workflow.is_main_process else None
)

DOWNLOADS = "resources/downloads"

try:
    CONFIG = load_config(config, files=[])  # its files are read before, see checks.smk
    PLAN = load_plan(CONFIG, STUDIES)
    DATASETS = sorted({name for study in PLAN.values() for name in study.datasets})
    DOWNLOADED = []
    # Asked and told once a call, not by each of its jobs again. Audit and figures need no images, and published results
    # come without them; a recheck takes what is prepared. Snakemake does not know its targets yet.
    if workflow.is_main_process and not {"audit", "figures", "recheck"} & {*sys.argv}:
        DOWNLOADED = downloaded_all_the_same(DATASETS, CONFIG)
        for name in DATASETS:
            raw_files(name, CONFIG, DOWNLOADS)
    REQUESTS = read_requests(CONFIG, f"results/{CONFIG.scale}.forecast.csv")
except ReplicationError as error:
    raise WorkflowError(str(error)) from None

# Whether runs may go to a batch system, or this process is one of its jobs: a local call has no `--jobs`.
BATCH_SYSTEM = not workflow.is_main_process or workflow.resource_settings.nodes is not None
# The graph of many runs is made of many objects that stay: without this, looking for garbage among them takes a tenth
# of the time.
gc.set_threshold(100_000)

RESULTS = f"results/{CONFIG.scale}"
LOGS = f"logs/{CONFIG.scale}"
RUN = f"{RESULTS}/{RUNS}/{RUN_ID}"


wildcard_constraints:
    study="[^/]+",
    arm="[^/]+",
    seed="[0-9]+",
    dataset="[^/]+",


# script_digest(script, chosen): of a script and of all that it reaches in the package.
script_digest = RememberedDigests(
    Path(".snakemake/code-digests.json"), Path(workflow.basedir, "workflow/scripts")
).of


def run_settings(wildcards):
    return PLAN[wildcards.study].arms[wildcards.arm]


# All runs of an arm, perhaps many, share these.
@cache
def settings_of_arm(study, arm):
    return canonical_json(PLAN[study].arms[arm].model_dump(mode="json"))


@cache
def code_of_arm(study, arm):
    return code_of_run(PLAN[study].arms[arm], script_digest)


def request_of_run(wildcards):
    return REQUESTS.of(wildcards.study, wildcards.arm)


def dataset_file(name):
    return f"resources/datasets/{name}.safetensors"


for name in DOWNLOADED:
    if not Path(dataset_file(name)).exists():
        logger.warning(f"`data_dir` ({CONFIG.data_dir}) holds no file of {name}: it is downloaded if needed.")


if workflow.is_main_process:
    for name, other in CONFIG.substitute.items():
        if other not in DATASETS:
            logger.warning(
                f"`substitute`: no run uses {name}, so {other} takes no place: runs use {', '.join(DATASETS)}."
            )


def data_of_run(wildcards):
    dataset = run_settings(wildcards).data.dataset
    return {
        # Small, so that Snakemake compares its content: the same data with another date do not rerun anything.
        "manifest": f"resources/datasets/{dataset}.json",
        "dataset": ancient(dataset_file(dataset)),
    }


def of_runs(value_of):
    """A value that depends on the arm, as Snakemake wants it: the value if all agree, else a function of wildcards.

    Snakemake asks a function once or more for each run, which makes a large graph slow.
    """
    values = {value_of(study, arm) for study in PLAN for arm in PLAN[study].arms}
    return values.pop() if len(values) == 1 else lambda wildcards: value_of(wildcards.study, wildcards.arm)


def asked_for(key):
    """Minutes or memory that a run asks for; on a batch system each further attempt asks for more."""
    if BATCH_SYSTEM:
        return lambda wildcards, attempt: attempt * getattr(request_of_run(wildcards), key)
    return of_runs(lambda study, arm: getattr(REQUESTS.of(study, arm), key))


def record_files(wildcards):
    """The records of a study's runs.

    None for the target `figures`: the tables are then made of the existing runs, and nothing can train.
    """
    if set(workflow.dag_settings.targets) == {"figures"}:
        return []
    return [f"{RESULTS}/{RUNS}/{run_id}/record.json" for run_id in PLAN[wildcards.study].run_ids]


def study_results(study):
    """The final results of a study: its verdicts, and its notebook with the figures."""
    if study not in PLAN:
        return []
    folder = f"{RESULTS}/studies/{study}"
    return [f"{folder}/claims.csv", f"{folder}/notebook.ipynb"]


# Tables of a study that Snakemake's own report shows, with their captions.
SHOWN_TABLES = {"runs": "runs", "summary": "means over seeds"}


def study_table(name):
    path = f"{RESULTS}/studies/{{study}}/{name}.csv"
    if name not in SHOWN_TABLES:
        return path
    return report(
        path,
        caption=f"../../reports/captions/{name}.rst",
        category="Tables",
        subcategory="{study}",
        labels={"table": SHOWN_TABLES[name]},
    )
