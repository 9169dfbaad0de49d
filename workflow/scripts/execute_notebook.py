"""Execute the notebook of one study, which draws its figures.

`execute_notebook.py log=<file> notebook=<file> claims=<file> output=<folder>`, where the other tables are beside
the claims. A script of the kind of `train.py`: see there.
"""

import sys

sys.path[0] = __file__.removesuffix("scripts/execute_notebook.py")

from replication.runs.forks.client import arguments_of_job, done_in_fork  # noqa: E402

arguments = arguments_of_job()
if not done_in_fork(arguments["log"]):
    from replication.report.notebooks import execute
    from replication.system.logs import logged

    if __name__ != "__main__":  # never: what the kernel imports, so that its digest counts
        from replication.report import figures, heat_maps, range_test_figure  # noqa: F401

    with logged(arguments["log"]):
        execute(
            notebook=arguments["notebook"],
            output=f"{arguments['output']}/notebook.ipynb",
            tables=arguments["claims"].rpartition("/")[0],
            # Beside the output, which Snakemake removes.
            failed=f"{arguments['output']}.failed.ipynb",
        )
