"""Collect the runs of one study into its tables, and judge its claims."""

from pathlib import Path

from replication.analysis.study_tables import write_study_tables
from replication.analysis.verdicts import judge
from replication.runs.plan import plan_of_study
from replication.system.logs import logged
from replication.system.tables import read_table, write_table

with logged(snakemake.log[0]):
    planned = plan_of_study(snakemake.config, snakemake.wildcards.study)
    output = snakemake.output
    folder = Path(output.claims).parent
    write_study_tables(planned, runs_folder=folder.parents[1] / "runs", folder=folder)
    # Of the written numbers, as everybody else reads them.
    write_table(judge(planned, read_table(output.runs), read_table(output.history)), output.claims)
