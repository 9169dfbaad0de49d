"""Execute the notebook of one study, which draws its figures."""

from pathlib import Path

from replication import figures  # noqa: F401 - what the notebook calls: its digest counts
from replication.logs import logged
from replication.notebooks import execute

with logged(snakemake.log[0]):
    execute(
        notebook=snakemake.input.notebook,
        output=snakemake.output.notebook,
        tables=Path(snakemake.input.claims).parent,
    )
