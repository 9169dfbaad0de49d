"""How a file differs from what it should be."""

import csv
import io
import json
import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from replication.audit.findings import shown
from replication.report.formatting import counted

CONTEXT_WORDS = 6
CONTEXT_CHARACTERS = 30
MISSING = "nothing"
TAG = re.compile(r"<[^>]*>")
ANCHOR = re.compile(r'\bid="([^"]*)"')


def difference(found: bytes, expected: bytes, kind: str) -> str | None:
    """Return the first difference between two files, in words; None if they are equal.

    Parameters
    ----------
    kind
        Ending of the file's name, such as `.csv`.
    """
    if found == expected:
        return None
    try:
        texts = found.decode("utf-8"), expected.decode("utf-8")
    except UnicodeDecodeError:
        return _byte_difference(found, expected)
    how = {
        ".csv": _table_difference,
        ".json": _json_difference,
        ".ipynb": _json_difference,
        ".html": _page_difference,
    }
    return how.get(kind, _line_difference)(*texts) or _byte_difference(found, expected)


def _byte_difference(found: bytes, expected: bytes) -> str:
    if not found:
        return "is empty"
    place = next(
        (n for n, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b),
        min(len(found), len(expected)),
    )
    sizes = "" if len(found) == len(expected) else f" ({len(found)} bytes, should be {len(expected)})"
    return f"differs from byte {place} on{sizes}"


def _table_difference(found: str, expected: str) -> str | None:
    ours, should = (list(csv.reader(io.StringIO(text, newline=""))) for text in (found, expected))
    cells = _differing_cells(ours, should)
    first = next(cells, None)
    if first is None:
        return None
    row, column, value, right = first
    heading = should[0][column] if should and column < len(should[0]) else f"number {column + 1}"
    label = (
        ", ".join(should[row][:4]) if 0 < row < len(should) else "the heading" if row == 0 else "one too many"
    )
    more = sum(1 for _ in cells)
    rest = f"; {counted(more, 'more cell')} differ" if more else ""
    counts = "" if len(ours) == len(should) else f"; {len(ours) - 1} rows, should be {len(should) - 1}"
    return f"row {row} ({label}), column {heading}: {shown(value)} should be {shown(right)}{rest}{counts}"


def _differing_cells(ours: list[list[str]], should: list[list[str]]) -> Iterator[tuple[int, int, str, str]]:
    empty: list[str] = []
    for number, (mine, right) in enumerate(zip_longest(ours, should, fillvalue=empty)):
        if mine != right:
            for column, (a, b) in enumerate(zip_longest(mine, right, fillvalue=MISSING)):
                if a != b:
                    yield number, column, a, b


def _json_difference(found: str, expected: str) -> str | None:
    try:
        return _value_difference(json.loads(found), json.loads(expected), "")
    except (ValueError, RecursionError) as error:
        return f"is no longer JSON ({error})"


def _value_difference(found: Any, expected: Any, key: str) -> str | None:
    if type(found) is type(expected) and isinstance(found, dict | list):
        pairs = _items(found, expected)
        return next((text for name, a, b in pairs if (text := _value_difference(a, b, f"{key}{name}"))), None)
    if found == expected and type(found) is type(expected):
        return None
    if isinstance(found, str) and isinstance(expected, str):
        return f"{key}: {_text_difference(found, expected)}"
    return f"{key}: {shown(found)} should be {shown(expected)}"


def _items(found: Any, expected: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, list):
        for number, (a, b) in enumerate(zip_longest(found, expected, fillvalue=MISSING)):
            yield f"[{number}]", a, b
    else:
        for name in sorted(found.keys() | expected.keys()):
            yield f".{name}", found.get(name, MISSING), expected.get(name, MISSING)


def _line_difference(found: str, expected: str) -> str | None:
    pairs = zip_longest(found.split("\n"), expected.split("\n"), fillvalue=MISSING)
    number, ours, right = next((n, a, b) for n, (a, b) in enumerate(pairs, start=1) if a != b)
    return f"line {number}: {_text_difference(ours, right)}"


def _text_difference(found: str, expected: str) -> str:
    """Return the part of two texts around their first difference."""
    pairs = enumerate(zip_longest(found, expected))
    place = next(n for n, (a, b) in pairs if a != b)
    start = max(place - CONTEXT_CHARACTERS, 0)
    ours, right = (text[start : place + CONTEXT_CHARACTERS] for text in (found, expected))
    return f"`{shown(ours)}` should be `{shown(right)}`"


def _page_difference(found: str, expected: str) -> str:
    """Return the first differing words of two pages; where only tags differ, the part around them."""
    ours, should = (TAG.sub(" ", text).split() for text in (found, expected))
    place = next((n for n, (a, b) in enumerate(zip_longest(ours, should)) if a != b), None)
    pairs = enumerate(zip_longest(found, expected))
    character = next(n for n, (a, b) in pairs if a != b)
    anchors = ANCHOR.findall(expected, 0, character)
    where = f"below #{anchors[-1]}: " if anchors else ""
    if place is None:
        return where + _text_difference(found, expected)
    start = max(place - CONTEXT_WORDS, 0)
    mine, right = (" ".join(words[start : place + CONTEXT_WORDS]) for words in (ours, should))
    return f"{where}`{shown(mine)}` should be `{shown(right)}`"
