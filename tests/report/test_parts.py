"""The one list of the page's files."""

from places import ROOT
from replication.report.parts import FOLDER, PAGE_FILES


def test_every_file_of_the_page_is_listed_and_there() -> None:
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / FOLDER / "page").iterdir()}
    assert there <= set(PAGE_FILES)
    assert [name for name in PAGE_FILES if not (ROOT / name).is_file()] == []
