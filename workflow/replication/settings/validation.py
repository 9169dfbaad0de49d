"""From raw mappings to sections, with errors that a user can act on."""

import difflib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from replication.errors import ConfigurationError
from replication.system.user_paths import LONGEST, shown

Model = TypeVar("Model", bound=BaseModel)
MOST_PROBLEMS = 20  # that a message names
Location = Sequence[int | str]


# Building one costs more than a small mapping's validation.
_adapter = cache(TypeAdapter)


def validate(model: type[Model], raw: Mapping[str, Any], place: str) -> Model:
    """Build `model` from `raw`.

    Raises
    ------
    ConfigurationError
        Each problem on a line of its own: `place` (the file), the key, what is wrong and the remedy.
    """
    try:
        built: Model = _adapter(model).validate_python(raw)
        return built
    except ValidationError as error:
        problems = error.errors()
    by_value: dict[tuple[str, str], list[Any]] = {}
    for problem in problems:
        by_value.setdefault((_key(model, problem), repr(problem["input"])), []).append(problem)
    lines = [_line(model, place, key, same) for (key, _), same in by_value.items()]
    if len(lines) > MOST_PROBLEMS:
        lines[MOST_PROBLEMS:] = [
            f"{place}: and {len(lines) - MOST_PROBLEMS} more of this kind: correct these first"
        ]
    raise ConfigurationError("\n".join(lines))


def _key(model: type[BaseModel], problem: Any) -> str:
    if problem["type"] != "extra_forbidden":
        return ".".join(_walk(model, problem["loc"])[0])
    *holders, unknown = problem["loc"]
    return ".".join([*_walk(model, holders)[0], str(unknown)])


def _line(model: type[BaseModel], place: str, key: str, problems: Sequence[Any]) -> str:
    """Return what is wrong with one value; where it fits no member of a union, each member has its problem."""
    problem = problems[0]
    match problem["type"]:
        case "extra_forbidden":
            valid = [
                field for section in _walk(model, problem["loc"][:-1])[1] for field in section.model_fields
            ]
            return f"{place}: `{shown(key)}` is not a key here{_remedy(str(problem['loc'][-1]), valid)}"
        case "missing":
            return f"{place}: `{key}` is missing: add it"
        case "union_tag_not_found":
            return f"{place}: `{key}` needs a {problem['ctx']['discriminator']}"
        case "union_tag_invalid":
            context = problem["ctx"]
            valid = [name.strip("'") for name in context["expected_tags"].split(", ")]
            return f"{place}: `{key}`: there is no `{shown(context['tag'])}`{_remedy(context['tag'], valid)}"
    messages = [
        each["msg"].removeprefix("Value error, ").partition(" after validation")[0] for each in problems
    ]
    text = ", or ".join(f"{message[:1].lower()}{message[1:]}" for message in messages)
    found = "" if isinstance(problem["input"], Mapping) else f", not {shown(repr(problem['input']))}"
    return f"{place}: `{key}`: {text}{found}" if key else f"{place}: {text}{found}"


def _remedy(wrong: str, valid: list[str]) -> str:
    near = difflib.get_close_matches(wrong[:LONGEST], valid, n=1)  # it takes the square of the length
    meant = f" (did you mean `{near[0]}`?)" if near else ""
    return f"{meant}; valid: {', '.join(sorted(valid))}"


def unknown_name(what: str, wrong: str, valid: typing.Iterable[str]) -> str:
    """Return the message for a name that is not one of `valid`, with the nearest of them."""
    return f"there is no {what} `{shown(wrong)}`{_remedy(wrong, list(valid))}"


def _walk(model: type[BaseModel], location: Location) -> tuple[list[str], list[type[BaseModel]]]:
    """Follow a location of pydantic's through `model`.

    Returns the keys of the file on the way, without the labels by which pydantic names the members of a union
    and the keys of a mapping, and the sections that may stand at its end.
    """
    keys: list[str] = []
    kinds: list[Any] = [model]
    labelled = False
    for part in location:
        if labelled:
            kinds = [kind for kind in kinds if part in _tags(kind)] or kinds
            labelled = False
            continue
        below = [kind for holder in kinds for kind in _below(holder, part)]
        if below and part != "[key]":
            keys.append(str(part))
        labelled = len(below) > 1
        kinds = below or kinds
    return keys, [kind for kind in kinds if _is_section(kind)]


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _tags(kind: Any) -> list[str]:
    fields = (kind.model_fields.get(tag) for tag in ("name", "kind")) if _is_section(kind) else ()
    return [tag for field in fields if field for tag in typing.get_args(field.annotation)]


def _below(kind: Any, part: int | str) -> Iterator[Any]:
    """Yield what may stand under a key or a position of a section, a list or a mapping."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if _is_section(kind) and part in kind.model_fields:
        yield from _members(kind.model_fields[part].annotation)
    elif origin is dict or (origin is list and isinstance(part, int)):
        yield from _members(arguments[-1])


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union but None, or the type itself if it is not a union, without annotations."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        yield from _members(arguments[0])
    elif origin in (typing.Union, types.UnionType):
        for argument in arguments:
            yield from _members(argument)
    elif annotation is not type(None):
        yield annotation
