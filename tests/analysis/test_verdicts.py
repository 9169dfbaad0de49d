"""Verdicts: the rules that were fixed before the runs."""

import math
import random

import pytest

from replication.analysis.intervals import Interval, holm_levels, paired_p_value, t_interval
from replication.analysis.verdicts import (
    Observations,
    judge,
    judge_event,
    judge_orders,
    judge_value,
    margin_around,
    qualify,
    value_outcome,
)
from replication.settings.claims import EventClaim, Margin, OrderClaim, ValueClaim
from replication.system.tables import read_table, write_table
from tabulated import EVENT, NAME, ORDER, VALUE, planned_study, tables_of

NAN = math.nan
YES, NO, OPEN, PART = "reproduced", "not reproduced", "inconclusive", "incomplete"


def observations(curves, measure="test_accuracy", seeds=None, **rest):
    tables = tables_of(curves, measure, **rest)
    return Observations(*tables, seeds or range(1, 1 + max(len(by_seed) for by_seed in curves.values())))


def ends(*values):
    """Return for each seed a curve of one epoch; None is a run that is missing."""
    return [None if value is None else [value] for value in values]


def value_of(curves, measure="test_accuracy", tables=None, **changes):
    return judge_value(
        ValueClaim(**VALUE | {"measure": measure} | changes), observations(curves, measure, **tables or {})
    )


def orders_of(curves, *changes, **tables):
    claims = [OrderClaim(**ORDER | {"id": f"order-{n}"} | change) for n, change in enumerate(changes)]
    return list(judge_orders(claims, observations(curves, **tables)).values())


def event_of(curves, measure="validation_loss", **changes):
    return judge_event(EventClaim(**EVENT | {"measure": measure} | changes), observations(curves, measure))


# --- values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (0.45, 0.55, YES),
        (0.40, 0.60, YES),  # both bounds belong to the margin
        (0.40, 0.50, YES),
        (0.60, 0.60, YES),
        (0.40, 0.40, YES),
        (0.399, 0.60, OPEN),
        (0.40, 0.601, OPEN),
        (0.30, 0.70, OPEN),
        (0.30, 0.40, OPEN),  # what touches the margin is not wholly outside
        (0.60, 0.70, OPEN),
        (0.30, 0.399, NO),
        (0.601, 0.70, NO),
        (-9.0, -8.0, NO),
        (NAN, NAN, OPEN),
    ],
)
def test_an_interval_is_compared_with_the_margin(low, high, outcome):
    assert value_outcome(Interval(3, (low + high) / 2, low, high, 0.9), 0.5, 0.1) == outcome


@pytest.mark.parametrize(
    ("value", "expected", "margin", "outcome"),
    [
        (1 - 13 / 20, 0.5, 0.15, YES),  # 0.35 - 0.5 is below -0.15 by a rounding error
        (1 - 7 / 20, 0.5, 0.15, YES),
        (0.91, 0.9, 0.01, YES),
        (0.0093, 0.0, 0.0093, YES),
        (5.0, 5.0, 0.0, YES),
        (0.1, 0.1, 0.0, YES),
        (0.0, 0.0, 0.0, YES),
        (13.0, 10.0, 3.0, YES),
        (14.0, 10.0, 3.0, NO),
        (5.0 + 1e-9, 5.0, 0.0, NO),
        (1e-9, 0.0, 0.0, NO),
    ],
)
def test_a_value_on_the_border_is_within_and_a_rounding_error_does_not_matter(
    value, expected, margin, outcome
):
    margins = {"absolute": margin, "reason": "given"}
    assert value_of({"a": ends(value, value, value)}, expected=expected, margin=margins).outcome == outcome


