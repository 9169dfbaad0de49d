"""Train one run, or go on with it, and write its folder."""

from replication import interruption

interruption.listen()  # before PyTorch is imported, which takes seconds

from pathlib import Path  # noqa: E402

from replication.logs import logged  # noqa: E402
from replication.runs import run  # noqa: E402
from replication.settings.config import config_of  # noqa: E402

with logged(snakemake.log[0]) as log:
    run(
        run_id=snakemake.params.run_id,
        settings_json=snakemake.params.settings,
        dataset_path=snakemake.input.dataset,
        folder=Path(snakemake.output.record).parent,
        device=snakemake.params.device,
        runs_per_gpu=config_of(snakemake.config).runs_per_gpu,
        code=snakemake.params.code,
        log=log,
    )
