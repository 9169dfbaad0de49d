"""Executed notebooks as parts of the report, by nbconvert."""

from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter

from replication.report.surroundings import own_surroundings


def notebooks_html(notebooks: Iterable[str | Path]) -> list[str]:
    """Return the text and the results of each executed notebook as HTML, without its code."""
    contents = [nbformat.read(notebook, as_version=4) for notebook in notebooks]
    with own_surroundings():  # a user may have a template of the same name
        exporter = HTMLExporter(
            template_name="basic",
            exclude_input=True,
            exclude_input_prompt=True,
            exclude_output_prompt=True,
            exclude_anchor_links=True,
        )
        return [exporter.from_notebook_node(content)[0] for content in contents]