@pytest.mark.parametrize(
    ("values", "outcome"),
    [
        ((0.49, 0.50, 0.51), YES),
        ((0.69, 0.70, 0.71), NO),
        ((0.29, 0.30, 0.31), NO),
        ((0.20, 0.50, 0.80), OPEN),
        ((0.50,), OPEN),  # one seed has no interval
        ((0.90,), OPEN),
        ((0.50, None, 0.51), PART),
        ((0.50, NAN, 0.51), PART),
        ((0.50, math.inf, 0.51), PART),
        ((None, None), PART),
        ((None,), PART),
    ],
)
def test_a_value_is_judged_over_all_planned_seeds(values, outcome):
    judgement = value_of({"a": ends(*values)})
    found = [value for value in values if value is not None and math.isfinite(value)]
    assert judgement.outcome == outcome
    assert judgement.count == len(found)
    assert (judgement.expected, judgement.margin) == (0.5, 0.1)
    interval = t_interval(found, 0.9)
    assert [judgement.estimate, judgement.low, judgement.high, judgement.level] == pytest.approx(
        [interval.mean, interval.low, interval.high, 0.9], nan_ok=True
    )


def test_a_planned_seed_without_a_row_is_missing_too():
    claim = ValueClaim(**VALUE)
    assert judge_value(claim, observations({"a": ends(0.5, 0.5)}, seeds=(1, 2, 3))).outcome == PART
    assert judge_value(claim, observations({"b": ends(0.5, 0.5)})).outcome == PART


def test_the_margin_of_a_share_is_two_binomial_standard_errors():
    assert margin_around(Margin(binomial_images=2000, reason=" "), 0.955) == pytest.approx(
        0.00927092, rel=1e-5
    )
    assert margin_around(Margin(binomial_images=100, reason=" "), 0.5) == pytest.approx(0.1)
    assert margin_around(Margin(binomial_images=100, reason=" "), 1.0) == 0.0
    assert margin_around(Margin(absolute=3, reason=" "), 0.5) == 3.0


@pytest.mark.parametrize(
    ("epoch", "expected"), [("last", 0.8), ("best", 0.4), (1, 0.2), (2, 0.4), (3, 0.6), (4, 0.8), (5, NAN)]
)
def test_a_value_is_of_the_epoch_that_the_claim_names(epoch, expected):
    curves = {"a": [[0.2, 0.4, 0.6, 0.8]] * 2}
    judgement = value_of(curves, epoch=epoch, tables={"best_epoch": 2})
    assert judgement.estimate == pytest.approx(expected, nan_ok=True)
    assert (judgement.outcome == PART) == math.isnan(expected)


def test_a_run_has_one_value_of_what_is_no_curve_whatever_the_epoch():
    for epoch in ("last", "best", 3):
        judgement = value_of({"a": ends(0.1, 0.2)}, epoch=epoch, tables={"seconds": 0.5}, measure="seconds")
        assert (judgement.estimate, judgement.outcome) == (0.5, YES)


@pytest.mark.parametrize(
    ("epochs", "difference"),
    [({}, 0.3), ({"epoch": 1}, 0.1), ({"minus_epoch": 1}, 0.7), ({"epoch": 1, "minus_epoch": "last"}, -0.3)],
)
def test_a_difference_is_of_the_epochs_that_the_claim_names(epochs, difference):
    curves = {"a": [[0.2, 0.8]] * 2, "b": [[0.1, 0.5]] * 2}
    assert value_of(curves, minus="b", **epochs).estimate == pytest.approx(difference)


PAIRED = {
    "a": ends(0.1, 0.5, 0.9),
    "b": ends(0.0, 0.4, 0.8),
}  # far apart, and the same difference for each seed
DIFFERENCE = {"minus": "b", "expected": 0.1, "margin": {"absolute": 0.01, "reason": "narrow"}}


def test_differences_are_paired_by_seed():
    judgement = value_of(PAIRED, **DIFFERENCE)
    assert judgement.outcome == YES
    assert (judgement.low, judgement.high) == pytest.approx((0.1, 0.1))


