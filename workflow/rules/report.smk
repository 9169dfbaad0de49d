# Figures, by one notebook per study, and the report.


report: "../../reports/captions/workflow.rst"


localrules:
    notebook,
    report,


rule notebook:
    input:
        notebook="reports/{study}.ipynb",
        claims=f"{RESULTS}/studies/{{study}}/claims.csv",
        tables=[f"{RESULTS}/studies/{{study}}/{table}.csv" for table in STUDY_TABLES],
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
        f"{LOGS}/notebooks/{{study}}.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        code=script_digest("notebook.py"),
    script:
        "../scripts/notebook.py"


rule report:
    input:
        claims=f"{RESULTS}/claims.csv",
        tables=[f"{RESULTS}/tables/{table}.csv" for table in (*STUDY_TABLES, "schedules")],
        notebooks=[f"{RESULTS}/studies/{study}/notebook.ipynb" for study in PLAN],
        template="reports/report.html.j2",
        style="reports/report.css",
        discrepancies="reports/discrepancies.yaml",
        discrepancies_template="reports/discrepancies.html.j2",
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
    script:
        "../scripts/report.py"
