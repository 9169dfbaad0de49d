# Figures, by one notebook per study, and the report.


report: "../../reports/captions/workflow.rst"


localrules:
    execute_notebook,
    notebook,
    report,


EXECUTE_NOTEBOOK = command_of("execute_notebook.py")
REPORT = command_of("report.py", config=canonical_json(config))


# Snakemake removes the outputs of a job before it starts. The figures and the notebook of the last run are those of
# another rule than the one that may fail, and stay until there are new ones.
rule execute_notebook:
    input:
        notebook="reports/{study}.ipynb",
        claims=f"{RESULTS}/studies/{{study}}/claims.csv",
        tables=[f"{RESULTS}/studies/{{study}}/{table}.csv" for table in STUDY_TABLES],
    output:
        temp(directory(f"{LOGS}/notebooks/{{study}}")),
    log:
        f"{LOGS}/notebooks/{{study}}.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        code=script_digest("execute_notebook.py"),
    shell:
        f"{EXECUTE_NOTEBOOK} log={{log:q}} notebook={{input.notebook:q}} claims={{input.claims:q}} output={{output:q}}"


rule notebook:
    input:
        executed=rules.execute_notebook.output,
        # Once those made of them are removed, these tell whether they are outdated.
        notebook=rules.execute_notebook.input.notebook,
        claims=rules.execute_notebook.input.claims,
        tables=rules.execute_notebook.input.tables,
    output:
        notebook=f"{RESULTS}/studies/{{study}}/notebook.ipynb",
        figures=report(
            directory(f"{RESULTS}/studies/{{study}}/figures"),
            patterns=["{name}.svg"],
            caption="../../reports/captions/figures.rst",
            category="Figures",
            subcategory="{study}",
            labels={"figure": "{name}"},
        ),
    log:
        f"{LOGS}/notebooks/{{study}}.copy.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        code=script_digest("execute_notebook.py"),
    shell:
        "(cp {input.executed:q}/notebook.ipynb {output.notebook:q} && "
        "cp -R {input.executed:q}/figures {output.figures:q}) 2> {log:q}"


rule report:
    input:
        claims=f"{RESULTS}/claims.csv",
        tables=[f"{RESULTS}/tables/{table}.csv" for table in (*STUDY_TABLES, "schedules")],
        notebooks=[f"{RESULTS}/studies/{study}/notebook.ipynb" for study in PLAN],
        figures=[f"{RESULTS}/studies/{study}/figures" for study in PLAN],
        page=PAGE_FILES,
    output:
        report(
            f"{RESULTS}/report.html",
            caption="../../reports/captions/report.rst",
            category="Report",
            labels={"page": "the report"},
        ),
    log:
        f"{LOGS}/report.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        plans=[study.digest for study in PLAN.values()],
        code=script_digest("report.py"),
    shell:
        f"{REPORT} log={{log:q}} output={{output:q}}"
