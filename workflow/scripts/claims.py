"""Judge the claims of one study."""

from replication.analysis.verdicts import judge
from replication.runs.plan import plan_of_study
from replication.system.logs import logged
from replication.system.tables import read_table, write_table

with logged(snakemake.log[0]):
    planned = plan_of_study(snakemake.config, snakemake.wildcards.study)
    runs, history = read_table(snakemake.input.runs), read_table(snakemake.input.history)
    write_table(judge(planned, runs, history), snakemake.output[0])
