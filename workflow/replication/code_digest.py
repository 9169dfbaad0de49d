"""A digest of the code that a result depends on, definition by definition.

Snakemake does not see edits to an imported package, and a digest of whole files would rerun everything after
any edit. This one follows names: from the definitions of an entry module to those that they mention, through
imports, in this package only. Where a name is a registry (a dictionary with strings as keys), only the chosen
entry is followed, so that an edit to one schedule concerns the runs of that schedule alone.

Comments, docstrings, annotations and layout do not count, and neither do the classes of `settings`: their
values are what reaches a result, and Snakemake compares those by themselves.
"""

import ast
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "replication"
ROOT = Path(__file__).parent

# A definition: the module that holds it, and its name there.
Definition = tuple[str, str]
ENTRY = "__main__"


@dataclass(frozen=True)
class _Module:
    definitions: Mapping[str, tuple[ast.stmt, ...]]
    imports: Mapping[str, Definition | str]
    loose: tuple[ast.stmt, ...]


def code_digest(entry: str | Path, chosen: Mapping[str, str] | None = None) -> str:
    """Return the SHA-256 of everything that the module or script in the file `entry` reaches.

    Parameters
    ----------
    entry
        A Python file; every definition in it counts.
    chosen
        For registries, as `module.NAME` below the package: the only entry to follow. Those not named here are
        followed whole.
    """
    digest = hashlib.sha256()
    for definition in sorted(reached_definitions(entry, tuple(sorted((chosen or {}).items())))):
        for statement in _statements(definition, entry, dict(chosen or {})):
            digest.update(f"{definition}{ast.dump(statement)}".encode())
    return digest.hexdigest()


@cache
def reached_definitions(entry: str | Path, chosen: tuple[tuple[str, str], ...] = ()) -> frozenset[Definition]:
    """Return the definitions that `entry` reaches, itself included, with the registry choices made."""
    main = _read(Path(entry))
    waiting: list[Definition] = [(ENTRY, name) for name in main.definitions] + [(ENTRY, "")]
    reached: set[Definition] = set()
    while waiting:
        definition = waiting.pop()
        if definition in reached:
            continue
        reached.add(definition)
        for statement in _statements(definition, entry, dict(chosen)):
            waiting.extend(_mentions(statement, definition[0], _module(definition[0], entry)))
    return frozenset(reached)


def _module(name: str, entry: str | Path) -> _Module:
    if name == ENTRY:
        return _read(Path(entry))
    path = ROOT.joinpath(*name.split("."))
    return _read(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


def _is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@cache
def _read(path: Path) -> _Module:
    tree = _without_text(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))
    definitions: dict[str, tuple[ast.stmt, ...]] = {}
    imports: dict[str, Definition | str] = {}
    loose: list[ast.stmt] = []
    for statement in tree.body:
        names = _defined_names(statement)
        for name in names:
            definitions[name] = (*definitions.get(name, ()), statement)
        if isinstance(statement, ast.ImportFrom):
            imports |= _imported(statement)
        elif not names and not isinstance(statement, ast.Import):
            loose.append(statement)
    return _Module(definitions, imports, tuple(loose))


def _imported(statement: ast.ImportFrom) -> dict[str, Definition | str]:
    """Return what `from replication... import ...` binds: definitions, or modules by their name."""
    module = statement.module or ""
    if module != PACKAGE and not module.startswith(f"{PACKAGE}."):
        return {}
    if module.startswith(f"{PACKAGE}.settings"):
        return {}
    below = module.removeprefix(PACKAGE).removeprefix(".")
    bound: dict[str, Definition | str] = {}
    for alias in statement.names:
        path = f"{below}.{alias.name}".removeprefix(".")
        bound[alias.asname or alias.name] = (below, alias.name) if not _is_module(path) else path
    return bound


def _defined_names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Assign():
            return [n.id for target in statement.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _statements(definition: Definition, entry: str | Path, chosen: Mapping[str, str]) -> Iterator[ast.stmt]:
    """Yield the statements of a definition; of a registry, only the chosen entry; under "", the loose ones."""
    module, name = definition
    found = _module(module, entry)
    for statement in found.definitions.get(name, ()) if name else found.loose:
        key = chosen.get(f"{module}.{name}")
        yield statement if key is None else _entry_of(statement, key)


def _entry_of(statement: ast.stmt, key: str) -> ast.stmt:
    if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(statement.value, ast.Dict):
        for name, value in zip(statement.value.keys, statement.value.values, strict=True):
            if isinstance(name, ast.Constant) and name.value == key:
                return ast.Expr(value)
        return ast.Pass()  # this registry has no such entry, and none of it is used
    raise TypeError("a registry should be one dictionary display")


def _mentions(statement: ast.stmt, module: str, found: _Module) -> Iterator[Definition]:
    """Yield the definitions of this package that a statement mentions."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name):
            if node.id in found.definitions:
                yield (module, node.id)
            elif isinstance(target := found.imports.get(node.id), tuple):
                yield _origin(*target)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and isinstance(target := found.imports.get(node.value.id), str)
        ):
            yield _origin(target, node.attr)


def _origin(module: str, name: str) -> Definition:
    """Follow re-exports to where a name is defined."""
    if not _is_module(module) and module:
        return (module, name)
    target = _module(module, "").imports.get(name)
    return _origin(*target) if isinstance(target, tuple) else (module, name)


def _without_text(tree: ast.Module) -> ast.Module:
    """Drop docstrings and annotations, which change no result."""
    for node in ast.walk(tree):
        if isinstance(node, ast.arg | ast.AnnAssign):
            node.annotation = None if isinstance(node, ast.arg) else ast.Constant(None)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return tree
