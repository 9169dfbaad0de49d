"""Download one file of a data set."""

from replication.data import download
from replication.settings.config import config_of
from replication.system.logs import logged

with logged(snakemake.log[0]):
    download(
        name=snakemake.wildcards.dataset,
        file_name=snakemake.wildcards.file,
        path=snakemake.output[0],
        sources=config_of(snakemake.config),
    )
