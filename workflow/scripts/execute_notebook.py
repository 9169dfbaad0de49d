"""Execute the notebook of one study, which draws its figures.

It must not be called `notebook`: nbconvert imports a module of that name if it finds one, and scripts find each other.
"""

from pathlib import Path

from replication.report.notebooks import execute
from replication.system.logs import logged

if (
    __name__ != "__main__"
):  # never: what the kernel imports, so that its digest counts, would take a second here too
    from replication.report import figures, heat_maps, range_test_figure  # noqa: F401

with logged(snakemake.log[0]):
    execute(
        notebook=snakemake.input.notebook,
        output=Path(snakemake.output[0], "notebook.ipynb"),
        tables=Path(snakemake.input.claims).parent,
        # Beside the output, which Snakemake removes.
        failed=f"{snakemake.output[0]}.failed.ipynb",
    )
