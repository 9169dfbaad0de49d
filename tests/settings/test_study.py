"""A study's file: arms, scales, tables and claims that fit each other."""

import pytest
from pydantic import ValidationError

from replication.settings.arm import Arm
from replication.settings.claims import EventClaim, Margin, OrderClaim, ValueClaim
from replication.settings.measures import EPOCH_MEASURES, MEASURES
from replication.settings.study import Column, ScaleOverrides, Study, Table
from tabulated import EVENT, FIRST, GONE, ORDER, STUDY, VALUE, changed, stated

TABLE = {
    "id": "results",
    "title": "Results",
    "arms": ["a", "b"],
    "columns": [{"heading": "Accuracy", "measure": "test_accuracy"}],
}
SEARCH = {
    "title": "Search",
    "method": "random",
    "arms": ["a", "b"],
    "measure": "validation_accuracy",
    "direction": "higher",
    "tolerance": 0.0,
}
CONVERGENCE = EVENT | {"kind": "divergence", "event": "no_convergence", "reference": "b"}


def study(changes):
    return Study(**changed(STUDY, changes))


def says(*claims):
    return {"statements": stated(*claims)}


def test_a_study_with_everything():
    claims = [VALUE, ORDER, EVENT, CONVERGENCE | {"id": "convergence"}]
    whole = study(
        {"tables": [TABLE], "statements": stated(*claims), "scales.demo.arms": {"c": {"epochs": 2}}}
    )
    assert list(whole.arms) == ["a", "b", "c"]
    assert [type(claim) for claim in whole.claims] == [ValueClaim, OrderClaim, EventClaim, EventClaim]
    assert [claim.epoch for claim in whole.claims] == ["last"] * 4
    assert whole.tables[0].columns[0] == Column(heading="Accuracy", measure="test_accuracy", epoch="last")


@pytest.mark.parametrize(
    ("claim", "arms"),
    [
        (VALUE, ["a"]),
        (VALUE | {"minus": "b"}, ["a", "b"]),
        (ORDER | {"than": ["c", "b"]}, ["a", "c", "b"]),
        (EVENT, ["a"]),
        (CONVERGENCE, ["a", "b"]),
    ],
)
def test_a_claim_knows_the_arms_that_it_needs(claim, arms):
    assert study(says(claim)).claims[0].arms == arms


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({f"{FIRST}.arm": "z"}, "statements, value"),
        ({f"{FIRST}.minus": "z"}, "statements, value"),
        (says(ORDER | {"than": ["b", "z"]}), "statements, order"),
        (says(ORDER | {"arm": "z"}), "statements, order"),
        (says(CONVERGENCE | {"reference": "z"}), "statements, event"),
        ({"tables": [TABLE | {"arms": ["a", "z"]}]}, "tables, results"),
        ({"searches": {"found": SEARCH | {"arms": ["a", "z"]}}}, "searches, found"),
        ({"scales.demo.arms": {"z": {}}}, "scales, demo, arms"),
        ({"scales.laptop.arms": {"z": {}}}, "scales, laptop, arms"),
    ],
)
def test_an_arm_that_does_not_exist_is_refused_with_the_ones_that_do(changes, place):
    with pytest.raises(ValidationError, match=f"{place}: no arm `z`; the arms are a, b, c"):
        study(changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (says(VALUE, ORDER | {"id": "value"}), "two statements have the id `value`"),
        ({"searches": {"a": SEARCH}}, "two arms are called `a`"),
        ({"tables": [TABLE, TABLE]}, "two tables have the id `results`"),
        ({"arms.A b": {"title": "A"}}, "should match pattern"),
        ({"arms.a_b": {"title": "A"}}, "should match pattern"),
        ({"arms.a--b": {"title": "A"}}, "should match pattern"),
        ({"arms": {}}, "at least 1 item"),
        ({"arms.a.title": ""}, "at least 1 character"),
        ({"tables": [TABLE | {"arms": []}]}, "at least 1 item"),
        ({"tables": [TABLE | {"columns": []}]}, "at least 1 item"),
        ({"statements": []}, "statements"),
        ({"seeds": 0}, "greater than or equal to 1"),
        ({"scales.demo.seeds": 0}, "greater than or equal to 1"),
        ({"scales.laptop": GONE}, "Field required"),
        ({"statements.0.id": "Value"}, "should match pattern"),
        ({"statements.0.quote": ""}, "at least 1 character"),
        ({"statements.0.section": ""}, "at least 1 character"),
        ({f"{FIRST}.measure": "accuracy"}, "'train_loss'"),
        ({f"{FIRST}.margin": {"reason": "none"}}, "one of `absolute` and `binomial_images`"),
        ({f"{FIRST}.margin": {"reason": "two", "absolute": 1, "binomial_images": 1}}, "one of `absolute` and"),
        ({f"{FIRST}.margin": {"reason": "below", "absolute": -0.1}}, "greater than or equal to 0"),
        ({f"{FIRST}.margin": {"reason": "none", "binomial_images": 0}}, "greater than or equal to 1"),
        ({f"{FIRST}.margin": {"reason": "a share", "binomial_images": 9}, f"{FIRST}.expected": 95.5}, "share"),
        ({f"{FIRST}.margin": {"reason": "a share", "binomial_images": 9}, f"{FIRST}.expected": -0.1}, "share"),
        ({f"{FIRST}.minus_epoch": 3}, "`minus_epoch` goes with `minus`"),
        (says(ORDER | {"than": []}), "at least 1 item"),
        (says(ORDER | {"direction": "up"}), "'higher' or 'lower'"),
        (says(EVENT | {"threshold": 0}), "greater than 0"),
        (says(EVENT | {"expected": 1}), "valid boolean"),
        (says(EVENT | {"reference": "b"}), "`reference` goes with the event no_convergence"),
        (says(EVENT | {"event": "no_convergence"}), "`reference` goes with the event no_convergence"),
        (says(EVENT | {"event": "stopped_too_early"}), "`reference` goes with .* or stopped_too_early"),
        (
            says(EVENT | {"event": "stopped_too_early", "reference": "b", "measure": "test_accuracy"}),
            "stopped_too_early is read off a loss, not off test_accuracy",
        ),
        (says(EVENT | {"measure": "seconds"}), "measure: an event is read off a curve; valid: train_loss, "),
    ],
)  # fmt: skip
def test_impossible_values_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        study(changes)


