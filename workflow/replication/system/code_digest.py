"""A digest of the code that a result depends on, definition by definition.

Snakemake does not see edits to an imported package, and a digest of whole files would rerun everything after
any edit. This one follows names: from the definitions of an entry module to those that they mention, through
imports, in this package only. Where a name is a registry (a dictionary with strings as keys), only the chosen
entry is followed, so that an edit to one schedule concerns the runs of that schedule alone. A module that is
mentioned other than by `module.name` counts whole, and so does what the entry imports without using it.

What counts are the statements themselves, and what each name in them stands for; not where they stand: a definition
may move to another module, or its module change its name, and the digest stays. Comments, docstrings, annotations and
layout do not count either, nor do the classes of `settings`: their values are what reaches a result, and Snakemake
compares those by themselves.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from replication.system.files import PACKAGE

NOT_FOLLOWED = "settings"

# A definition: the module that holds it, and its name there. Of other packages, only these two are known.
Definition = tuple[str, str]
ENTRY = "__main__"
LOOSE = ""  # as a name: the statements of a module that define nothing
WHOLE = "*"  # as a name: the module itself


@dataclass(frozen=True)
class _Module:
    definitions: Mapping[str, tuple[ast.stmt, ...]]
    imports: Mapping[str, Definition]
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

    Raises
    ------
    TypeError
        A name in `chosen` is not that of a registry, or an import cannot be followed.
    """
    return _digest(entry, tuple(sorted((chosen or {}).items())))


@cache
def _digest(entry: str | Path, chosen: tuple[tuple[str, str], ...]) -> str:
    choices = dict(chosen)

    @cache
    def text_of(definition: Definition) -> str:
        """Return the hash of a definition's own text, in which others are only named; of a foreign one, its module."""
        if _is_foreign(definition[0]):
            return definition[0]
        return _hash(piece if isinstance(piece, str) else piece[1] for piece in pieces_of(definition))

    def pieces_of(definition: Definition) -> list[str | Definition]:
        module = definition[0]
        return [
            piece
            for statement in _statements(definition, entry, choices)
            for piece in _pieces(statement, module, entry)
        ]

    def meaning_of(definition: Definition) -> str:
        """Return the hash of a definition's text and of what each name in it stands for."""
        if _is_foreign(definition[0]):
            return _hash(definition)
        return _hash(
            piece if isinstance(piece, str) else f"{piece[1]}={text_of(piece)}"
            for piece in pieces_of(definition)
        )

    return _hash(sorted({meaning_of(definition) for definition in reached_definitions(entry, chosen)}))


