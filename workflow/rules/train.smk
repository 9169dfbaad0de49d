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
    conda:
        "../../envs/pipeline.yaml"
    threads: lambda wildcards: run_settings(wildcards).threads
    params:
        # All that decides the numbers of this run and nothing more: one more seed reruns no other.
        run_id="{study}/{arm}/seed-{seed}",
        settings=lambda wildcards: canonical_json(run_settings(wildcards).model_dump(mode="json")),
        device=CONFIG.device,
        code=lambda wildcards: script_digest("train.py", registry_choices(run_settings(wildcards))),
    script:
        "../scripts/train.py"
