# From run folders to tables, and from tables to verdicts.


localrules:
    study_tables,
    claims,
    combine,
    combine_claims,
    schedules,


rule study_tables:
    input:
        record_files,
    output:
        **{table: study_table(table) for table in STUDY_TABLES},
    log:
        f"{LOGS}/tables/{{study}}.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        plan=lambda wildcards: PLAN[wildcards.study].digest,
        code=script_digest("study_tables.py"),
    script:
        "../scripts/study_tables.py"


rule claims:
    input:
        runs=f"{RESULTS}/studies/{{study}}/runs.csv",
        history=f"{RESULTS}/studies/{{study}}/history.csv",
    output:
        report(
            f"{RESULTS}/studies/{{study}}/claims.csv",
            caption="../../reports/captions/study_claims.rst",
            category="Claims",
            labels={"study": "{study}"},
        ),
    log:
        f"{LOGS}/claims/{{study}}.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        plan=lambda wildcards: PLAN[wildcards.study].digest,
        code=script_digest("claims.py"),
    script:
        "../scripts/claims.py"


rule combine:
    input:
        [f"{RESULTS}/studies/{study}/{{table}}.csv" for study in PLAN],
    output:
        f"{RESULTS}/tables/{{table}}.csv",
    log:
        f"{LOGS}/tables/combine-{{table}}.log",
    wildcard_constraints:
        table="|".join(STUDY_TABLES),
    conda:
        "../../envs/pipeline.yaml"
    params:
        code=script_digest("combine.py"),
    script:
        "../scripts/combine.py"


use rule combine as combine_claims with:
    input:
        [f"{RESULTS}/studies/{study}/claims.csv" for study in PLAN],
    output:
        report(
            f"{RESULTS}/claims.csv",
            caption="../../reports/captions/claims.rst",
            category="Claims",
            labels={"study": "all"},
        ),
    log:
        f"{LOGS}/claims/combine.log",


rule schedules:
    output:
        f"{RESULTS}/tables/schedules.csv",
    log:
        f"{LOGS}/tables/schedules.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        own=[canonical_json(schedule.model_dump(mode="json")) for schedule in own_functions(PLAN)],
        code=script_digest("schedules.py"),
    script:
        "../scripts/schedules.py"
