"""A reading in words: reported, ours, and what would decide it."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from replication.report.claim_words import our_words, reported_words, what_we_saw, what_would_decide
from replication.settings.claims import Claim

TITLES = {"a": "A", "b": "B", "c": "C"}
ORDER = {"kind": "order", "arm": "a", "direction": "higher", "than": ["b"], "measure": "test_accuracy"}
VALUE = {
    "kind": "value",
    "arm": "a",
    "measure": "test_accuracy",
    "expected": 0.9,
    "margin": {"absolute": 0.01, "reason": "r"},
}
DIFFERENCE = {k: v for k, v in VALUE.items() if k != "expected"} | {"kind": "difference", "minus": "b"}
EVENT = {
    "kind": "shape",
    "arm": "a",
    "measure": "validation_loss",
    "expected": False,
    "event": "second_descent",
    "threshold": 0.1,
    "reason": "r",
}
ROW: dict[str, Any] = {
    "outcome": "undecided",
    "n": 8,
    "seeds_to_decide": 12.0,
    "measure": "test_accuracy",
    "minus": None,
    "side": "both",
    "estimate": 0.02,
    "low": 0.01,
    "high": 0.03,
    "expected": 0.9,
    "margin": 0.01,
}


def claim(fields: dict[str, Any], **changes: Any) -> Claim:
    built: Claim = TypeAdapter(Claim).validate_python({"id": "one", **fields, **changes})
    return built


def row(fields: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return ROW | {"kind": fields["kind"]} | changes


NUMBER = {
    "kind": "value",
    "minus": None,
    "side": "both",
    "expected": 0.91,
    "margin": 0.01,
    "seeds_to_decide": None,
}


@pytest.mark.parametrize(
    ("fields", "changes", "of_row", "words"),
    [
        (VALUE, {}, {}, "90.00 % ± 1.00 %"),
        (VALUE, {"side": "at_least"}, {}, "at least 90.00 % ± 1.00 %"),
        (VALUE, {"side": "at_most"}, {}, "at most 90.00 % ± 1.00 %"),
        (ORDER, {}, {"expected": None, "margin": None}, "above 0"),
        (ORDER, {"least": {"absolute": 0.01, "reason": "r"}}, {"expected": None}, "above 1.00 %"),
        (ORDER, {"least": {"relative": 0.5, "reason": "r"}}, {"margin": None}, "above 50% of the other"),
        (EVENT, {}, {"expected": 0.0, "margin": None}, "does not happen"),
        (EVENT, {"expected": True}, {"expected": 1.0, "margin": None}, "happens"),
    ],
)  # fmt: skip
def test_what_is_reported(
    fields: dict[str, Any], changes: dict[str, Any], of_row: dict[str, Any], words: str
) -> None:
    assert reported_words(row(fields, **of_row), claim(fields, **changes)) == words


@pytest.mark.parametrize(
    ("fields", "changes", "words"),
    [
        (VALUE, {"estimate": 0.91}, "91.00 % [1.00, 3.00]"),
        (VALUE, {"estimate": 0.91, "low": None, "high": None}, "91.00 %"),
        (VALUE, {"minus": "b"}, "+2.00 % [+1.00, +3.00]"),
        (ORDER, {}, "+2.00 % [+1.00, +3.00]"),
        (EVENT, {"estimate": 0.25}, "25% of seeds"),
        (EVENT, {"estimate": None}, "–"),
    ],
)
def test_what_is_ours(fields: dict[str, Any], changes: dict[str, Any], words: str) -> None:
    assert our_words(row(fields, **changes)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "about 12 seeds would decide it"),
        ({"seeds_to_decide": None}, "more seeds will not decide it"),
        (NUMBER | {"low": 0.93, "high": 0.96}, "more seeds may contradict it"),
        (NUMBER | {"low": 0.85, "high": 0.88}, "more seeds may contradict it"),
        (NUMBER | {"low": 0.90, "high": 0.96}, "more seeds will not decide it"),
        (NUMBER | {"low": 0.93, "high": 0.96, "side": "at_least"}, "more seeds will not decide it"),
        (NUMBER | {"low": 0.85, "high": 0.88, "side": "at_most"}, "more seeds will not decide it"),
        ({"n": 2, "seeds_to_decide": 3.0}, "3 seeds at least are needed"),
        ({"outcome": "supported"}, ""),
    ],
)
def test_what_would_decide_it(changes: dict[str, Any], words: str) -> None:
    assert what_would_decide(ROW | {"kind": "order"} | changes) == words


SEVERAL = {"than": ["b", "c"]}


@pytest.mark.parametrize(
    ("changes", "estimate", "outcome", "words"),
    [
        ({}, 0.02, "reproduced", "higher than that of B by 2.00 points"),
        ({}, -0.02, "contradicted", "lower than that of B by 2.00 points"),
        ({}, 0.02, "contradicted", "higher than that of B by 2.00 points only"),
        ({"direction": "lower"}, 0.02, "supported", "lower than that of B by 2.00 points"),
        (SEVERAL, -0.02, "contradicted", "lower than that of one of the others by 2.00 points"),
        (
            {"than": ["a"], "than_epoch": 3},
            0.02,
            "supported",
            "higher at the end than after epoch 3 by 2.00 points",
        ),
        (
            *(SEVERAL, 0.02, "supported"),
            "higher than that of each of the others, by 2.00 points in the comparison that decides",
        ),
    ],
)
def test_an_order_that_we_saw(changes: dict[str, Any], estimate: float, outcome: str, words: str) -> None:
    found = what_we_saw(row(ORDER, estimate=estimate, outcome=outcome), claim(ORDER, **changes), TITLES)
    assert found == f"Test accuracy of A is {words}."


@pytest.mark.parametrize(
    ("fields", "estimate", "words"),
    [
        (DIFFERENCE, -0.02, "Test accuracy of A and of B differ by 2.00 points."),
        (VALUE, 0.91, "Test accuracy of A is 91.00 %."),
        (EVENT, 0.25, "25% of the runs of A fall a second time."),
    ],
)
def test_what_else_we_saw(fields: dict[str, Any], estimate: float, words: str) -> None:
    assert what_we_saw(row(fields, estimate=estimate), claim(fields), TITLES) == words
