"""Tabulate the curve of every schedule."""

import pandas as pd

from replication.runs.plan import own_functions, plan_of
from replication.schedules import gallery
from replication.system.logs import logged
from replication.system.tables import write_table

with logged(snakemake.log[0]):
    rows = pd.DataFrame(
        gallery(own=own_functions(plan_of(snakemake.config))), columns=["schedule", "progress", "multiplier"]
    )
    write_table(rows, snakemake.output[0])
