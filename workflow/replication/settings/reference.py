"""config/README.md: every key of the configuration, made from the settings themselves."""

import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from replication.settings.arm import Arm
from replication.settings.claims import EventClaim, Margin, OrderClaim, ValueClaim
from replication.settings.config import Config
from replication.settings.ensembles import Ensemble, Member
from replication.settings.grid import Grid
from replication.settings.rankings import Ranking
from replication.settings.run import (
    Adam,
    DataSettings,
    EarlyStopping,
    MnistCnn,
    ResNet18,
    ResNet20,
    ResNet38,
    RunSettings,
    Sgd,
)
from replication.settings.schedule import SamplingSettings, ScheduleSettings, WarmUp
from replication.settings.study import Column, ScaleOverrides, Study, Table

INTRODUCTION = """\
# Configuration

<!-- Made by `PYTHONPATH=workflow python -m replication reference > config/README.md`. A test compares it. -->

`config.yaml` holds the knobs, `studies/<study>.yaml` one report each. `--config key=value` overrides a knob for
one call, `--configfile FILE` several.

Everything is checked before any job starts. An unknown key, a value of another type, a duplicate key, `.nan`
and `.inf`, and numbers that YAML reads as text (`1e-3`; write `1.0e-3`) are errors that name file and key.

A study's settings are merged in this order, key by key: `settings` (as in the report), `settings` of the scale,
`settings` of the arm, and `arms.<arm>` of the scale. A mapping that states another `name` replaces the old one
whole. `grids` are arms too: of all combinations of the values of some axes, merged in the order of the axes. Adding
an arm or a study needs YAML only, and for a study a notebook `reports/<study>.ipynb`.
"""

# Heading, and the sections below it.
CHAPTERS: tuple[tuple[str, tuple[type[BaseModel], ...]], ...] = (
    ("config.yaml", (Config,)),
    ("studies/*.yaml", (Study, ScaleOverrides, Arm, Grid, Ensemble, Member, Ranking, Table, Column)),
    (
        "Settings of a run",
        (RunSettings, DataSettings, MnistCnn, ResNet18, ResNet20, ResNet38, Adam, Sgd, EarlyStopping),
    ),
    ("Claims", (ValueClaim, OrderClaim, EventClaim, Margin)),
)


def reference() -> str:
    """Return the text of config/README.md."""
    parts = [INTRODUCTION]
    for heading, sections in (*CHAPTERS, ("Schedules", tuple(_schedules()))):
        parts.append(f"## {heading}\n")
        parts += [_section(section) for section in sections]
    return "\n".join(parts)


def _schedules() -> Iterator[type[BaseModel]]:
    yield from _members(ScheduleSettings)
    yield WarmUp
    yield from _members(SamplingSettings)


def _members(union: Any) -> tuple[type[BaseModel], ...]:
    """Return the sections in an annotated union."""
    return typing.get_args(typing.get_args(union)[0])


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