def shuffled(tables, seed):
    return [table.sample(frac=1, random_state=seed).reset_index(drop=True) for table in tables]


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_rows_does_not_matter(tmp_path, seed):
    random_values = random.Random(seed)
    curves = {arm: [[random_values.random() for _ in range(4)] for _ in range(3)] for arm in "abc"}
    claims = [
        VALUE | DIFFERENCE,
        ORDER | {"than": ["b", "c"]},
        EVENT | {"measure": "test_accuracy"},
        VALUE | {"id": "best", "epoch": "best"},
    ]
    planned = planned_study(tmp_path, {"claims": claims})
    tables = tables_of(curves, best_epoch=3)
    expected = judge(planned, *tables).drop(columns="runs")
    assert judge(planned, *shuffled(tables, seed)).drop(columns="runs").equals(expected)


@pytest.mark.parametrize("arm", ["a", "b"])
def test_a_difference_is_incomplete_without_either_half(arm):
    curves = PAIRED | {arm: ends(0.1, None, 0.3)}
    judgement = value_of(curves, **DIFFERENCE)
    assert (judgement.outcome, judgement.count) == (PART, 2)


# --- orders ----------------------------------------------------------------------------------------------------

HIGH = ends(0.90, 0.91, 0.92)
LOW = ends(0.50, 0.52, 0.51)
WIDE = ends(0.20, 0.95, 1.60)


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [
        (HIGH, LOW, YES),
        (LOW, HIGH, NO),
        (HIGH, WIDE, OPEN),
        (HIGH, HIGH, NO),  # no difference in any seed
        (ends(0.9), ends(0.5), OPEN),  # one pair has no interval
        (ends(0.9, 0.9), ends(0.5, 0.5), YES),  # equal differences
        (ends(0.5, 0.5), ends(0.9, 0.9), NO),
        (ends(0.9, 0.9, 0.9), ends(0.5, None, 0.5), PART),
        (ends(0.9, NAN, 0.9), ends(0.5, 0.5, 0.5), PART),
        (ends(None, None), ends(None, None), PART),
    ],
)
def test_an_order_is_that_of_paired_differences(a, b, outcome):
    assert [judgement.outcome for judgement in orders_of({"a": a, "b": b}, {})] == [outcome]


def test_lower_is_the_opposite_of_higher():
    curves = {"a": HIGH, "b": LOW}
    [higher] = orders_of(curves, {})
    [lower] = orders_of(curves, {"direction": "lower"})
    assert (higher.outcome, lower.outcome) == (YES, NO)
    assert (lower.estimate, lower.low, lower.high) == pytest.approx(
        (-higher.estimate, -higher.high, -higher.low)
    )
    assert orders_of({"a": LOW, "b": HIGH}, {"direction": "lower"})[0].outcome == YES


def test_an_order_is_paired_too():
    [judgement] = orders_of(PAIRED, {})
    assert judgement.outcome == YES
    assert (judgement.low, judgement.high) == pytest.approx((0.1, 0.1))


OTHERS = {"holds": LOW, "open": WIDE, "contradicts": ends(1.5, 1.51, 1.52), "part": ends(0.5, None, 0.5)}


@pytest.mark.parametrize(
    ("than", "outcome"),
    [
        (["holds"], YES),
        (["holds", "holds"], YES),
        (["holds", "open"], OPEN),
        (["open", "holds"], OPEN),
        (["holds", "contradicts"], NO),
        (["contradicts", "open"], NO),
        (["open", "contradicts"], NO),
        (["holds", "part"], PART),
        (["contradicts", "part"], PART),
        (["holds", "open", "contradicts", "part"], PART),
    ],
)
def test_all_comparisons_must_hold_and_one_contradiction_refutes(than, outcome):
    [judgement] = orders_of({"a": HIGH} | OTHERS, {"than": than})
    assert judgement.outcome == outcome
    assert [part.split(":")[0] for part in judgement.detail.split("; ")] == [
        f"against {name}" for name in than
    ]


