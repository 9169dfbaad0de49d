# The results of a scale, ready to be deposited: one RO-Crate with the report, the runs and the workflow.

from importlib import import_module


rule crate:
    input:
        report=f"{RESULTS}/report.html",
        manifests=[f"resources/datasets/{name}.json" for name in DATASETS],
    output:
        # Beside the results, which go into it whole.
        f"{RESULTS}.crate.zip",
    log:
        f"{LOGS}/crate.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        # The workflow and the last audit, if there was one, go in too. The import is slow, and only for this rule.
        more=lambda wildcards: import_module("replication.crate.contents").digest_of_more(
            Path(workflow.basedir), RESULTS
        ),
        code=script_digest("crate.py"),
    script:
        "../scripts/crate.py"
