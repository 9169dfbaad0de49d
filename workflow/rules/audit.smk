# Every link from data to report, checked.


# No input and no output: it always runs, builds and repairs nothing first, and nothing is deleted when it fails.
rule audit:
    log:
        f"{LOGS}/audit.log",
    conda:
        "../../envs/pipeline.yaml"
    script:
        "../scripts/audit.py"
