"""Judge the claims of one study."""

from replication.claims import judge
from replication.logs import logged
from replication.plan import plan_of_study
from replication.tables import read_table, write_table

with logged(snakemake.log[0]):
    planned = plan_of_study(snakemake.config, snakemake.wildcards.study)
    runs, history = read_table(snakemake.input.runs), read_table(snakemake.input.history)
    write_table(judge(planned, runs, history), snakemake.output[0])
