"""Reading YAML without its traps."""

import math
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from replication.errors import ConfigurationError


class _Loader(yaml.SafeLoader):
    """A safe loader that refuses what YAML would misread without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise _problem(key_node, f"the key `{key}` is there twice: delete one")
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _problem(node: yaml.Node, message: str) -> ConfigurationError:
    return ConfigurationError(f"{node.start_mark.name}, line {node.start_mark.line + 1}: {message}")


def _finite_float(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float:
    value = loader.construct_yaml_float(node)
    if not math.isfinite(value):
        raise _problem(node, f"`{node.value}` is not a number here: write a finite one")
    return value


def _string(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    text = loader.construct_scalar(node)
    if node.style is None and _reads_as_number(text):
        raise _problem(node, f'YAML reads `{text}` as text: write {float(text)!r}, or "{text}" for text')
    return str(text)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


_Loader.add_constructor("tag:yaml.org,2002:float", _finite_float)
_Loader.add_constructor("tag:yaml.org,2002:str", _string)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    ConfigurationError
        The file is missing, is not YAML or not a mapping, has a duplicate key, a NaN or an infinity, or a
        number that YAML would read as text (`1e-3`). The message names the file and the line.
    """
    try:
        with Path(path).open(encoding="utf-8") as stream:
            content = yaml.load(stream, _Loader)
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: should hold a mapping of keys to values")
    return content
