"""Put each table of all studies into one."""

import pandas as pd

from replication.system.logs import logged
from replication.system.tables import read_table, write_table

with logged(snakemake.log[0]):
    for name, output in snakemake.output.items():
        write_table(pd.concat([read_table(path) for path in snakemake.input[name]]), output)
