"""audit.html: what an audit has found, for a reader."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from replication.audit.findings import counted
from replication.audit.stamp import readable_time

TEMPLATE = Path("reports/audit.html.j2")


def audit_page(audit: Mapping[str, Any], style: str | Path, template: str | Path = TEMPLATE) -> str:
    """Return the page of an audit, given as in `audit.json`."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page = environment.from_string(Path(template).read_text(encoding="utf-8"))
    text = Markup(Path(style).read_text(encoding="utf-8"))
    return page.render(audit=audit, style=text, counted=counted, time=readable_time(audit["time"]))
