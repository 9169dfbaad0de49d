"""Render the report.

`report.py log=<file> config=<JSON> output=<file>`, with the results beside the output. A script of the kind of
`train.py`: see there.
"""

import sys

sys.path[0] = __file__.removesuffix("scripts/report.py")

from replication.runs.forks.client import arguments_of_job, done_in_fork  # noqa: E402

arguments = arguments_of_job()
if not done_in_fork(arguments["log"]):
    import json
    from pathlib import Path

    from replication.report.page import render
    from replication.report.parts import FOLDER
    from replication.runs.plan import plan_of
    from replication.system.logs import logged

    with logged(arguments["log"]):
        render(
            plan=plan_of(json.loads(arguments["config"])),
            results=Path(arguments["output"]).parent,
            folder=FOLDER,
            output=arguments["output"],
        )
