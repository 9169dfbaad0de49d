"""Likelihoods of readings: against the normal density, and which statements count."""

import math
import re

import pandas as pd
import pytest
from scipy.stats import norm

from replication.analysis.likelihoods import answer, explanation_table, explanations, times
from replication.analysis.observations import Observations
from replication.errors import ConfigurationError
from tabulated import planned_study, tables_of

GRID = {
    "arm": "{model}-{batch}",
    "title": "{model}, {batch}",
    "axes": {"model": {"x": {}, "y": {}}, "batch": {"32": {}, "64": {"batch_size": 64}}},
}
CURVES = {
    "x-32": [[0.70], [0.72], [0.74]],
    "x-64": [[0.60], [0.61], [0.62]],
    "y-32": [[0.70], [0.74], [0.78]],
    "y-64": [[0.50], [0.60], [0.70]],
}


def reading(arm, expected=0.62, margin=0.0, **fields):
    return {
        "id": f"of-{arm}",
        "kind": "value",
        "arm": arm,
        "measure": "test_accuracy",
        "expected": expected,
        "margin": {"absolute": margin, "reason": "a test"},
        **fields,
    }


def statement(name, *readings):
    named = [each | {"id": f"{name}-{number}"} for number, each in enumerate(readings)]
    return {"id": name, "section": "1", "quote": "so", "plainest": named[0]["id"], "readings": named}


def explained(folder, *statements, curves=CURVES, axes=("batch",), numbers=None, **config):
    changes = {"grids": [GRID], "statements": list(statements)}
    planned = planned_study(folder, changes, **config)
    return explanations(planned, Observations(planned, *tables_of(curves)), axes, numbers)


BOTH = statement("both", reading("x-32"), reading("x-64"))


def test_a_number_is_one_further_run(tmp_path):
    best, other = explained(tmp_path, BOTH)
    assert (best.choice, other.choice) == (("64",), ("32",))
    assert best.numbers == ("both",)
    for found, mean, deviation in ((best, 0.61, 0.01), (other, 0.72, 0.02)):
        expected = norm.logpdf(0.62, mean, deviation * math.sqrt(1 + 1 / 3))
        assert found.log_likelihood == pytest.approx(expected)


def test_a_margin_is_two_deviations_more(tmp_path):
    wide = statement("wide", reading("x-32", margin=0.2), reading("x-64", margin=0.2))
    best = explained(tmp_path, wide)[0]
    deviation = math.hypot(0.01 * math.sqrt(4 / 3), 0.1)
    assert best.log_likelihood == pytest.approx(norm.logpdf(0.62, 0.61, deviation))


def test_a_difference_is_that_of_two_further_runs(tmp_path):
    less = [reading(f"x-{batch}", 0.1, minus=f"y-{batch}") for batch in (32, 64)]
    found = {each.choice: each.log_likelihood for each in explained(tmp_path, statement("less", *less))}
    deviation = math.hypot(0.02, 0.04) * math.sqrt(4 / 3)
    assert found[("32",)] == pytest.approx(norm.logpdf(0.1, -0.02, deviation))


def test_numbers_add_up_and_readings_of_one_value_share_its_weight(tmp_path):
    shared = statement("shared", reading("x-32"), reading("y-32"), reading("x-64"))
    alone = {each.choice: each.log_likelihood for each in explained(tmp_path, BOTH)}
    found = {each.choice: each.log_likelihood for each in explained(tmp_path, BOTH, shared)}
    densities = [norm.pdf(0.62, mean, sd * math.sqrt(4 / 3)) for mean, sd in ((0.72, 0.02), (0.74, 0.04))]
    assert found[("64",)] == pytest.approx(2 * alone[("64",)])
    assert found[("32",)] == pytest.approx(alone[("32",)] + math.log(sum(densities) / 2))


def test_only_statements_count_that_have_a_reading_of_each_value(tmp_path):
    partial = statement("partial", reading("x-32"), reading("a"))
    assert {each.numbers for each in explained(tmp_path, BOTH, partial)} == {("both",)}


