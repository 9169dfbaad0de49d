# From run folders to tables, and from tables to verdicts.


localrules:
    study_tables,
    combine,
    schedules,


# The configuration is none of their `params`: what of it concerns a study is in the digest of its plan.
STUDY_TABLES_OF = command_of("study_tables.py", config=canonical_json(config))
COMBINE = command_of("combine.py", studies=" ".join(PLAN))
SCHEDULES = command_of("schedules.py", config=canonical_json(config))


# Tables and verdicts in one job: judging takes far less than importing pandas.
rule study_tables:
    input:
        record_files,
    output:
        **{table: study_table(table) for table in STUDY_TABLES},
        claims=report(
            f"{RESULTS}/studies/{{study}}/claims.csv",
            caption="../../reports/captions/study_claims.rst",
            category="Claims",
            labels={"study": "{study}"},
        ),
    log:
        f"{LOGS}/tables/{{study}}.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        plan=lambda wildcards: PLAN[wildcards.study].digest,
        code=script_digest("study_tables.py"),
    shell:
        f"{STUDY_TABLES_OF} log={{log:q}} claims={{output.claims:q}}"


# All in one job: each takes far less than importing pandas.
rule combine:
    input:
        **{
            table: [f"{RESULTS}/studies/{study}/{table}.csv" for study in PLAN]
            for table in (*STUDY_TABLES, "claims")
        },
    output:
        **{table: f"{RESULTS}/tables/{table}.csv" for table in STUDY_TABLES},
        claims=report(
            f"{RESULTS}/claims.csv",
            caption="../../reports/captions/claims.rst",
            category="Claims",
            labels={"study": "all"},
        ),
    log:
        f"{LOGS}/tables/combine.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        code=script_digest("combine.py"),
    shell:
        f"{COMBINE} log={{log:q}} claims={{output.claims:q}}"


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
    shell:
        f"{SCHEDULES} log={{log:q}} output={{output:q}}"
