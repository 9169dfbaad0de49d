# What the runs will cost, before any starts.


# It uses all cores, as the runs will, and needs no data set: random images are as quick as real ones.
rule forecast:
    log:
        f"{LOGS}/forecast.log",
    conda:
        "../../envs/pipeline.yaml"
    threads: workflow.cores
    params:
        table=f"results/{CONFIG.scale}.forecast.csv",
    script:
        "../scripts/forecast.py"