def test_statements_that_say_the_same_again_can_be_left_out(tmp_path):
    again = BOTH | {
        "id": "again",
        "readings": [each | {"id": "again-" + each["id"]} for each in BOTH["readings"]],
    }
    again["plainest"] = again["readings"][0]["id"]
    assert {each.numbers for each in explained(tmp_path, BOTH, again)} == {("both", "again")}
    assert {each.numbers for each in explained(tmp_path, BOTH, again, numbers=["again"])} == {("again",)}


@pytest.mark.parametrize("left", [[], [[0.6], None, None]])
def test_without_two_runs_of_each_there_is_no_answer(tmp_path, left):
    found = explained(tmp_path, BOTH, curves=CURVES | {"x-64": left})
    assert found == []
    assert answer(found, ["batch"]).startswith("Cannot be told here: ")


def test_only_direct_evidence_counts(tmp_path):
    assert explained(tmp_path, BOTH, scale="demo") == []
    assert len(explained(tmp_path, BOTH, scale="laptop")) == 2


def test_the_answer_names_the_best_and_by_how_much(tmp_path):
    found = explained(tmp_path, BOTH)
    factor = times(found[0].log_likelihood - found[1].log_likelihood)
    assert answer(found, ["batch"]) == (
        f"Of the readings, batch 64 explains the report's number best: {factor} times as likely as with batch 32."
    )


@pytest.mark.parametrize(
    ("factor", "said"),
    [(1.0, "1"), (1.26, "1.3"), (9.96, "10"), (304.0, "300"), (3104.0, "3,100"), (999_000.0, "1,000,000")],
)
def test_factors_are_written_as_people_do(factor, said):
    assert times(math.log(factor)) == said


def test_a_choice_may_be_unlikely_beyond_all_floats(tmp_path):
    near = {"x-32": [[0.5], [0.5001], [0.5002]], "x-64": [[0.6199], [0.62], [0.6201]]}
    found = explained(tmp_path, BOTH, curves=CURVES | near)
    assert found[0].log_likelihood - found[1].log_likelihood > 710
    assert "more than a million times as likely" in answer(found, ["batch"])


def test_a_margin_of_images_counts_as_any_other(tmp_path):
    images = {"margin": {"binomial_images": 400, "reason": "a test"}}
    plain = {"margin": {"absolute": 2 * math.sqrt(0.62 * 0.38 / 400), "reason": "a test"}}
    one, other = (
        explained(tmp_path, statement("both", reading("x-32") | margin, reading("x-64") | margin))
        for margin in (images, plain)
    )
    assert [each.log_likelihood for each in one] == pytest.approx([each.log_likelihood for each in other])


def test_several_axes_are_told_together(tmp_path):
    four = statement("four", *(reading(arm) for arm in CURVES))
    found = explained(tmp_path, four, axes=("model", "batch"))
    assert found[0].choice == ("x", "64")
    assert len(found) == 4


def table_of(folder, **config):
    question = {"id": "size", "title": "Which size?", "axes": ["batch"], "statements": ["both"]}
    changes = {"grids": [GRID], "statements": [BOTH], "questions": [question]}
    return explanation_table(planned_study(folder, changes, **config), *tables_of(CURVES))


def test_the_table_has_a_row_for_each_choice_best_first(tmp_path):
    best, other = explained(tmp_path, BOTH)
    table = table_of(tmp_path)
    assert list(table["choice"]) == ["batch 64", "batch 32"]
    assert list(table["log_likelihood"]) == [best.log_likelihood, other.log_likelihood]
    assert set(table["answer"]) == {answer([best, other], ["batch"])}
    assert set(table["numbers"]) == {"both"}


def test_a_question_without_an_answer_has_a_row_too(tmp_path):
    [row] = table_of(tmp_path, scale="demo").to_dict("records")
    assert (row["question"], row["title"]) == ("size", "Which size?")
    assert row["answer"].startswith("Cannot be told here")
    assert pd.isna(row["choice"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"axes": ["batch", "size"]}, "questions, size, axes: no grid has the axes batch, size"),
        ({"statements": ["bth"]}, "questions, size, statements: there is no statement `bth` (did you mean `both`?)"),
    ],
)  # fmt: skip
def test_a_question_about_nothing_is_refused(tmp_path, changes, message):
    question = {"id": "size", "title": "Which size?", "axes": ["batch"], "statements": ["both"]} | changes
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        planned_study(tmp_path, {"grids": [GRID], "statements": [BOTH], "questions": [question]})