def test_the_finding_of_an_order_is_its_smallest_difference():
    curves = {"a": HIGH, "b": LOW, "c": ends(0.70, 0.71, 0.72), "d": ends(0.1, 0.1, 0.1)}
    [judgement] = orders_of(curves, {"than": ["b", "c", "d"]})
    assert (judgement.estimate, judgement.count) == (pytest.approx(0.2), 3)
    assert "against c: +0.2 [+0.2, +0.2] at " in judgement.detail


def test_holms_correction_is_over_all_comparisons_of_the_study():
    noise = random.Random(1)
    curves = {
        arm: ends(*(0.5 + shift + 0.05 * noise.random() for _ in range(5)))
        for arm, shift in {"a": 0.05, "b": 0.0, "c": 0.03, "d": 0.045}.items()
    }
    found = orders_of(
        curves, {"than": ["b", "c"]}, {"arm": "d", "than": ["b"]}, {"arm": "c", "direction": "lower"}
    )
    pairs = [("a", "b", 1), ("a", "c", 1), ("d", "b", 1), ("c", "b", -1)]
    differences = [
        [s * (x[0] - y[0]) for x, y in zip(curves[a], curves[b], strict=True)] for a, b, s in pairs
    ]
    levels = holm_levels([paired_p_value(each) for each in differences], 0.05)
    assert len(set(levels)) > 1
    intervals = [t_interval(each, level) for each, level in zip(differences, levels, strict=True)]
    weakest = [min(intervals[:2], key=lambda interval: interval.mean), *intervals[2:]]
    assert [(f.estimate, f.low, f.high, f.level) for f in found] == [
        (i.mean, i.low, i.high, i.level) for i in weakest
    ]


def test_what_would_hold_alone_may_not_hold_among_many():
    curves = {"a": ends(0.10, 0.14, 0.09), "b": ends(0.0, 0.0, 0.0)}  # p = 0.019
    assert [judgement.outcome for judgement in orders_of(curves, {})] == [YES]
    assert {judgement.outcome for judgement in orders_of(curves, *[{}] * 3)} == {OPEN}


@pytest.mark.parametrize(
    ("epochs", "difference"),
    [
        ({}, 0.3),
        ({"epoch": 1}, 0.1),
        ({"than_epoch": 1}, 0.7),
        ({"epoch": "best", "than_epoch": "last"}, -0.3),
    ],
)
def test_an_order_is_of_the_epochs_that_the_claim_names(epochs, difference):
    curves = {"a": [[0.2, 0.8]] * 2, "b": [[0.1, 0.5]] * 2}
    assert orders_of(curves, epochs)[0].estimate == pytest.approx(difference)


# --- events ----------------------------------------------------------------------------------------------------

DESCENDS, FALLS = [3, 1, 2, 0.9], [3, 2, 1, 0.9]


@pytest.mark.parametrize(
    ("curves", "expected", "outcome", "share"),
    [
        ([DESCENDS, DESCENDS], True, YES, 1.0),
        ([DESCENDS, DESCENDS], False, NO, 1.0),
        ([FALLS, FALLS], True, NO, 0.0),
        ([FALLS, FALLS], False, YES, 0.0),
        ([DESCENDS, FALLS], True, OPEN, 0.5),
        ([DESCENDS, FALLS, FALLS, FALLS], False, OPEN, 0.25),
        ([DESCENDS], True, OPEN, 1.0),
        ([FALLS], False, OPEN, 0.0),
        ([DESCENDS, None], True, PART, 1.0),
        ([None, None], True, PART, NAN),
    ],
)
def test_an_event_is_judged_by_all_seeds(curves, expected, outcome, share):
    judgement = event_of({"a": curves}, expected=expected)
    assert judgement.outcome == outcome
    assert judgement.estimate == pytest.approx(share, nan_ok=True)
    assert judgement.count == len([curve for curve in curves if curve])
    assert judgement.expected == float(expected)
    assert math.isnan(judgement.low)


def test_the_threshold_of_an_event_is_the_claims():
    outcomes = [event_of({"a": [DESCENDS] * 2}, threshold=threshold).outcome for threshold in (0.9, 1.1)]
    assert outcomes == [YES, NO]


