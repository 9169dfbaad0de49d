"""Filling in the templates of `reports/`, the same way everywhere."""

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup


def filled_in(template: str | Path, **values: Any) -> str:
    """Return the page of a Jinja template, values escaped; one that the template needs and lacks is an error."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(Path(template).read_text(encoding="utf-8")).render(**values)


def verbatim(path: str | Path) -> Markup:
    """Return the text of a file, such as a style sheet, for a page that takes it as it is."""
    return Markup(Path(path).read_text(encoding="utf-8"))
