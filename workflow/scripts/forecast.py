"""Print and write what the runs of a scale will cost."""

import sys

from replication.forecast import write_forecast
from replication.logs import logged
from replication.plan import plan_of
from replication.settings.config import config_of

if __name__ == "__main__":  # the measuring processes import this file again
    screen = sys.stdout
    with logged(snakemake.log[0]):
        config = config_of(snakemake.config)
        text = write_forecast(
            plan=plan_of(snakemake.config),
            benchmarks=f"logs/{config.scale}/benchmarks",
            device=config.device,
            cores=snakemake.threads,
            budget_hours=config.budget_hours,
            path=snakemake.params.table,
        )
        print(text, file=screen)