@pytest.mark.parametrize(
    ("ours", "reference", "outcome", "share"),
    [
        ([[0.1], [0.1]], [[0.8], [0.8]], YES, 1.0),
        ([[0.7], [0.7]], [[0.8], [0.8]], NO, 0.0),
        ([[0.1], [0.7]], [[0.8], [0.8]], OPEN, 0.5),
        ([[0.3], [0.5]], [[0.9], [0.2]], OPEN, 0.5),  # each seed has its own reference
        ([[0.9, 0.1], [0.9, 0.1]], [[0.1, 0.8], [0.1, 0.8]], YES, 1.0),  # at the end
        ([[NAN], [NAN]], [[0.8], [0.8]], YES, 1.0),  # a run that diverged did not converge
        ([[0.1], [0.1]], [[0.8], [NAN]], PART, 1.0),
        ([[0.1], [0.1]], [[0.8], None], PART, 1.0),
        ([[0.1], None], [[0.8], [0.8]], PART, 1.0),
    ],
)
def test_convergence_is_against_the_reference_of_the_same_seed(ours, reference, outcome, share):
    changes = {"event": "no_convergence", "reference": "b", "threshold": 0.5}
    judgement = event_of({"a": ours, "b": reference}, "validation_accuracy", **changes)
    assert (judgement.outcome, judgement.estimate) == (outcome, share)


@pytest.mark.parametrize(
    ("stopped", "whole", "outcome", "share"),
    [
        ([[3, 2], [3, 2]], [[3, 2, 1], [3, 2, 1]], YES, 1.0),
        ([[3, 2], [3, 2]], [[3, 2, 2], [3, 2, 1.9]], NO, 0.0),
        ([[3, 2], [3, 1]], [[3, 2, 1], [3, 1, 1]], OPEN, 0.5),  # each seed has its own reference
        ([[3, 2], [3, 2]], [[3, 2, 1], None], PART, 1.0),
        ([[3, 2], None], [[3, 2, 1], [3, 2, 1]], PART, 1.0),
    ],
)
def test_a_stop_is_too_early_against_the_run_of_the_same_seed_that_goes_on(stopped, whole, outcome, share):
    changes = {"event": "stopped_too_early", "reference": "b", "threshold": 0.1}
    judgement = event_of({"a": stopped, "b": whole}, "validation_loss", **changes)
    assert (judgement.outcome, judgement.estimate) == (outcome, share)


def test_convergence_is_at_the_epoch_that_the_claim_names():
    curves = {"a": [[0.1, 0.8]] * 2, "b": [[0.8, 0.8]] * 2}
    changes = {"event": "no_convergence", "reference": "b", "threshold": 0.5, "measure": "test_accuracy"}
    assert [event_of(curves, epoch=epoch, **changes).outcome for epoch in (1, "last")] == [YES, NO]


# --- the table -------------------------------------------------------------------------------------------------

CLAIMS = [
    EVENT,
    VALUE | {"reading": "ours", "measure": "validation_loss"},
    ORDER | {"measure": "validation_loss", "direction": "lower"},
]
LOSSES = {"a": [DESCENDS] * 3, "b": [FALLS] * 3, "c": [FALLS, None, FALLS]}
TABLES = tables_of(LOSSES, "validation_loss")


def test_there_is_one_row_a_claim_in_the_order_of_the_file(tmp_path):
    table = judge(planned_study(tmp_path, {"claims": CLAIMS}), *TABLES)
    assert table["id"].tolist() == ["event", "value", "order"]
    assert table["kind"].tolist() == ["shape", "value", "order"]
    assert table["outcome"].tolist() == [YES, NO, NO]
    assert table["verdict"].tolist() == [YES, NO, NO]
    assert table["reading"].tolist() == ["", "ours", ""]
    assert table["margin_reason"].tolist() == ["clear", "wide", ""]
    assert set(table["report"]) == {"report.txt"}
    assert set(table["quote"]) == {"so it is"}
    assert set(table["section"]) == {"3"}
    assert table[["seeds", "n"]].to_numpy().tolist() == [[3, 3]] * 3


