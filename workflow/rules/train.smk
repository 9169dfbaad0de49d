# One job a run.


rule train:
    input:
        # Small, so that Snakemake compares its content: the same data with another date rerun nothing.
        manifest=manifest_of_run,
        dataset=dataset_of_run,
    output:
        record=f"{RESULTS}/runs/{{study}}/{{arm}}/seed-{{seed}}/record.json",
        history=f"{RESULTS}/runs/{{study}}/{{arm}}/seed-{{seed}}/history.csv",
        timings=f"{RESULTS}/runs/{{study}}/{{arm}}/seed-{{seed}}/timings.csv",
        predictions=f"{RESULTS}/runs/{{study}}/{{arm}}/seed-{{seed}}/predictions.safetensors",
    log:
        f"{LOGS}/train/{{study}}/{{arm}}/seed-{{seed}}.log",
    benchmark:
        f"{LOGS}/benchmarks/{{study}}/{{arm}}/seed-{{seed}}.jsonl"
    # For batch systems: short runs share a job there, and each further attempt asks for more.
    group:
        lambda wildcards: "short" if request_of_run(wildcards).short else None
    conda:
        "../../envs/pipeline.yaml"
    threads: lambda wildcards: run_settings(wildcards).threads
    resources:
        runtime=lambda wildcards, attempt: attempt * request_of_run(wildcards).minutes,
        mem_mb=lambda wildcards, attempt: attempt * request_of_run(wildcards).memory_mb,
        gpu=lambda wildcards: request_of_run(wildcards).gpus,
        tasks=1,
    params:
        # All that decides the numbers of this run and nothing more: one more seed reruns no other.
        run_id="{study}/{arm}/seed-{seed}",
        settings=lambda wildcards: settings_of_arm(wildcards.study, wildcards.arm),
        device=CONFIG.device,
        code=lambda wildcards: code_of_arm(wildcards.study, wildcards.arm),
    script:
        "../scripts/train.py"
