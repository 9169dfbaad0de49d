# One job per run.

TRAIN = command_of(
    "train.py",
    device=CONFIG.device,
    runs_per_gpu=CONFIG.runs_per_gpu,
    checkpoint_seconds=CONFIG.checkpoint_seconds,
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
    shell:
        f"{TRAIN} log={{log:q}} run_id={{params.run_id}} record={{output.record:q}} code={{params.code}}"
        " dataset_path={input.dataset:q} settings_json={params.settings:q}"
