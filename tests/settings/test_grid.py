"""Grids: their arms, the names of these, and what of a scale's part they follow."""

import itertools

import pytest
from pydantic import ValidationError

from replication.errors import ConfigurationError
from replication.runs.plan import load_plan
from replication.settings.config import Config
from replication.settings.study import Study
from tabulated import GONE, NAME, STUDY, VALUE, changed, planned_study, stated, write_study

GRID = {
    "arm": "{profile}-{sampling}-{budget}",
    "title": "{profile}, {sampling}, {budget} % of the budget",
    "titles": {"rex": "REX", "step": "every step"},
    "note": "Our reading.",
    "axes": {
        "profile": {"rex": {"schedule": {"name": "rex"}}, "linear": {"schedule": {"name": "linear"}}},
        "sampling": {
            "step": {"schedule": {"sampling": {"name": "every_step"}}},
            "tenth": {"schedule": {"sampling": {"name": "every_percent", "percent": 10.0}}},
        },
        "budget": {"50": {"budget_percent": 50}, "100": {}},
    },
}
NAMES = [f"{p}-{s}-{b}" for p, s, b in itertools.product(("rex", "linear"), ("step", "tenth"), ("50", "100"))]
ALONE = {"arms": GONE, "grids": [GRID], "statements": stated(VALUE | {"arm": "rex-step-50"})}

AMBIGUOUS = {"x": {"a": {}, "a-b": {}}, "y": {"c": {}, "b-c": {}}}


def study(changes):
    return Study(**changed(STUDY, changes))


def grid(**changes):
    return {"grids": [changed(GRID, {key.replace("__", "."): value for key, value in changes.items()})]}


# --- arms ------------------------------------------------------------------------------------------------------


def test_there_is_an_arm_for_every_combination():
    arms = study(ALONE).arms
    assert list(arms) == NAMES
    assert arms["rex-step-50"].title == "REX, every step, 50 % of the budget"
    assert arms["linear-tenth-100"].title == "linear, tenth, 100 % of the budget"
    assert {arm.note for arm in arms.values()} == {"Our reading."}


def test_arms_of_a_grid_come_after_the_others():
    whole = study({"grids": [GRID, GRID | {"arm": "again-{profile}-{sampling}-{budget}"}]})
    assert list(whole.arms) == [*"abc", *NAMES, *(f"again-{name}" for name in NAMES)]


def test_one_study_does_not_add_to_another():
    assert list(study(ALONE).arms) == list(study(ALONE).arms) == NAMES


def test_the_settings_of_the_values_are_merged(tmp_path):
    changes = ALONE | {"settings.schedule": {"name": "cosine", "final": 0.5}}
    for name, settings in planned_study(tmp_path, changes).arms.items():
        profile, sampling, budget = name.split("-")
        assert settings.schedule.name == profile
        assert settings.schedule.sampling.name == {"step": "every_step", "tenth": "every_percent"}[sampling]
        assert settings.budget_percent == float(budget)
        assert settings.budget_epochs == {"50": 2, "100": 4}[budget]


def test_a_later_axis_wins_and_a_mapping_without_a_name_merges(tmp_path):
    axes = {
        "first": {"x": {"batch_size": 1, "schedule": {"final": 0.25}}},
        "second": {"y": {"batch_size": 2}},
    }
    made = {"arm": "{first}{second}", "title": "{first} {second}", "axes": axes}
    changes = {"settings.schedule": {"name": "cosine", "final": 0.5}, "grids": [made]}
    settings = planned_study(tmp_path, changes).arms["xy"]
    assert (settings.batch_size, settings.schedule.name, settings.schedule.final) == (2, "cosine", 0.25)


def test_a_scale_changes_an_arm_of_a_grid(tmp_path):
    changes = ALONE | {"scales.demo.arms": {"rex-step-50": {"batch_size": 8}}}
    sizes = {arm: s.batch_size for arm, s in planned_study(tmp_path, changes, scale="demo").arms.items()}
    assert sizes == dict.fromkeys(NAMES, 32) | {"rex-step-50": 8}


def test_an_arm_of_a_grid_is_selected_like_any_other(tmp_path):
    planned = planned_study(tmp_path, ALONE, only=f"{NAME}/linear-step-100", seeds=2)
    assert planned.run_ids == [f"{NAME}/linear-step-100/seed-{seed}" for seed in (1, 2)]


def test_an_error_in_a_value_names_the_arm(tmp_path):
    changes = ALONE | grid(axes__budget={"50": {"budget_percent": 0}})
    with pytest.raises(ConfigurationError, match="arm rex-step-50 at paper scale: `budget_percent`"):
        planned_study(tmp_path, changes)


