"""Execute the notebook of one study, which draws its figures.

It must not be called `notebook`: nbconvert imports a module of that name if it finds one, and scripts find each other.
"""

from pathlib import Path

# What notebooks import: its digest counts.
from replication.report import figures, heat_maps, range_test_figure  # noqa: F401
from replication.report.notebooks import execute
from replication.system.logs import logged

with logged(snakemake.log[0]):
    execute(
        notebook=snakemake.input.notebook,
        output=Path(snakemake.output[0], "notebook.ipynb"),
        tables=Path(snakemake.input.claims).parent,
        # Beside the output, which Snakemake removes.
        failed=f"{snakemake.output[0]}.failed.ipynb",
    )
