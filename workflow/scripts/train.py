"""Train one run, or go on with it, and write its folder.

`train.py log=<file> record=<file> <name>=<value> ...`, with the other arguments of `replication.runs.job.run`. It is no
script of Snakemake's kind: importing what they need takes longer than asking the fork server.
"""

import sys

sys.path[0] = __file__.removesuffix("scripts/train.py")  # in the place of this folder, the package's

from replication.runs.forks.client import arguments_of_job, done_in_fork  # noqa: E402

arguments = arguments_of_job()
log = arguments.pop("log")
if not done_in_fork(log, listens=True):
    from replication.system import interruption

    interruption.listen()  # before PyTorch is imported, which takes seconds

    from replication.runs.job import run
    from replication.system.logs import logged

    arguments["folder"] = arguments.pop("record").rpartition("/")[0]
    numbers = {
        "runs_per_gpu": int(arguments.pop("runs_per_gpu")),
        "checkpoint_seconds": float(arguments.pop("checkpoint_seconds")),
    }
    with logged(log) as stream:
        run(**arguments, **numbers, log=stream)
