"""Tabulate the curve of every schedule.

`schedules.py log=<file> config=<JSON> output=<file>`. A script of the kind of `train.py`: see there.
"""

import sys

sys.path[0] = __file__.removesuffix("scripts/schedules.py")

from replication.runs.forks.client import arguments_of_job, done_in_fork  # noqa: E402

arguments = arguments_of_job()
if not done_in_fork(arguments["log"]):
    import json

    import pandas as pd

    from replication.runs.plan import own_functions, plan_of
    from replication.schedules import gallery
    from replication.system.logs import logged
    from replication.system.tables import write_table

    with logged(arguments["log"]):
        own = own_functions(plan_of(json.loads(arguments["config"])))
        rows = pd.DataFrame(gallery(own=own), columns=["schedule", "progress", "multiplier"])
        write_table(rows, arguments["output"])
