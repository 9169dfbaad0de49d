"""Collect the runs of one study into its tables."""

from pathlib import Path

from replication.analysis.study_tables import write_study_tables
from replication.runs.plan import plan_of_study
from replication.system.logs import logged

with logged(snakemake.log[0]):
    folder = Path(snakemake.output.runs).parent
    write_study_tables(
        planned=plan_of_study(snakemake.config, snakemake.wildcards.study),
        runs_folder=folder.parents[1] / "runs",
        folder=folder,
    )
