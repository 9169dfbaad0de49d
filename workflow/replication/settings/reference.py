"""config/README.md: every key of the configuration, made from the settings themselves."""

import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from replication.settings.claims import Claim
from replication.settings.config import Config
from replication.settings.run import RunSettings
from replication.settings.schedule import ScheduleSettings
from replication.settings.study import Study

INTRODUCTION = """\
# Configuration

<!-- Made by `python -m replication reference > config/README.md`. A test compares it. -->

`config.yaml` holds the knobs, `studies/<study>.yaml` one report each. `--config key=value` overrides a knob for
one call, `--configfile FILE` several.

Everything is checked before any job starts. An unknown key, a value of another type, a duplicate key, `.nan`
and `.inf`, and numbers that YAML reads as text (`1e-3`; write `1.0e-3`) are errors that name file and key.

A study's settings are merged in this order, key by key: `settings` (as in the report), `settings` of the scale,
`settings` of the arm, and `arms.<arm>` of the scale. A mapping that states another `name` replaces the old one
whole. `grids` are arms too: of all combinations of the values of some axes, merged in the order of the axes. Adding
an arm or a study needs YAML only, and for a study a notebook `reports/<study>.ipynb`.
"""

# Heading, and the settings that it is about; a section stands under the last heading that leads to it.
CHAPTERS: Mapping[str, Any] = {
    "config.yaml": Config,
    "studies/*.yaml": Study,
    "Settings of a run": RunSettings,
    "Claims": Claim,
    "Schedules": ScheduleSettings,
}


def reference() -> str:
    """Return the text of config/README.md."""
    parts = [INTRODUCTION]
    for heading, sections in sections_by_chapter().items():
        parts.append(f"## {heading}\n")
        parts += [_section(section) for section in sections]
    return "\n".join(parts)


def sections_by_chapter() -> dict[str, list[type[BaseModel]]]:
    """Return every section of the settings, under its heading, each after the one that it belongs to."""
    found = {heading: _sections_in(settings) for heading, settings in CHAPTERS.items()}
    last = {section: heading for heading, sections in found.items() for section in sections}
    return {heading: [s for s in sections if last[s] == heading] for heading, sections in found.items()}


def _sections_in(annotation: Any) -> list[type[BaseModel]]:
    """Return the sections that a type mentions, and those that their fields do, level by level."""
    found: dict[type[BaseModel], None] = {}
    level = list(_mentioned(annotation))
    while level:
        new = [section for section in dict.fromkeys(level) if section not in found]
        found |= dict.fromkeys(new)
        level = [
            section
            for holder in new
            for field in holder.model_fields.values()
            for section in _mentioned(field.annotation)
        ]
    return list(found)


def _mentioned(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _mentioned(argument)


def _section(section: type[BaseModel]) -> str:
    summary = (section.__doc__ or "").strip().partition("\n")[0]
    lines = [
        f"### {_title(section)}\n",
        f"{summary}\n",
        "| key | type | default | meaning |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {_escaped(field.description or '')} |"
        for name, field in section.model_fields.items()
    ]
    return "\n".join(lines) + "\n"


def _title(section: type[BaseModel]) -> str:
    name = section.model_fields.get("name")
    tags = typing.get_args(name.annotation) if name else ()
    return f"{section.__name__} (`name: {tags[0]}`)" if len(tags) == 1 else section.__name__


def _type(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(argument) for argument in arguments)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"mapping of {_type(arguments[1])}"
    return "null" if annotation is type(None) else getattr(annotation, "__name__", str(annotation))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if isinstance(default, BaseModel):
        return f"`{{name: {default.model_dump()['name']}}}`"
    return {"None": "`null`", "True": "`true`", "False": "`false`"}.get(str(default), f"`{default}`")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")
