"""Paths in the project's texts: what they name exists."""

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from places import PACKAGE, ROOT

FOLDERS = "benchmarks|config|docs|envs|profiles|reports|tests|workflow"
# Not within a URL or a longer path. Of `config/studies/<study>.yaml` and the like, something must match.
NAMED = re.compile(rf"(?<![\w/.:-])(?:{FOLDERS})/(?:[\w./*-]|<\w+>|{{\w+}})*")
PLACEHOLDER = re.compile(r"<\w+>|{\w+}")
MODULE = re.compile(r"(?<![\w./-])replication(?:\.\w+)+")
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
TEXTS = [
    *(ROOT / name for name in ("Makefile", "Snakefile", ".ci/run", "pyproject.toml")),
    *(path for suffix in ("md", "cff") for path in ROOT.glob(f"*.{suffix}")),
    *(
        path
        for folder in FOLDERS.split("|")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".md", ".py", ".smk", ".yaml", ".j2", ".rst", ".in", ".css", ".sh"}
        or path.name == "Containerfile"
    ),
]


def words_of(path: Path) -> str:
    """Return a file's text; of Python only comments and docstrings, since the code of tests makes up paths."""
    text = path.read_text(encoding="utf-8")
    return "\n".join(_remarks(path, text)) if path.suffix == ".py" else text


def _remarks(path: Path, text: str) -> Iterator[str]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    yield from (
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, documented)
    )
    with path.open("rb") as stream:
        yield from (
            token.string for token in tokenize.tokenize(stream.readline) if token.type == tokenize.COMMENT
        )


@cache
def exists(name: str) -> bool:
    return any(ROOT.glob(PLACEHOLDER.sub("*", name.rstrip("./"))))


@cache
def is_module(name: str) -> bool:
    """Return whether a dotted name is that of a module, or of something that a module's text defines."""
    parts = name.split(".")[1:]
    for known in range(len(parts), 0, -1):
        path = PACKAGE.joinpath(*parts[:known])
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        if file.is_file():
            return all(re.search(rf"\b{part}\b", file.read_text(encoding="utf-8")) for part in parts[known:])
    return False


def missing_in(path: Path) -> list[str]:
    """Return the paths, modules and links of a text that do not exist."""
    words = words_of(path)
    missing = [name for name in NAMED.findall(words) if not exists(name)]
    if path.suffix in {".py", ".md", ".smk", ".yaml"}:
        missing += [name for name in MODULE.findall(words) if not is_module(name)]
    if path.suffix == ".md":
        missing += [name for name in LINK.findall(words) if not (path.parent / name).exists()]
    return missing


@pytest.mark.slow
def test_what_texts_name_exists() -> None:
    missing = {str(path.relative_to(ROOT)): missing_in(path) for path in TEXTS}
    assert {path: names for path, names in missing.items() if names} == {}


@pytest.mark.parametrize(
    "name",
    [
        "workflow/replication/claims.py",
        "config/studies/<study>.yml",
        "docs/x/",
        "replication.aggregation.collect",
        "replication.schedules.decay.cosine",
    ],
)
def test_what_does_not_exist_is_found(tmp_path: Path, name: str) -> None:
    text = tmp_path / "text.md"
    text.write_text(
        f"It is there (README.md, workflow/replication/errors.py, replication.errors): see {name}, or [{name}](x)."
    )
    assert missing_in(text) == [name, name, "x"]


def test_a_page_tells_every_part_of_the_package() -> None:
    page = (ROOT / "docs" / "code.md").read_text(encoding="utf-8")
    parts = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    assert [part for part in parts if f"`{part}/`" not in page] == []
