# Figures, by one notebook a study, and the report.


rule notebook:
    input:
        notebook="reports/{study}.ipynb",
        claims=f"{RESULTS}/studies/{{study}}/claims.csv",
        tables=[f"{RESULTS}/studies/{{study}}/{table}.csv" for table in STUDY_TABLES],
    output:
        notebook=f"{RESULTS}/studies/{{study}}/notebook.ipynb",
        figures=directory(f"{RESULTS}/studies/{{study}}/figures"),
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
    output:
        f"{RESULTS}/report.html",
    log:
        f"{LOGS}/report.log",
    conda:
        "../../envs/pipeline.yaml"
    params:
        plans=[study.digest for study in PLAN.values()],
        code=script_digest("report.py"),
    script:
        "../scripts/report.py"