@pytest.mark.parametrize(
    ("claim", "arms"),
    [
        (EVENT, "a"),
        (VALUE, "a"),
        (VALUE | {"minus": "b"}, "ab"),
        (ORDER | {"than": ["c", "b"]}, "abc"),
        (ORDER | {"arm": "c", "than": ["b"]}, "bc"),
    ],
)
def test_the_runs_behind_a_verdict_are_listed(tmp_path, claim, arms):
    planned = planned_study(tmp_path, {"claims": [claim | {"measure": "validation_loss"}]})
    there = [
        run_id for run_id in planned.run_ids if run_id.split("/")[1] in arms and run_id != f"{NAME}/c/seed-2"
    ]
    assert judge(planned, *TABLES)["runs"].tolist() == [" ".join(there)]


def test_without_any_run_all_is_incomplete(tmp_path):
    planned = planned_study(tmp_path, {"claims": CLAIMS})
    table = judge(planned, *tables_of({arm: [None] * 3 for arm in "abc"}))
    assert table["verdict"].tolist() == [PART] * 3
    assert table["runs"].tolist() == [""] * 3


def test_an_arm_that_was_not_selected_makes_a_claim_incomplete(tmp_path):
    planned = planned_study(tmp_path, {"claims": CLAIMS}, only=f"{NAME}/a")
    runs, history = (table[table["arm"] == "a"] for table in TABLES)
    assert judge(planned, runs, history)["verdict"].tolist() == [YES, NO, PART]


@pytest.mark.parametrize(
    ("only", "verdicts"),
    [
        (["a"], [YES, NO, "not run"]),
        (["a", "b"], [YES, NO, NO]),
        (["b", "c"], ["not run"] * 3),
    ],
)
def test_a_claim_whose_arm_the_scale_does_without_is_not_run(tmp_path, only, verdicts):
    planned = planned_study(tmp_path, {"claims": CLAIMS, "scales.laptop.only": only}, scale="laptop")
    runs, history = (table[table["arm"].isin(only)] for table in TABLES)
    table = judge(planned, runs, history)
    assert table["outcome"].tolist() == verdicts
    settings = {"not run": "laptop scale", **dict.fromkeys((YES, NO), "laptop scale, the report's settings")}
    assert table["verdict"].tolist() == [f"{verdict} ({settings[verdict]})" for verdict in verdicts]
    left_out = table[table["outcome"] == "not run"]
    assert left_out["n"].tolist() == [0] * len(left_out)
    assert left_out[["estimate", "low", "high"]].isna().all(axis=None)
    assert table["expected"].fillna(-1).tolist() == [1.0, 0.5, -1]  # what the report has is told all the same


def test_other_data_do_not_hide_that_a_claim_is_not_run(tmp_path):
    changes = {"claims": CLAIMS, "scales.demo": {"only": ["a"], "substitute": {"mnist": "digits"}}}
    runs, history = (table[table["arm"] == "a"] for table in TABLES)
    table = judge(planned_study(tmp_path, changes, scale="demo", seeds=3), runs, history)
    assert table["verdict"].tolist() == [
        "not comparable (demo scale, digits for mnist)",
        "not comparable (demo scale, digits for mnist)",
        "not run (demo scale)",
    ]


def test_what_is_not_run_does_not_count_in_holms_correction(tmp_path):
    pairs = [ORDER | {"id": "one", "than": ["b"]}, ORDER | {"id": "two", "than": ["c"]}]
    curves = {"a": ends(0.5, 0.51, 0.52), "b": ends(0.4, 0.42, 0.41), "c": ends(0.1, 0.2, 0.3)}
    levels = {}
    for only in (["a", "b"], ["a", "b", "c"]):
        planned = planned_study(tmp_path, {"claims": pairs, "scales.laptop.only": only}, scale="laptop")
        tables = tables_of({arm: curves[arm] for arm in only})
        levels[len(only)] = judge(planned, *tables)["level"].tolist()[0]
    assert levels[2] == pytest.approx(0.95)
    assert levels[3] > levels[2]


