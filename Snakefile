# From data to report. Each file of workflow/rules/ holds one stage.


from snakemake.utils import min_version

# The version that the lock installs: the rules use some of Snakemake's internals.
min_version("9.27.1")


include: "workflow/rules/checks.smk"


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/console.smk"
include: "workflow/rules/forks.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/aggregate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/recheck.smk"
include: "workflow/rules/forecast.smk"
include: "workflow/rules/crate.smk"


localrules:
    all,
    data,
    figures,
    audit,
    recheck,
    forecast,
    crate,


# Tables, claims, figures and the report of every selected study.
rule all:
    default_target: True
    input:
        f"{RESULTS}/report.html",
        f"{RESULTS}/claims.csv",


# Only the data sets: the part of the work that may need the network.
rule data:
    input:
        [dataset_file(name) for name in DATASETS],


# Figures, verdicts and report again, from the existing runs, without training (see `record_files`).
rule figures:
    input:
        [path for study in PLAN for path in study_results(study)],
        f"{RESULTS}/report.html",
