# Data sets: downloaded where needed, and each prepared into one verified file. Only `download` uses the network.


localrules:
    download,
    prepare,


rule download:
    output:
        f"{DOWNLOADS}/{{dataset}}/{{file}}",
    log:
        "logs/data/{dataset}/{file}.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        code=lambda wildcards: script_digest("download.py", {"data.registry.DATASETS": wildcards.dataset}),
    script:
        "../scripts/download.py"


rule prepare:
    input:
        # The user's own files, or those to download.
        lambda wildcards: raw_files(wildcards.dataset, CONFIG, DOWNLOADS),
    output:
        dataset="resources/datasets/{dataset}.safetensors",
        manifest="resources/datasets/{dataset}.json",
    log:
        "logs/data/{dataset}/prepare.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        # Snakemake judges a folder by its own date, which says nothing of what lies deep in it.
        inputs=lambda wildcards: inventory(wildcards.dataset, CONFIG),
        code=lambda wildcards: script_digest("prepare.py", {"data.registry.DATASETS": wildcards.dataset}),
    script:
        "../scripts/prepare.py"
