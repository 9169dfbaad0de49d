"""Execute some runs again and compare them with those on record."""

from replication.system import interruption

interruption.listen()  # before PyTorch is imported, which takes seconds

import sys  # noqa: E402

from replication.runs.plan import plan_of  # noqa: E402
from replication.runs.recheck import recheck, summary  # noqa: E402
from replication.settings.config import config_of  # noqa: E402
from replication.system.logs import logged  # noqa: E402

screen = sys.stdout
with logged(snakemake.log[0]) as log:
    config = config_of(snakemake.config)
    found = recheck(
        plan=plan_of(snakemake.config),
        results=f"results/{config.scale}",
        datasets="resources/datasets",
        count=config.recheck_runs,
        device=config.device,
        log=log,
    )
    print(summary(found), file=screen)
    sys.exit(0 if all(one.agrees for one in found) else 1)
