"""Put each table of all studies into one.

`combine.py log=<file> studies=<names> claims=<file>`, where the other tables go into the folder `tables` beside the
claims, and each study's are in the folder `studies/<name>`. A script of the kind of `train.py`: see there.
"""

import sys

sys.path[0] = __file__.removesuffix("scripts/combine.py")

from replication.runs.forks.client import arguments_of_job, done_in_fork  # noqa: E402

arguments = arguments_of_job()
if not done_in_fork(arguments["log"]):
    from pathlib import Path

    import pandas as pd

    from replication.runs.results import STUDY_TABLES
    from replication.system.logs import logged
    from replication.system.tables import read_table, write_table

    claims = Path(arguments["claims"])
    outputs = {name: claims.parent / f"tables/{name}.csv" for name in STUDY_TABLES} | {"claims": claims}
    with logged(arguments["log"]):
        for name, output in outputs.items():
            files = [claims.parent / f"studies/{study}/{name}.csv" for study in arguments["studies"].split()]
            write_table(pd.concat([read_table(file) for file in files]), output)
