"""Print and write what the runs of a scale will cost."""

import sys

from replication.analysis.power import describe
from replication.forecast.text import plans_of, write_forecast
from replication.runs.plan import STUDIES
from replication.settings.config import config_of
from replication.system.logs import logged

if __name__ == "__main__":  # the measuring processes import this file again
    screen = sys.stdout
    with logged(snakemake.log[0]):
        config = config_of(snakemake.config)
        plans = plans_of(config, STUDIES)
        text = write_forecast(
            plans=plans,
            config=config,
            benchmarks=f"logs/{config.scale}/benchmarks",
            cores=snakemake.threads,
            path=snakemake.params.table,
        )
        print(text, describe(plans[config.scale].values()), sep="\n\n", file=screen)