def test_the_table_is_the_same_from_tables_on_disk(tmp_path):
    planned = planned_study(tmp_path, {"claims": CLAIMS})
    write_table(TABLES[0], tmp_path / "runs.csv")
    write_table(TABLES[1], tmp_path / "history.csv")
    from_disk = judge(planned, read_table(tmp_path / "runs.csv"), read_table(tmp_path / "history.csv"))
    assert from_disk.equals(judge(planned, *TABLES))


REDUCED = {"scales.laptop": {"settings": {"epochs": 2}, "arms": {"c": {"schedule": {"step_epochs": 1.0}}}}}
OTHER_DATA = {"scales.laptop": {"settings": {"epochs": 2}, "substitute": {"mnist": "digits"}}}


@pytest.mark.parametrize(
    ("changes", "config", "claim", "qualifier", "comparable"),
    [
        ({}, {}, EVENT, "", True),
        (REDUCED, {}, EVENT, "", True),
        ({}, {"scale": "laptop"}, EVENT, "laptop scale, the report's settings", True),
        ({"scales.demo": {}}, {"scale": "demo", "seeds": 3}, EVENT, "demo scale, the report's settings", True),
        (REDUCED, {"scale": "laptop"}, EVENT, "laptop scale, epochs: 2 for 4", True),
        (
            REDUCED, {"scale": "laptop"}, ORDER | {"than": ["b", "c"], "measure": "validation_loss"},
            "laptop scale, epochs: 2 for 4; schedule.step_epochs: 1.0 for 2.0", True,
        ),
        (OTHER_DATA, {"scale": "laptop"}, EVENT, "laptop scale, digits for mnist", False),
        ({}, {"substitute": {"mnist": "cifar10"}}, EVENT, "paper scale, cifar10 for mnist", False),
        (
            {"arms.b.settings.data": {"dataset": "cifar10"}}, {"substitute": {"cifar10": "cifar100"}},
            EVENT, "", True,  # the data of another arm
        ),
        (
            {"arms.b.settings.data": {"dataset": "cifar10"}}, {"substitute": {"cifar10": "cifar100"}},
            ORDER | {"measure": "validation_loss"}, "paper scale, cifar100 for cifar10", False,
        ),
        ({}, {"substitute": {"mnist": "mnist"}}, EVENT, "", True),
    ],
)  # fmt: skip
def test_a_verdict_says_what_differs_from_the_report(tmp_path, changes, config, claim, qualifier, comparable):
    planned = planned_study(tmp_path, changes | {"claims": [claim]}, **config)
    [row] = judge(planned, *tables_of(LOSSES | {"c": [FALLS] * 3}, "validation_loss")).to_dict("records")
    assert row["qualifier"] == qualifier
    assert row["outcome"] in (YES, NO, OPEN)
    judged = row["outcome"] if comparable else "not comparable"
    assert row["verdict"] == (f"{judged} ({qualifier})" if qualifier else judged)


def test_the_qualifier_is_that_of_the_arms_of_the_claim_whether_they_are_selected_or_not(tmp_path):
    """A claim that cannot be judged for want of an arm is not said to be about the report's settings."""
    claim = VALUE | {"arm": "a"}
    changes = {"claims": [claim], "scales.demo.settings.epochs": 2}
    alone, whole = (
        planned_study(tmp_path, changes, scale="demo", only=only) for only in ([f"{NAME}/b"], None)
    )
    assert list(alone.arms) == ["b"]
    [of_alone], [of_whole] = alone.study.claims, whole.study.claims
    assert qualify(alone, of_alone) == qualify(whole, of_whole)
    assert qualify(alone, of_alone) == ("demo scale, digits for mnist", False)
