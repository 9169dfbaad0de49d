"""From raw mappings to sections, with errors that a user can act on."""

import difflib
import typing
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from replication.errors import ConfigurationError

Model = TypeVar("Model", bound=BaseModel)
Location = tuple[int | str, ...]


def validate(model: type[Model], raw: Mapping[str, Any], place: str) -> Model:
    """Build `model` from `raw`.

    Raises
    ------
    ConfigurationError
        Each problem on a line of its own: `place` (the file), the key, what is wrong and the remedy.
    """
    try:
        return TypeAdapter(model).validate_python(raw)
    except ValidationError as error:
        lines = [f"{place}: {_explain(model, problem)}" for problem in error.errors()]
        raise ConfigurationError("\n".join(lines)) from None


def _explain(model: type[BaseModel], problem: Any) -> str:
    location: Location = problem["loc"]
    key = ".".join(_walk(model, location)[0]) or "the whole"
    match problem["type"]:
        case "extra_forbidden":
            sections = _walk(model, location[:-1])[1]
            valid = [field for section in sections for field in section.model_fields]
            return f"`{key}` is not a key here{_remedy(str(location[-1]), valid)}"
        case "missing":
            return f"`{key}` is missing: add it"
        case "union_tag_not_found":
            return f"`{key}` needs a {problem['ctx']['discriminator']}"
        case "union_tag_invalid":
            context = problem["ctx"]
            valid = [name.strip("'") for name in context["expected_tags"].split(", ")]
            return f"`{key}`: there is no `{context['tag']}`{_remedy(context['tag'], valid)}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"`{key}`: {message[:1].lower()}{message[1:]}, not {_shown(problem['input'])}"


def _shown(value: object) -> str:
    return "this mapping" if isinstance(value, Mapping) else repr(value)


def _remedy(wrong: str, valid: list[str]) -> str:
    near = difflib.get_close_matches(wrong, valid, n=1)
    meant = f" (did you mean `{near[0]}`?)" if near else ""
    return f"{meant}; valid: {', '.join(sorted(valid))}"


def unknown_name(what: str, wrong: str, valid: typing.Iterable[str]) -> str:
    """Return the message for a name that is not one of `valid`, with the nearest of them."""
    return f"there is no {what} `{wrong}`{_remedy(wrong, list(valid))}"


def _walk(model: type[BaseModel], location: Location) -> tuple[list[str], list[type[BaseModel]]]:
    """Follow a location of pydantic's through `model`.

    Returns the keys of the file on the way, without the tags by which pydantic names the member of a union,
    and the sections that may stand at its end.
    """
    keys: list[str] = []
    sections = [model]
    for part in location:
        tagged = [section for section in sections if part in _tags(section)]
        if tagged:
            sections = tagged
            continue
        keys.append(str(part))
        fields = [
            section.model_fields[str(part)] for section in sections if str(part) in section.model_fields
        ]
        sections = [inner for field in fields for inner in _sections_in(field.annotation)] or sections
    return keys, sections


def _tags(section: type[BaseModel]) -> list[str]:
    fields = (section.model_fields.get(tag) for tag in ("name", "kind"))
    return [tag for field in fields if field for tag in typing.get_args(field.annotation)]


def _sections_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _sections_in(argument)
