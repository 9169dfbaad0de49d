"""Prepare one data set into its verified file."""

from replication.data import describe, prepare, write_dataset
from replication.files import write_json
from replication.logs import logged
from replication.settings.config import config_of

with logged(snakemake.log[0]):
    dataset = prepare(snakemake.wildcards.dataset, list(snakemake.input), config_of(snakemake.config))
    write_dataset(dataset, snakemake.output.dataset)
    write_json(snakemake.output.manifest, describe(dataset))
