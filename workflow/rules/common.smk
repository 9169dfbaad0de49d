# What all rules share: the plan, paths, and digests of the code that results depend on.

import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Snakemake hands this on to the scripts.
sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from replication.code_digest import code_digest
from replication.data import raw_files
from replication.errors import ReplicationError
from replication.instances import register
from replication.plan import STUDIES, load_plan
from replication.provenance import canonical_json, registry_choices
from replication.job_requests import read_requests
from replication.settings.config import load_config

# Snakemake's own locks outlive it when it is killed; this one does not, and tells which of those are stale. Only the
# main process takes such locks: its jobs may live on, on other hosts too, and are kept apart by those of the trainer.
INSTANCE = (
    register(".snakemake/instances", leftovers=".snakemake/locks") if workflow.is_main_process else None
)

try:
    CONFIG = load_config(config, [*workflow.configfiles])
    PLAN = load_plan(CONFIG, STUDIES)
    DATASETS = sorted({name for study in PLAN.values() for name in study.datasets})
    # What each data set is prepared from: the user's own files, or those to download.
    RAW_FILES = {name: raw_files(name, CONFIG, "resources/downloads") for name in DATASETS}
    REQUESTS = read_requests(CONFIG, f"results/{CONFIG.scale}.forecast.csv")
except ReplicationError as error:
    raise WorkflowError(str(error)) from None

RESULTS = f"results/{CONFIG.scale}"
LOGS = f"logs/{CONFIG.scale}"
STUDY_TABLES = ("runs", "history", "summary", "arms")


wildcard_constraints:
    study="[^/]+",
    arm="[^/]+",
    seed="[0-9]+",
    dataset="[^/]+",


def script_digest(script, chosen=None):
    """Digest of a script in workflow/scripts/ and of all that it reaches in the package."""
    return code_digest(Path(workflow.basedir) / "workflow" / "scripts" / script, chosen)


def run_settings(wildcards):
    return PLAN[wildcards.study].arms[wildcards.arm]


# The runs of an arm share these, and may be many.
@cache
def settings_of_arm(study, arm):
    return canonical_json(PLAN[study].arms[arm].model_dump(mode="json"))


@cache
def code_of_arm(study, arm):
    return script_digest("train.py", registry_choices(PLAN[study].arms[arm]))


def request_of_run(wildcards):
    return REQUESTS.of(wildcards.study, wildcards.arm)


def dataset_file(name):
    return f"resources/datasets/{name}.safetensors"


def manifest_of_run(wildcards):
    return f"resources/datasets/{run_settings(wildcards).data.dataset}.json"


def dataset_of_run(wildcards):
    return ancient(dataset_file(run_settings(wildcards).data.dataset))


def record_files(wildcards):
    """The records of a study's runs.

    For the target `figures` none: the tables are then made of the runs that there are, and nothing can train.
    """
    if set(workflow.dag_settings.targets) == {"figures"}:
        return []
    return [f"{RESULTS}/runs/{run_id}/record.json" for run_id in PLAN[wildcards.study].run_ids]


def study_results(study):
    """What is known of a study in the end."""
    if study not in PLAN:
        return []
    folder = f"{RESULTS}/studies/{study}"
    return [f"{folder}/claims.csv", f"{folder}/notebook.ipynb"]
