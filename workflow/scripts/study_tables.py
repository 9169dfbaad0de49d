"""Collect the runs of one study into its tables, and judge its claims.

`study_tables.py log=<file> config=<JSON> claims=<file>`; the other tables go beside the claims, into a folder that has
the name of the study. A script of the kind of `train.py`: see there.
"""

import sys

sys.path[0] = __file__.removesuffix("scripts/study_tables.py")

from replication.runs.forks.client import arguments_of_job, done_in_fork  # noqa: E402

arguments = arguments_of_job()
if not done_in_fork(arguments["log"]):
    import json
    from pathlib import Path

    from replication.analysis.study_tables import write_study_tables
    from replication.analysis.verdicts import judge
    from replication.runs.plan import plan_of_study
    from replication.system.logs import logged
    from replication.system.tables import read_table, write_table

    with logged(arguments["log"]):
        claims = Path(arguments["claims"])
        folder = claims.parent
        planned = plan_of_study(json.loads(arguments["config"]), folder.name)
        write_study_tables(planned, runs_folder=folder.parents[1] / "runs", folder=folder)
        # Of the written numbers, as everybody else reads them.
        write_table(
            judge(planned, *(read_table(folder / f"{name}.csv") for name in ("runs", "history"))), claims
        )
