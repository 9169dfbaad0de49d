"""Reading YAML without its traps."""

import math
from pathlib import Path
from typing import Any

import yaml

from replication.errors import ConfigurationError


# libyaml's parser, ten times as fast, where PyYAML was built with it.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses what YAML would misread without a warning."""


def _refuse_duplicate_keys(root: yaml.Node | None) -> None:
    # As written, before `<<: *anchor` is merged, which may repeat keys.
    waiting, seen = [root], set()
    while waiting:
        node = waiting.pop()
        if not isinstance(node, yaml.CollectionNode) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _refuse_duplicates([key for key, _ in node.value])
            waiting += [part for pair in node.value for part in pair]
        else:
            waiting += node.value


def _refuse_duplicates(keys: list[yaml.Node]) -> None:
    seen: set[tuple[str, str]] = set()
    for key in keys:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                raise _problem(key, f"the key `{key.value}` is there twice: delete one")
            seen.add((key.tag, key.value))


def _problem(node: yaml.Node, message: str) -> ConfigurationError:
    return ConfigurationError(f"{node.start_mark.name}, line {node.start_mark.line + 1}: {message}")


def _finite_float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    value = loader.construct_yaml_float(node)
    if not math.isfinite(value):
        raise _problem(node, f"`{node.value}` is not a number here: write a finite one")
    return value


def _string(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    text = loader.construct_scalar(node)
    if not node.style and (number := _as_number(text)) is not None:
        meant = yaml.safe_dump(number).partition("\n")[0] if math.isfinite(number) else "a finite number"
        raise _problem(node, f'YAML reads `{text}` as text: write {meant}, or "{text}" for text')
    return str(text)


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


_Loader.add_constructor("tag:yaml.org,2002:float", _finite_float)
_Loader.add_constructor("tag:yaml.org,2002:str", _string)


def _content(loader: Any) -> Any:
    try:
        root = loader.get_single_node()
        _refuse_duplicate_keys(root)
        return None if root is None else loader.construct_document(root)
    finally:
        loader.dispose()


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    ConfigurationError
        The file is missing, is not YAML or not a mapping, has a duplicate key, a NaN or an infinity, or a
        number that YAML would read as text (`1e-3`). The message names the file and the line.
    """
    try:
        with Path(path).open("rb") as stream:
            content = _content(_Loader(stream))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}): correct the path") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise ConfigurationError(f"{path}: not valid YAML, correct it: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: should hold a mapping of keys to values")
    return content
