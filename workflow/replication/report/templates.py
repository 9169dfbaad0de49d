"""Filling in the templates of `reports/`, the same way everywhere."""

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup


def filled_in(template: str | Path, **values: Any) -> str:
    """Return the page of a Jinja template; a value that the template needs and lacks is an error.

    In HTML values are escaped. What it includes is looked for in its own folder.
    """
    path = Path(template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(path.parent),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(path.name).render(**values)


def verbatim(path: str | Path) -> Markup:
    """Return the text of a file, such as a style sheet, for a page that takes it as it is."""
    return Markup(Path(path).read_text(encoding="utf-8"))