def test_the_digest_changes_with_a_grid(tmp_path):
    before = planned_study(tmp_path, ALONE).digest
    assert planned_study(tmp_path, ALONE | grid(note="Another.")).digest != before
    assert (
        planned_study(tmp_path, ALONE | grid(axes__budget={"50": {"budget_percent": 25}, "100": {}})).digest
        != before
    )
    assert planned_study(tmp_path, ALONE).digest == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (grid(arm="{profile}-{sampling}"), "arm: `{budget}` is missing: without it several arms would be called"),
        (grid(arm="{profile}-{sampling}-{budget}-{size}"), "arm: there is no axis `size`; valid: profile, sampling,"),
        (grid(arm="{profile}-{sampling}-{budget}-{}"), "arm: there is no axis ``; valid: profile, sampling, budget"),
        (grid(title="{profile}, {sampling}"), "title: `{budget}` is missing"),
        (grid(title="{profile}{sampling}{budget}{x}"), "title: there is no axis `x`"),
        (grid(arm="{profile"), "expected '}' before end of string"),
        (grid(arm="{profile:>9}-{sampling}-{budget}"), "nothing but the name of an axis between braces"),
        (grid(arm="{profile!r}-{sampling}-{budget}"), "nothing but the name of an axis between braces"),
        (grid(arm="{profile}_{sampling}_{budget}"), "arm: `rex_step_50` is not a name for an arm: small letters"),
        (grid(axes__profile={"REX": {}}, titles={}), "arm: `REX-step-50` is not a name for an arm"),
        (grid(axes__budget={"50\n": {}}), "is not a name for an arm"),
        (grid(axes__profile={}), "at least 1 item"),
        (grid(axes={}), "at least 1 item"),
        (grid(axes__profile={1: {}}), "valid string"),
        (grid(titles={"cosine": "Cosine"}), "titles: no axis has the value `cosine`"),
        (grid(size=3), "Extra inputs are not permitted"),
        ({"grids": [GRID, GRID]}, "grids, 1: two arms are called `rex-step-50`: change `arm` or a value"),
        ({"grids": [GRID], "arms.rex-step-50": {"title": "R"}}, "grids, 0: two arms are called `rex-step-50`"),
        (
            {"grids": [{"arm": "{x}-{y}", "title": "{x} {y}", "axes": AMBIGUOUS}]},
            "grids, 0: two arms are called `a-b-c`",
        ),
        ({"arms": GONE}, "a study needs arms: add `arms` or `grids`"),
    ],
)  # fmt: skip
def test_impossible_grids_are_refused(changes, message):
    with pytest.raises(ValidationError) as caught:
        study(changes)
    assert message in str(caught.value)


def test_of_many_arms_only_near_ones_are_named_in_an_error():
    axes = {"a": {str(n): {} for n in range(10)}, "b": {str(n): {} for n in range(10)}}
    many = {"arm": "x{a}-y{b}", "title": "{a} {b}", "axes": axes}
    with pytest.raises(ValidationError) as caught:
        study({"grids": [many], "statements": stated(VALUE | {"arm": "x7-y-3"})})
    assert "no arm `x7-y-3`; the arms are x7-y3, " in str(caught.value)
    assert str(caught.value).count("-y") < 10


def test_thousands_of_arms_are_made_and_each_once():
    axes = {axis: {str(n): {} for n in range(32)} for axis in ("a", "b")}
    many = {"arm": "{a}-{b}", "title": "{a} {b}", "axes": axes}
    assert len(study({"grids": [many]}).arms) == 3 + 32**2


# --- arms of a scale -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "arms"),
    [
        (["*"], [*"abc", *NAMES]),
        (["rex-step-50"], ["rex-step-50"]),
        (["c", "a"], ["a", "c"]),
        (["*-50"], [name for name in NAMES if name.endswith("-50")]),
        (["linear-*", "linear-step-*"], [name for name in NAMES if name.startswith("linear")]),
        (["rex-step-?00"], ["rex-step-100"]),
        (["b", "rex-[st]*-50"], ["b", "rex-step-50", "rex-tenth-50"]),
    ],
)
def test_a_scale_trains_the_arms_that_its_patterns_name(tmp_path, patterns, arms):
    changes = {"grids": [GRID], "scales.demo.only": patterns}
    for scale, expected in (("demo", arms), ("laptop", [*"abc", *NAMES]), ("paper", [*"abc", *NAMES])):
        planned = planned_study(tmp_path, changes, scale=scale)
        assert list(planned.arms) == expected
        assert planned.left_out == {*"abc", *NAMES} - {*expected}


def test_arms_that_a_scale_leaves_out_are_not_checked_there(tmp_path):
    long = {"schedule": {"name": "linear", "warm_up": {"name": "linear", "epochs": 3, "start": 0.1}}}
    changes = {"arms.b.settings": long, "scales.demo": {"settings": {"epochs": 2}}}
    with pytest.raises(ConfigurationError, match="arm b at demo scale: `schedule`: a warm-up"):
        planned_study(tmp_path, changes)
    planned_study(tmp_path, changes | {"scales.demo": changes["scales.demo"] | {"only": ["a", "c"]}})


def test_the_user_chooses_among_the_arms_of_the_scale(tmp_path):
    write_study(tmp_path, {"scales.demo.only": ["a", "b"]})
    assert list(load_plan(Config(scale="demo", only=NAME), tmp_path)[NAME].arms) == ["a", "b"]
    assert list(load_plan(Config(scale="demo", only=f"{NAME}/b"), tmp_path)[NAME].arms) == ["b"]
    with pytest.raises(ConfigurationError, match="`only`: small leaves out `c` at demo scale"):
        load_plan(Config(scale="demo", only=f"{NAME}/c"), tmp_path)
    assert list(load_plan(Config(scale="laptop", only=f"{NAME}/c"), tmp_path)[NAME].arms) == ["c"]


def test_what_the_user_does_not_select_is_not_left_out_by_the_study(tmp_path):
    assert planned_study(tmp_path, only=f"{NAME}/a").left_out == set()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"scales.demo.only": ["a", "d*"]},
            "scales, demo, only: no arm is called `d*`; the arms are a, b, c",
        ),
        ({"scales.laptop.only": [""]}, "scales, laptop, only: no arm is called ``"),
        ({"scales.laptop.only": []}, "at least 1 item"),
        (
            {"scales.demo": {"only": ["a"], "arms": {"b": {"epochs": 1}}}},
            "scales, demo, arms: `b` is not trained there: add it to `only`",
        ),
    ],
)
def test_patterns_that_select_nothing_are_refused(changes, message):
    with pytest.raises(ValidationError) as caught:
        study(changes)
    assert message in str(caught.value)
