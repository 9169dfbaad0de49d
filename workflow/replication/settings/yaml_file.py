"""Reading YAML without its traps."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.reader import Reader

from replication.errors import ConfigurationError
from replication.settings.yaml_numbers import fault_of_float, fault_of_integer, fault_of_text
from replication.system.user_paths import shown, user_path

# Far beyond any study. Aliases count each time that they stand for something: ten lines of them can stand for 10^10.
DEEPEST = 30
MOST_NODES = 200_000
# What a file cannot hold as it is (YAML's own rule) gets in as an escape, and no table, page or path can hold it.
UNPRINTABLE = Reader.NON_PRINTABLE


# libyaml's parser, ten times as fast, where PyYAML was built with it.
class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """A safe loader that refuses what YAML would misread without a warning."""

    def __init__(self, stream: io.BytesIO) -> None:
        super().__init__(stream)
        self._depth = 0

    # Called on the way in and out of each node. Without a limit here, libyaml's recursion ends the process.
    def descend_resolver(self, node: yaml.Node | None, _index: Any) -> None:
        self._depth += 1
        if self._depth > DEEPEST and node is not None:
            raise _too_deep(node)

    def ascend_resolver(self) -> None:
        self._depth -= 1


def _too_deep(node: yaml.Node) -> ConfigurationError:
    return _problem(node, f"nested more than {DEEPEST} levels deep, which no setting is: write it flat")


@dataclass
class _Extent:
    """What a node stands for, aliases written out: how many values, nested how deep."""

    values: int = 1
    depth: int = 0


def _check(node: yaml.Node, inside: tuple[int, ...], known: dict[int, _Extent]) -> _Extent:
    """Refuse duplicate keys, and aliases that have no end or stand for too much."""
    if not isinstance(node, yaml.CollectionNode):
        return _Extent()
    if id(node) in inside:
        raise _problem(node, "an alias (`*`) within what it stands for has no end: write out what is meant")
    if id(node) not in known:
        parts = node.value
        if isinstance(node, yaml.MappingNode):
            # As written, before `<<: *anchor` is merged, which may repeat keys.
            _refuse_duplicates([key for key, _ in parts])
            parts = [part for pair in parts for part in pair]
        below = [_check(part, (*inside, id(node)), known) for part in parts]
        depth = 1 + max((each.depth for each in below), default=0)
        known[id(node)] = _Extent(1 + sum(each.values for each in below), depth)
    if known[id(node)].depth > DEEPEST:
        raise _too_deep(node)
    if known[id(node)].values > MOST_NODES:
        raise _problem(node, f"stands for more than {MOST_NODES} values: use fewer aliases (`*`)")
    return known[id(node)]


def _refuse_duplicates(keys: list[yaml.Node]) -> None:
    seen: set[tuple[str, str]] = set()
    for key in keys:
        if isinstance(key, yaml.ScalarNode):
            if (key.tag, key.value) in seen:
                raise _problem(key, f"the key `{shown(key.value)}` is there twice: delete one")
            seen.add((key.tag, key.value))


def _problem(node: yaml.Node, message: str) -> ConfigurationError:
    return ConfigurationError(f"{node.start_mark.name}, line {node.start_mark.line + 1}: {message}")


def _constructor(
    construct: Callable[[yaml.SafeLoader, yaml.ScalarNode], Any],
    fault_of: Callable[[str, Any], str | None],
) -> Callable[[yaml.SafeLoader, yaml.ScalarNode], Any]:
    """Return a constructor of scalars that refuses those in which `fault_of` finds a fault."""

    def checked(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Any:
        text = loader.construct_scalar(node)
        try:
            value = construct(loader, node)
        except (ValueError, IndexError) as error:  # `!!int text`, `!!float ""`, an integer of 5,000 digits
            kind = node.tag.rpartition(":")[2]
            raise _problem(node, f"`{shown(text)}` is no {kind} that can be used: correct it") from error
        if fault := fault_of(text, value):
            raise _problem(node, fault)
        return value

    return checked


def _boolean(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    """Read true and false; by `yes`, `no`, `on` and `off` newer YAML, and who names an arm so, means text."""
    text = loader.construct_scalar(node)
    meant = {"true": True, "false": False}.get(text.lower())
    if meant is None:
        value = str(yaml.SafeLoader.bool_values.get(text.lower(), "true or false")).lower()
        raise _problem(node, f'YAML reads `{text}` as {value}: write {value}, or "{text}" for text')
    return meant


def _date(_loader: yaml.SafeLoader, node: yaml.ScalarNode) -> None:
    text = shown(node.value)
    raise _problem(node, f'YAML reads `{text}` as a date, which no setting is: write "{text}" for text')


def _string(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    text = str(loader.construct_scalar(node))
    if not node.style and (fault := fault_of_text(text)):
        raise _problem(node, fault)
    if UNPRINTABLE.search(text):
        raise _problem(node, f'"{shown(text)}" holds a character that cannot be printed: delete it')
    return text


def _refused(_loader: yaml.SafeLoader, node: yaml.Node) -> None:
    tag = node.tag.replace("tag:yaml.org,2002:", "!!")
    raise _problem(node, f"`{shown(tag)}` has no place here: write numbers, text, lists and mappings")


_CONSTRUCTORS: dict[str | None, Callable[..., Any]] = {
    "int": _constructor(yaml.SafeLoader.construct_yaml_int, fault_of_integer),
    "float": _constructor(yaml.SafeLoader.construct_yaml_float, fault_of_float),
    "str": _string,
    "bool": _boolean,
    "timestamp": _date,
    **dict.fromkeys(("binary", "omap", "pairs", "set", "value", "merge"), _refused),
}
for _kind, _construct in _CONSTRUCTORS.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _construct)
_Loader.add_constructor(None, _refused)  # any other


def _content(loader: Any) -> Any:
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _check(root, (), {})
        return loader.construct_document(root)
    finally:
        loader.dispose()


class _Named(io.BytesIO):
    """The content of a file, with the name that YAML's errors give."""

    def __init__(self, text: bytes, name: str) -> None:
        super().__init__(text)
        self.name = name


def _parsed(text: bytes, place: str) -> Any:
    """Return what a YAML text holds."""
    try:
        return _content(_Loader(_Named(text, place)))
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigurationError(f"{place}: not valid YAML, correct it: {error}") from error


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML file that holds one mapping.

    Raises
    ------
    ConfigurationError
        The file is missing, is not YAML or not a mapping, or holds what means something else to YAML than to its
        reader: a duplicate key, a NaN or an infinity, a number that YAML would read as text (`1e-3`) or in another
        base (`010`, `1:30`), a date, `no` for false, an alias without end. The message names the file and the line.
    """
    file = user_path(path, "", "file")
    try:
        text = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror}): correct the path") from error
    content = _parsed(text, str(path))
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path}: should hold a mapping of keys to values")
    return content
