"""Train one run, or go on with it, and write its folder."""

from replication.system import interruption

interruption.listen()  # before PyTorch is imported, which takes seconds

from pathlib import Path  # noqa: E402

from replication.runs.forks.client import train_in_fork  # noqa: E402

arguments = {
    "run_id": snakemake.params.run_id,
    "settings_json": snakemake.params.settings,
    "dataset_path": snakemake.input.dataset,
    "folder": str(Path(snakemake.output.record).parent),
    "device": snakemake.params.device,
    "code": snakemake.params.code,
}
if not train_in_fork(snakemake.log[0], arguments):
    from replication.runs.job import run
    from replication.settings.config import config_of
    from replication.system.logs import logged

    with logged(snakemake.log[0]) as log:
        run(**arguments, runs_per_gpu=config_of(snakemake.config).runs_per_gpu, log=log)
