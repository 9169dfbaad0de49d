"""Prepare one data set into its verified file."""

from replication.data import describe, prepare, write_dataset
from replication.settings.config import config_of
from replication.system.files import write_json
from replication.system.logs import logged

with logged(snakemake.log[0]):
    dataset = prepare(snakemake.wildcards.dataset, list(snakemake.input), config_of(snakemake.config))
    write_dataset(dataset, snakemake.output.dataset)
    write_json(snakemake.output.manifest, describe(dataset))
