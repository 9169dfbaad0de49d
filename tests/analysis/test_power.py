"""What planned seeds can decide: against simulated studies, and the words for each kind of reading."""

import numpy as np
import pytest

from replication.analysis.comparisons import difference, one_mean
from replication.analysis.power import POWER, describe, least_effect, what_seeds_decide
from replication.analysis.verdicts import LOOK_LEVEL, PREDICTION_TAIL, WIDEST_PREDICTION
from tabulated import EVENT, ORDER, VALUE, changed, planned_study, stated

DIFFERENCE = changed(VALUE, {"id": "difference", "kind": "difference", "minus": "b"}) | {"side": "at_least"}
del DIFFERENCE["expected"]


def decides(folder, claim, seeds, **config):
    [row] = what_seeds_decide(
        planned_study(folder, {"statements": stated(claim)}, seeds=seeds, **config)
    ).to_dict("records")
    return row["decides"]


def number_in(text):
    return float(text.split()[-1])


@pytest.mark.parametrize(("seeds", "level"), [(3, 0.004), (5, 0.004), (10, 0.0008)])
def test_the_least_effect_is_found_as_often_as_said(seeds, level):
    generator = np.random.default_rng(1001)
    effect = least_effect(seeds, level)
    found = [
        difference(
            (generator.normal(size=seeds) + effect).tolist(), generator.normal(size=seeds).tolist(), 0
        ).p_above(0)
        < level
        for _ in range(2000)
    ]
    assert np.mean(found) == pytest.approx(POWER, abs=0.02)  # two standard errors of the simulation


@pytest.mark.parametrize("level", [0.001, 0.004, 0.05])
def test_more_seeds_and_laxer_levels_find_less(level):
    effects = [least_effect(seeds, level) for seeds in range(2, 30)]
    assert effects == sorted(effects, reverse=True)
    assert least_effect(5, level) > least_effect(5, 2 * level)


def test_an_order_needs_a_difference_in_standard_deviations(tmp_path):
    assert decides(tmp_path, ORDER, 5) == f"differences from {least_effect(5, LOOK_LEVEL):.1f} sd"
    least = ORDER | {"least": {"relative": 0.5, "reason": "dramatic"}}
    assert decides(tmp_path, least, 5).endswith(" sd beyond the least effect")


def test_readings_that_are_decided_together_need_more(tmp_path):
    claims = stated(*(ORDER | {"id": f"order-{number}"} for number in range(4)))
    rows = what_seeds_decide(planned_study(tmp_path, {"statements": claims}, seeds=5))
    assert set(rows["decides"]) == {f"differences from {least_effect(5, LOOK_LEVEL / 4):.1f} sd"}
    assert set(rows["level"]) == {LOOK_LEVEL / 4}


def test_a_margin_allows_a_spread(tmp_path):
    one_side = number_in(decides(tmp_path, DIFFERENCE, 10))
    assert one_side == pytest.approx(0.1 / least_effect(10, LOOK_LEVEL), rel=0.05)
    assert number_in(decides(tmp_path, DIFFERENCE | {"side": "both"}, 10)) < one_side


@pytest.mark.parametrize("minus", [None, "b"])
def test_a_number_needs_a_prediction_that_is_narrow(tmp_path, minus):
    widest = number_in(decides(tmp_path, VALUE | {"minus": minus}, 4))
    seen = np.array([-1.5, -0.5, 0.5, 1.5])
    values = (seen / seen.std(ddof=1) * widest).tolist()
    ours = difference(values, values, 0, predicts=True) if minus else one_mean(values, 0, predicts=True)
    assert ours.bounds(PREDICTION_TAIL)[1] == pytest.approx(WIDEST_PREDICTION * 0.1, rel=0.05)


@pytest.mark.parametrize(
    ("seeds", "text"),
    [(5, "nothing: needs 8 seeds"), (8, "what 8 of 8 seeds agree on"), (12, "what 11 of 12 seeds")],
)
def test_an_event_needs_seeds_that_agree(tmp_path, seeds, text):
    assert decides(tmp_path, EVENT, seeds).startswith(text)


def test_what_is_not_tested_is_said_to_be(tmp_path):
    assert decides(tmp_path, ORDER, 2) == "nothing: needs 3 seeds"
    assert decides(tmp_path, VALUE, 5, scale="demo") == "not testable here"
    changes = {"statements": stated(ORDER), "scales.demo.only": ["a"]}
    assert set(what_seeds_decide(planned_study(tmp_path, changes, scale="demo"))["decides"]) == {"not run"}


def test_the_text_has_a_line_for_each_reading_that_is_tested(tmp_path):
    changes = {"statements": stated(VALUE, ORDER, EVENT)}
    lines = describe([planned_study(tmp_path, changes, seeds=8, scale="demo")]).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["order", "event", "1"]
    assert lines[-1] == "  1 not testable here"
    lines = describe([planned_study(tmp_path, changes, seeds=8)]).splitlines()
    assert lines[1] == "small, 8 seeds"
    assert [line.split()[0] for line in lines[2:]] == ["value", "order", "event"]
    assert lines[3].endswith(" sd (direct)")
