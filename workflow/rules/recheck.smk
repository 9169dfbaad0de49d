# Some runs executed again, and compared with those on record.


# Like `audit` without input and output: the results are taken as they are.
rule recheck:
    log:
        f"{LOGS}/recheck.log",
    conda:
        "../../envs/pipeline.yaml"
    threads: max(settings.threads for study in PLAN.values() for settings in study.arms.values())
    script:
        "../scripts/recheck.py"
