# One job per run.

import shlex

from snakemake.settings.types import DeploymentMethod

# The command of every job, as far as it is the same. A conda environment brings its own Python.
CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
TRAIN = shlex.join(
    [
        "python" if CONDA else sys.executable,
        f"{workflow.basedir}/workflow/scripts/train.py",
        f"device={CONFIG.device}",
        f"runs_per_gpu={CONFIG.runs_per_gpu}",
    ]
)


rule train:
    input:
        unpack(data_of_run),
    # The predictions are not named: published runs come without them (see `replication.publication`), and are complete.
    output:
        record=f"{RUN}/record.json",
        history=f"{RUN}/history.csv",
        timings=f"{RUN}/timings.csv",
    log:
        f"{LOGS}/train/{RUN_ID}.log",
    benchmark:
        f"{LOGS}/benchmarks/{RUN_ID}.jsonl"
    # For batch systems: short runs share a job there, and each further attempt asks for more.
    group:
        (lambda wildcards: "short" if request_of_run(wildcards).short else None) if BATCH_SYSTEM else None
    conda:
        "../../envs/pipeline.yaml"
    threads: of_runs(lambda study, arm: PLAN[study].arms[arm].threads)
    resources:
        runtime=asked_for("minutes"),
        mem_mb=asked_for("memory_mb"),
        gpu=REQUESTS.default.gpus,
        tasks=1,
    params:
        # All that decides the numbers of this run and nothing more: one more seed reruns no other.
        run_id=RUN_ID,
        settings=lambda wildcards: settings_of_arm(wildcards.study, wildcards.arm),
        device=CONFIG.device,
        code=lambda wildcards: code_of_arm(wildcards.study, wildcards.arm),
    # In a tenth of the time that `script:` takes: see there.
    shell:
        f"{TRAIN} log={{log:q}} run_id={{params.run_id}} record={{output.record:q}} code={{params.code}}"
        " dataset_path={input.dataset:q} settings_json={params.settings:q}"


# Importing PyTorch takes most of a short run's time. If several train here, one process does it for all of them; on
# a cluster, and in containers and conda environments, each job does it itself.
FORK_SERVERS = []  # a server ends when this reference to it goes


onstart:
    if workflow.is_main_process and workflow.executor_plugin.name == "local":
        # Where jobs a second are limited, as they are by default, Snakemake wakes up every second for ever after each
        # job that it has started, and looks at all that wait: with 200 runs that takes a fifth of a core.
        workflow.scheduler.job_rate_limiter = None
        if [job.rule.name for job in workflow.dag.needrun_jobs()].count("train") > 1:
            FORK_SERVERS.append(start_fork_server(".snakemake", f"{LOGS}/fork-server.log", CONFIG.device))
