"""Render the report."""

from pathlib import Path

from replication.report.page import render
from replication.report.parts import FOLDER
from replication.runs.plan import plan_of
from replication.system.logs import logged

with logged(snakemake.log[0]):
    render(
        plan=plan_of(snakemake.config),
        results=Path(snakemake.output[0]).parent,
        folder=FOLDER,
        output=snakemake.output[0],
    )
