"""The page that a crate shows to a reader without tools."""

from pathlib import Path

from replication.crate.evidence import Evidence
from replication.report.parts import FOLDER, STYLE
from replication.report.templates import filled_in, verbatim

PREVIEW = "ro-crate-preview.html"
TEMPLATE = "crate.html.j2"


def preview(evidence: Evidence, project: Path) -> str:
    """Return an HTML page about the crate, which is read offline; it looks as the report does.

    Parameters
    ----------
    project
        The folder that holds the workflow, with the template and the style sheet.
    """
    folder = project / FOLDER
    return filled_in(
        folder / TEMPLATE,
        style=verbatim(folder / STYLE),
        title=f"{evidence.citation['title']}: results at {evidence.scale} scale",
        results=evidence.results,
        datasets=list(evidence.manifests.values()),
        records=evidence.records,
    )
