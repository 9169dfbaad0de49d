"""Pack the results of a scale as an RO-Crate."""

from importlib.metadata import version
from pathlib import Path

from replication.crate import Engine, write_crate
from replication.system.logs import logged

with logged(snakemake.log[0]):
    write_crate(
        results=Path(snakemake.input.report).parent.as_posix(),
        manifests=list(snakemake.input.manifests),
        configuration=snakemake.config,
        engine=Engine("Snakemake", version("snakemake"), "https://snakemake.github.io"),
        output=snakemake.output[0],
    )