@pytest.mark.parametrize("expected", [0.0, 0.955, 1.0])
def test_a_binomial_margin_is_of_a_share(expected):
    margin = {"binomial_images": 2000, "reason": "two standard errors"}
    claim = study({f"{FIRST}.margin": margin, f"{FIRST}.expected": expected}).claims[0]
    assert claim.margin == Margin(binomial_images=2000, reason="two standard errors")


def test_measures_after_an_epoch_are_among_all_measures():
    assert set(EPOCH_MEASURES) < set(MEASURES)


@pytest.mark.parametrize("measure", EPOCH_MEASURES)
def test_every_measure_after_an_epoch_has_events(measure):
    assert study(says(EVENT | {"measure": measure})).claims[0].measure == measure


def test_a_scale_overrides_what_its_part_says_and_paper_nothing():
    changes = {
        "scales.demo": {"seeds": 2, "settings": {"epochs": 1}},
        "scales.laptop": {"substitute": {"mnist": "digits"}},
    }
    overrides = study(changes).overrides
    assert overrides("demo") == ScaleOverrides(seeds=2, settings={"epochs": 1})
    assert overrides("laptop") == ScaleOverrides(substitute={"mnist": "digits"})
    assert overrides("paper") == ScaleOverrides()


@pytest.mark.parametrize(
    "section", [ValueClaim, OrderClaim, EventClaim, Margin, Arm, ScaleOverrides, Column, Table]
)
def test_every_key_whose_name_does_not_say_it_all_is_described(section):
    plain = {
        "kind",
        "arm",
        "arms",
        "than",
        "expected",
        "margin",
        "direction",
        "event",
        "title",
        "columns",
        "heading",
    }
    fields = section.model_fields.items()
    undescribed = {name for name, field in fields if not field.description}
    assert undescribed <= plain | ({"id"} if section is Table else set())
