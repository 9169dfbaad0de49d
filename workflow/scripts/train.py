"""Train one run, and write its folder."""

from pathlib import Path

from replication.logs import logged
from replication.runs import run

with logged(snakemake.log[0]) as log:
    run(
        run_id=snakemake.params.run_id,
        settings_json=snakemake.params.settings,
        dataset_path=snakemake.input.dataset,
        folder=Path(snakemake.output.record).parent,
        device_name=snakemake.params.device,
        code=snakemake.params.code,
        log=log,
    )