def _hash(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


@cache
def reached_definitions(entry: str | Path, chosen: tuple[tuple[str, str], ...] = ()) -> frozenset[Definition]:
    """Return the definitions that `entry` reaches, itself included, with the registry choices made."""
    for registry, _ in chosen:
        _check_registry(registry)
    waiting = [(ENTRY, WHOLE), *_unused_imports(_read(Path(entry)))]
    reached: set[Definition] = set()
    while waiting:
        definition = waiting.pop()
        if definition in reached:
            continue
        reached.add(definition)
        module, name = definition
        if not _is_followed(module):
            continue
        found = _module(module, entry)
        waiting.append((module, LOOSE))
        waiting.extend((module, each) for each in found.definitions if name == WHOLE)
        for statement in _statements(definition, entry, dict(chosen)):
            waiting.extend(piece for piece in _pieces(statement, module, entry) if not isinstance(piece, str))
    return frozenset(reached)


def _check_registry(registry: str) -> None:
    module, _, name = f"{PACKAGE.name}.{registry}".rpartition(".")
    if not _is_module(module) or name not in _module(module).definitions:
        raise TypeError(f"there is no registry {registry}: correct its name where the choice is made")


def _unused_imports(entry: _Module) -> list[Definition]:
    statements = [*entry.loose, *(statement for found in entry.definitions.values() for statement in found)]
    used = {node.id for statement in statements for node in _walk(statement) if isinstance(node, ast.Name)}
    return [_origin(*origin) for name, origin in entry.imports.items() if name not in used]


def _is_followed(module: str) -> bool:
    parts = module.split(".")
    return module == ENTRY or (parts[0] == PACKAGE.name and NOT_FOLLOWED not in parts[1:2])


def _is_foreign(module: str) -> bool:
    return module != ENTRY and module.split(".")[0] != PACKAGE.name


def _module(name: str, entry: str | Path = "") -> _Module:
    if name == ENTRY:
        return _read(Path(entry))
    return _read(_file(PACKAGE, name) or _path(PACKAGE, name).with_suffix(".py"))


def _is_module(name: str) -> bool:
    return _file(PACKAGE, name) is not None


@cache
def _file(package: Path, module: str) -> Path | None:
    path = _path(package, module)
    files = (path / "__init__.py", path.with_suffix(".py"))
    return next((file for file in files if file.is_file()), None)


def _path(package: Path, module: str) -> Path:
    return package.joinpath(*module.split(".")[1:])


@cache
def _read(path: Path) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    _strip(tree)
    definitions: dict[str, tuple[ast.stmt, ...]] = {}
    imports: dict[str, Definition] = {}
    loose: list[ast.stmt] = []
    for statement in tree.body:
        names = _defined_names(statement)
        for name in names:
            definitions[name] = (*definitions.get(name, ()), statement)
        if not names:
            imports |= _imported(statement)
        if not names and not isinstance(statement, ast.Import | ast.ImportFrom):
            loose.append(statement)
    return _Module(definitions, imports, tuple(loose))


def _imported(statement: ast.stmt) -> dict[str, Definition]:
    """Return the names that the imports in a statement bind, with what each stands for."""
    bound: dict[str, Definition] = {}
    for node in _walk(statement):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                bound[alias.asname or first] = (alias.name if alias.asname else first, WHOLE)
        elif isinstance(node, ast.ImportFrom):
            if node.level or node.names[0].name == "*":
                raise TypeError(f"`{ast.unparse(node)}`: import names, from a module by its full name")
            bound |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
    return bound


def _defined_names(statement: ast.stmt) -> list[str]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return [statement.name]
        case ast.Assign():
            return [n.id for target in statement.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
        case ast.AugAssign(target=ast.Name(id=name)):
            return [name]
    return []


def _statements(definition: Definition, entry: str | Path, chosen: Mapping[str, str]) -> Iterator[ast.stmt]:
    """Yield the statements of a definition; of a registry, only the chosen entry."""
    module, name = definition
    if not _is_followed(module):
        return
    found = _module(module, entry)
    key = chosen.get(f"{module}.{name}".removeprefix(f"{PACKAGE.name}."))
    for statement in found.loose if name == LOOSE else found.definitions.get(name, ()):
        yield statement if key is None else _entry_of(statement, key)


def _entry_of(statement: ast.stmt, key: str) -> ast.stmt:
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Dict):
        raise TypeError(f"`{ast.unparse(statement)}`: a registry should be one dictionary display")
    for name, value in zip(statement.value.keys, statement.value.values, strict=True):
        if not isinstance(name, ast.Constant):
            raise TypeError(f"`{ast.unparse(value)}`: a registry's keys should be constants")
        if name.value == key:
            return ast.Expr(value)
    return ast.Pass()  # this registry has no such entry, and none of it is used


def _pieces(statement: ast.stmt, module: str, entry: str | Path) -> tuple[str | Definition, ...]:
    """Return a statement as text, in pieces, with a definition wherever it mentions one.

    Imports within the statement count as those of its module, and leave no text: what they bind is where it is used.
    """
    return _written(statement, module, entry if module == ENTRY else "")


@cache  # for all entries, except of what stands in the entry itself
def _written(statement: ast.stmt, module: str, entry: str | Path) -> tuple[str | Definition, ...]:
    found = _module(module, entry)
    imports = {**found.imports, **_imported(statement)}
    pieces: list[str | Definition] = []

    def meant(node: ast.AST) -> Definition | None:
        """Return what a name or a chain of attributes stands for, if that can be read off."""
        if isinstance(node, ast.Name):
            own = (module, node.id) if node.id in found.definitions else None
            return _origin(*imports[node.id]) if node.id in imports else own
        if isinstance(node, ast.Attribute):
            holder = meant(node.value)
            return _origin(holder[0], node.attr) if holder and holder[1] == WHOLE else None
        return None

    def write(value: object) -> None:
        if isinstance(value, list):
            pieces.append(f"[{len(value)}")
            for each in value:
                write(each)
        elif not isinstance(value, ast.AST):
            pieces.append(repr(value))
        elif definition := meant(value):
            pieces.append(definition)
        elif not isinstance(value, ast.Import | ast.ImportFrom):
            pieces.append(type(value).__name__)
            for field in value._fields:
                if field != "ctx":
                    write(getattr(value, field, None))

    write(statement)
    return tuple(pieces)


def _origin(module: str, name: str) -> Definition:
    """Follow re-exports to where a name is defined, or find the module that it names."""
    if name == WHOLE or not _is_followed(module):
        return (module, name)
    found = _module(module)
    if name in found.definitions:
        return (module, name)
    if name in found.imports:
        return _origin(*found.imports[name])
    return (f"{module}.{name}", WHOLE) if _is_module(f"{module}.{name}") else (module, LOOSE)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it; unlike `ast.walk`, which takes several times as long, no contexts of names."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(_children(node))


def _children(node: ast.AST) -> list[ast.AST]:
    found: list[ast.AST] = []
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            found.extend([each for each in value if isinstance(each, ast.AST)])
        elif isinstance(value, ast.AST) and field != "ctx":
            found.append(value)
    return found


def _strip(tree: ast.Module) -> None:
    """Drop docstrings, annotations and what only a type checker reads, none of which changes a result."""
    for node in _walk(tree):
        if isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
        for field, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                in_class = isinstance(node, ast.ClassDef)
                kept = [_unannotated(statement, in_class) for statement in value if not _is_text(statement)]
                setattr(node, field, kept or [ast.Pass()])


def _is_text(statement: ast.stmt) -> bool:
    match statement:
        case ast.Expr(value=ast.Constant()) | ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=[]):
            return True
    return False


def _unannotated(statement: ast.stmt, in_class: bool) -> ast.stmt:
    if not isinstance(statement, ast.AnnAssign):
        return statement
    if in_class:  # where an annotation may make a field of a name
        statement.annotation = ast.Constant(None)
        return statement
    if statement.value is None:
        return ast.Pass()
    return ast.Assign(targets=[statement.target], value=statement.value, lineno=statement.lineno)
