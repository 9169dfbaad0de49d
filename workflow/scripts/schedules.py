"""Tabulate the curve of every schedule."""

import pandas as pd

from replication.schedules import gallery
from replication.system.logs import logged
from replication.system.tables import write_table

with logged(snakemake.log[0]):
    rows = pd.DataFrame(gallery(), columns=["schedule", "progress", "multiplier"])
    write_table(rows, snakemake.output[0])
