"""In what two files differ, in words."""

import json

import pytest

from replication.audit.comparison import difference

TABLE = "run_id,epoch,loss\na/b/seed-1,1,0.5\na/b/seed-1,2,0.25\n"


def said(found: str, expected: str, kind: str) -> str:
    return difference(found.encode(), expected.encode(), kind) or ""


def test_equal_files_do_not_differ() -> None:
    assert difference(b"\xff\x00", b"\xff\x00", ".csv") is None


def test_a_value_of_a_table_is_named_with_row_and_column() -> None:
    assert said(TABLE.replace("0.25", "0.26"), TABLE, ".csv") == (
        "row 2 (a/b/seed-1, 2, 0.25), column loss: 0.26 should be 0.25"
    )


def test_more_differing_cells_and_rows_are_counted() -> None:
    text = said("run_id,epoch,loss\na/b/seed-1,1,0.6\n", TABLE, ".csv")
    assert text == (
        "row 1 (a/b/seed-1, 1, 0.5), column loss: 0.6 should be 0.5; 3 more cells differ; 1 rows, should be 2"
    )


def test_a_row_too_many_is_named() -> None:
    assert "row 3 (one too many)" in said(TABLE + "x,y,z\n", TABLE, ".csv")


def test_a_heading_is_named() -> None:
    assert said(TABLE.replace("loss", "lost"), TABLE, ".csv").startswith(
        "row 0 (the heading), column loss: lost should be loss"
    )


@pytest.mark.parametrize("kind", [".csv", ".json", ".svg", ".html"])
def test_bytes_are_named_where_the_content_is_the_same(kind: str) -> None:
    ours, right = {
        ".csv": ("a\r\n", "a\n"),
        ".json": ('{"a":1}', '{"a": 1}'),
        ".svg": ("\ufeffa\n", "a\n"),
        ".html": ("<b>a</b> ", "<b>a</b>"),
    }[kind]
    assert said(ours, right, kind)


def test_a_line_ending_is_named_by_its_byte() -> None:
    assert said("a,b\r\n1,2\r\n", "a,b\n1,2\n", ".csv") == "differs from byte 3 on (10 bytes, should be 8)"


def test_a_file_that_is_no_text_any_more() -> None:
    assert difference(b"a\xffb", b"acb", ".csv") == "differs from byte 1 on"


def test_an_empty_file() -> None:
    assert difference(b"", "é".encode(), ".svg") is not None
    assert difference(b"", b"\xff", ".bin") == "is empty"


def test_a_value_of_json_is_named_with_its_place() -> None:
    right = {"cells": [{"source": "x"}, {"outputs": [1, 2.5], "kind": "code"}]}
    ours = json.loads(json.dumps(right))
    ours["cells"][1]["outputs"][1] = 2.75
    assert said(json.dumps(ours), json.dumps(right), ".ipynb") == ".cells[1].outputs[1]: 2.75 should be 2.5"


def test_one_and_true_differ_in_json() -> None:
    assert said("[1]", "[true]", ".json") == "[0]: 1 should be True"


def test_a_long_text_in_json_is_shown_around_its_difference() -> None:
    text = said(json.dumps("a" * 500 + "1"), json.dumps("a" * 500 + "2"), ".json")
    assert "aaa1` should be" in text
    assert len(text) < 120


def test_json_that_is_none_any_more() -> None:
    assert said('{"a": 1', '{"a": 1}', ".json").startswith("is no longer JSON")


def test_a_line_of_other_text_is_named() -> None:
    assert said("<svg>\n<path d='1'/>", "<svg>\n<path d='2'/>", ".svg") == (
        "line 2: `<path d='1'/>` should be `<path d='2'/>`"
    )


PAGE = '<html><h2 id="claims">Claims</h2><p>Our number is <b>91.25 %</b> of all.</p></html>'


def test_a_word_of_a_page_is_named_with_the_words_around_it() -> None:
    assert said(PAGE.replace("91", "92"), PAGE, ".html") == (
        "below #claims: `Claims Our number is 92.25 % of all.` should be `Claims Our number is 91.25 % of all.`"
    )


def test_a_tag_of_a_page_is_shown_where_no_word_differs() -> None:
    assert "`" in said(PAGE.replace("<b>", "<i>"), PAGE, ".html")
    assert "<i>" in said(PAGE.replace("<b>", "<i>"), PAGE, ".html")
