"""Verdicts: the rules that were fixed before the runs."""

import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from replication.analysis.kinds_of_evidence import CONCEPTUAL, DIRECT, REDUCED
from replication.analysis.verdicts import LOOK_LEVEL, judge, margin_around
from replication.settings.claims import Margin
from replication.system.tables import read_table, write_table
from tabulated import EVENT, NAME, ORDER, VALUE, key_of, planned_study, stated, tables_of

NAN = math.nan
YES, NO, OPEN, PART = "reproduced", "contradicted", "undecided", "incomplete"
SAME, ELSEWHERE, LEFT_OUT = "identical runs", "not testable here", "not run"
DIFFERENCE = {key: value for key, value in VALUE.items() if key != "expected"} | {
    "id": "difference",
    "kind": "difference",
    "minus": "b",
}
Curves = Mapping[str, Sequence[Sequence[float] | None]]


def ends(*values: float | None) -> list[list[float] | None]:
    """Return for each seed a curve of one epoch; None is a run that is missing."""
    return [None if value is None else [value] for value in values]


def around(mean: float, spread: float, count: int = 5) -> list[list[float] | None]:
    """Return curves of one epoch whose ends have a mean and a standard deviation."""
    steps = [index - (count - 1) / 2 for index in range(count)]
    scale = spread / math.sqrt(sum(step**2 for step in steps) / (count - 1))
    return ends(*(mean + scale * step for step in steps))


def judged(
    folder: Path, claims: list[dict[str, Any]], curves: Curves, measure: str = "test_accuracy", **config: Any
) -> pd.DataFrame:
    """Judge claims of the small study on curves of one measure; at paper scale if nothing else is said."""
    seeds = max(len(by_seed) for by_seed in curves.values())
    whole = [
        {**claim, "measure": claim["measure"] if "epochs" in claim["measure"] else measure}
        for claim in claims
    ]
    planned = planned_study(folder, {"statements": stated(*whole)}, **{"seeds": seeds, **config})
    return judge(planned, *tables_of(curves, measure))


def outcome(folder: Path, claim: dict[str, Any], curves: Curves, measure: str = "test_accuracy") -> str:
    return str(judged(folder, [claim], curves, measure)["outcome"].item())


# --- numbers of one run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "spread", "side", "expected"),
    [
        (0.50, 0.01, "both", YES),
        (0.59, 0.01, "both", YES),  # within the margin of 0.1
        (0.62, 0.01, "both", YES),  # outside, but a further run might have had it
        (0.70, 0.01, "both", NO),
        (0.30, 0.01, "both", NO),
        (0.70, 0.01, "at_least", YES),
        (0.30, 0.01, "at_least", NO),
        (0.30, 0.01, "at_most", YES),
        (0.70, 0.01, "at_most", NO),
        (0.50, 0.20, "both", OPEN),  # a further run might have had nearly any value
    ],
)
def test_a_number_is_one_that_a_further_run_might_have_had(
    tmp_path: Path, mean: float, spread: float, side: str, expected: str
) -> None:
    assert outcome(tmp_path, VALUE | {"side": side}, {"a": around(mean, spread)}) == expected


def test_the_interval_of_a_number_is_that_of_one_further_run(tmp_path: Path) -> None:
    [row] = judged(tmp_path, [VALUE], {"a": around(0.55, 0.02)}).to_dict("records")
    half = float(stats.t.isf(0.025, 4)) * 0.02 * math.sqrt(1 + 1 / 5)
    assert [row[key] for key in ("n", "expected", "margin", "level")] == [5, 0.5, 0.1, 0.95]
    assert [row[key] for key in ("estimate", "low", "high")] == pytest.approx(
        [0.55, 0.55 - half, 0.55 + half]
    )
    # Beyond the margin by 0.05 on one of two sides: p = 1, since it is not beyond it.
    assert row["p_not_so"] == 1


def test_a_number_is_contradicted_by_the_test_of_a_further_run(tmp_path: Path) -> None:
    [row] = judged(tmp_path, [VALUE], {"a": around(0.70, 0.02)}).to_dict("records")
    beyond = (0.70 - 0.60) / (0.02 * math.sqrt(1 + 1 / 5))
    assert row["p_not_so"] == pytest.approx(2 * float(stats.t.sf(beyond, 4)), rel=1e-6)


@pytest.mark.parametrize(
    ("value", "expected", "margin", "outcome"),
    [
        (1 - 13 / 20, 0.5, 0.15, YES),  # 0.35 - 0.5 is below -0.15 by a rounding error
        (1 - 7 / 20, 0.5, 0.15, YES),
        (5.0, 5.0, 0.0, YES),
        (0.1, 0.1, 0.0, YES),
        (0.0, 0.0, 0.0, YES),
        (14.0, 10.0, 3.0, NO),
        (5.0 + 1e-9, 5.0, 0.0, NO),
        (1e-9, 0.0, 0.0, NO),
    ],
)
def test_a_value_on_the_border_is_within_and_a_rounding_error_does_not_matter(
    tmp_path: Path, value: float, expected: float, margin: float, outcome: str
) -> None:
    claim = VALUE | {"expected": expected, "margin": {"absolute": margin, "reason": "given"}}
    table = judged(tmp_path, [claim], {"a": ends(value, value, value)}, "validation_loss")
    assert table["outcome"].item() == outcome


def test_the_margin_of_a_share_is_two_binomial_standard_errors() -> None:
    assert margin_around(Margin(binomial_images=2000, reason=" "), 0.955) == pytest.approx(
        0.00927092, rel=1e-5
    )
    assert margin_around(Margin(binomial_images=100, reason=" "), 0.5) == pytest.approx(0.1)
    assert margin_around(Margin(binomial_images=100, reason=" "), 1.0) == 0.0


# --- differences -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "both", "at_least", "at_most"),
    [
        (0.501, YES, YES, YES),
        (0.70, NO, YES, NO),  # better is no loss
        (0.30, NO, NO, YES),
        (0.60, OPEN, YES, OPEN),
        (0.40, OPEN, OPEN, YES),
    ],
)
def test_a_difference_is_within_its_margin_on_the_sides_that_are_meant(
    tmp_path: Path, mean: float, both: str, at_least: str, at_most: str
) -> None:
    curves = {"a": around(mean, 0.02), "b": around(0.5, 0.02)}
    found = [
        outcome(tmp_path, DIFFERENCE | {"side": side}, curves) for side in ("both", "at_least", "at_most")
    ]
    assert found == [both, at_least, at_most]


# --- orders ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "mean", "expected"),
    [
        ({}, 0.60, YES),
        ({}, 0.40, NO),
        ({}, 0.51, OPEN),
        ({"direction": "lower"}, 0.60, NO),
        ({"direction": "lower"}, 0.40, YES),
        ({"least": {"absolute": 0.05, "reason": "clear"}}, 0.60, YES),
        ({"least": {"absolute": 0.10, "reason": "clear"}}, 0.60, OPEN),
        ({"least": {"absolute": 0.20, "reason": "clear"}}, 0.60, NO),  # more, but not by so much
        ({"least": {"relative": 0.1, "reason": "a tenth"}}, 0.60, YES),
        ({"least": {"relative": 0.5, "reason": "half"}}, 0.60, NO),
        ({"least": {"relative": 0.1, "reason": "a tenth"}, "direction": "lower"}, 0.40, YES),
        ({"least": {"relative": 0.5, "reason": "half"}, "direction": "lower"}, 0.40, NO),
    ],
)
def test_an_order_needs_a_difference_beyond_the_least_effect(
    tmp_path: Path, changes: dict[str, Any], mean: float, expected: str
) -> None:
    assert outcome(tmp_path, ORDER | changes, {"a": around(mean, 0.01), "b": around(0.5, 0.01)}) == expected


@pytest.mark.parametrize(
    ("others", "expected", "shown"),
    [
        ((0.5, 0.4), YES, 0.1),
        ((0.4, 0.5), YES, 0.1),  # the nearest is the one that decides
        ((0.4, 0.8), NO, -0.2),  # one that is ahead refutes
        ((0.4, 0.601), OPEN, -0.001),
    ],
)
def test_all_comparisons_must_hold_and_the_one_that_decides_is_shown(
    tmp_path: Path, others: tuple[float, float], expected: str, shown: float
) -> None:
    curves = {"a": around(0.6, 0.01), "b": around(others[0], 0.01), "c": around(others[1], 0.01)}
    [row] = judged(tmp_path, [ORDER | {"than": ["b", "c"]}], curves).to_dict("records")
    assert row["outcome"] == expected
    assert row["estimate"] == pytest.approx(shown)
    assert (row["low"] > 0) == (expected == YES)
    assert "against b: " in row["detail"]
    assert "against c: " in row["detail"]


def test_an_order_is_tested_by_welch(tmp_path: Path) -> None:
    ours, theirs = [0.61, 0.63, 0.60, 0.66], [0.58, 0.59, 0.60, 0.585]
    [row] = judged(tmp_path, [ORDER], {"a": ends(*ours), "b": ends(*theirs)}).to_dict("records")
    for key, alternative in (("p_so", "greater"), ("p_not_so", "less")):
        expected = stats.ttest_ind(ours, theirs, equal_var=False, alternative=alternative).pvalue
        assert row[key] == pytest.approx(expected)


def test_always_the_same_image_is_no_proof(tmp_path: Path) -> None:
    """The small study has 400 test images; three seeds differ by one of them."""
    table = judged(tmp_path, [ORDER], {"a": ends(*[0.7525] * 3), "b": ends(*[0.75] * 3)})
    assert table["outcome"].item() == OPEN


# --- corrections -------------------------------------------------------------------------------------------------


def test_holms_correction_is_over_the_readings_of_a_study(tmp_path: Path) -> None:
    """What would hold alone does not among many; comparisons within a reading do not count."""
    curves = {"a": around(0.5225, 0.01), "b": around(0.5, 0.01), "c": around(0.49, 0.01)}
    both = ORDER | {"than": ["b", "c"]}
    [alone] = judged(tmp_path, [both], curves).to_dict("records")
    assert alone["outcome"] == YES
    assert alone["level"] == pytest.approx(1 - 2 * LOOK_LEVEL)
    assert alone["p_so"] > LOOK_LEVEL / 8
    others = [
        ORDER | {"id": f"other-{n}", "arm": "b", "than": ["c"], "least": {"absolute": 0.01, "reason": "x"}}
        for n in range(7)
    ]
    among = judged(tmp_path, [both, *others], curves)
    assert among["outcome"].tolist() == [OPEN] * 8
    assert among["level"].tolist() == pytest.approx([1 - 2 * LOOK_LEVEL / 8] * 8)


def test_what_cannot_be_tested_does_not_count_in_holms_correction(tmp_path: Path) -> None:
    pairs = [ORDER | {"id": "one", "than": ["b"]}, ORDER | {"id": "two", "than": ["c"]}]
    curves = {"a": around(0.5, 0.02), "b": around(0.49, 0.02), "c": around(0.48, 0.02)}
    levels = {}
    for only in (["a", "b"], ["a", "b", "c"]):
        planned = planned_study(
            tmp_path, {"statements": stated(*pairs), "scales.laptop.only": only}, scale="laptop", seeds=5
        )
        levels[len(only)] = judge(planned, *tables_of({arm: curves[arm] for arm in only}))["level"].iloc[0]
    assert levels[2] == pytest.approx(1 - 2 * LOOK_LEVEL)
    assert levels[3] == pytest.approx(1 - LOOK_LEVEL)


# --- few seeds, missing seeds, identical runs --------------------------------------------------------------------


@pytest.mark.parametrize("claim", [VALUE, DIFFERENCE, ORDER])
def test_below_three_seeds_there_is_no_interval(tmp_path: Path, claim: dict[str, Any]) -> None:
    [row] = judged(tmp_path, [claim], {"a": ends(0.9, 0.91), "b": ends(0.1, 0.11)}).to_dict("records")
    assert (row["outcome"], row["seeds_to_decide"]) == (OPEN, 3)
    assert math.isnan(row["low"])
    assert math.isfinite(row["estimate"])


def test_undecided_says_how_many_seeds_would_decide(tmp_path: Path) -> None:
    few = {"a": around(0.515, 0.01), "b": around(0.5, 0.01)}
    seeds = judged(tmp_path, [ORDER], few)["seeds_to_decide"].item()
    assert 5 < seeds < 12
    for count, expected in ((int(seeds) - 1, OPEN), (int(seeds), YES)):
        more = {"a": around(0.515, 0.01, count), "b": around(0.5, 0.01, count)}
        assert outcome(tmp_path, ORDER, more) == expected


@pytest.mark.parametrize("missing", [None, NAN, math.inf])
@pytest.mark.parametrize("claim", [VALUE, DIFFERENCE, ORDER])
def test_no_seed_is_dropped(tmp_path: Path, claim: dict[str, Any], missing: float | None) -> None:
    whole = around(0.5, 0.01)
    for arm in ("a", "b"):
        curves = {"a": whole, "b": whole} | {arm: [*whole[:4], *ends(missing)]}
        needed = arm in (claim["arm"], claim.get("minus"), *claim.get("than", []))
        assert (outcome(tmp_path, claim, curves) == PART) == needed


def test_a_planned_seed_without_a_row_is_missing_too(tmp_path: Path) -> None:
    planned = planned_study(tmp_path, {"statements": stated(VALUE)}, seeds=4)
    assert judge(planned, *tables_of({"a": ends(0.5, 0.5, 0.5)}))["outcome"].item() == PART
    assert judge(planned, *tables_of({"b": ends(0.5, 0.5, 0.5)}))["outcome"].item() == PART


@pytest.mark.parametrize(
    ("epoch", "expected"), [(1, SAME), (2, SAME), (3, YES), ("last", YES), ("best", YES)]
)
def test_arms_that_computed_the_same_say_so(tmp_path: Path, epoch: int | str, expected: str) -> None:
    """Two arms that differ from epoch 3 on: before it there is nothing to compare."""
    common = [[0.3, 0.4], [0.31, 0.42], [0.33, 0.41]]
    curves = {
        "a": [[*curve, 0.9] for curve in common],
        "b": [[*curve, 0.5 + 0.01 * seed] for seed, curve in enumerate(common)],
    }
    planned = planned_study(
        tmp_path, {"statements": stated(ORDER | {"epoch": epoch}, DIFFERENCE | {"epoch": epoch})}
    )
    table = judge(planned, *with_all_measures(tables_of(curves, best_epoch=3)))
    assert table["outcome"].tolist() == [expected, {SAME: SAME, YES: NO}[expected]]


def with_all_measures(tables: tuple[pd.DataFrame, pd.DataFrame]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give a history the other measures of every run."""
    runs, history = tables
    names = [f"{split}_{kind}" for split in ("train", "validation", "test") for kind in ("loss", "accuracy")]
    return runs, history.assign(**dict.fromkeys(names, history["test_accuracy"]))


def test_equal_values_of_arms_that_differ_are_not_identical(tmp_path: Path) -> None:
    curves = {"a": [[0.1, 0.5]] * 3, "b": [[0.2, 0.5]] * 3}
    planned = planned_study(tmp_path, {"statements": stated(ORDER)})
    assert judge(planned, *with_all_measures(tables_of(curves)))["outcome"].item() == OPEN


# --- epochs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("epoch", "expected"), [("last", 0.3), ("best", 0.2), (1, 0.1), (2, 0.2)])
def test_a_value_is_of_the_epoch_that_the_claim_names(
    tmp_path: Path, epoch: int | str, expected: float
) -> None:
    planned = planned_study(tmp_path, {"statements": stated(VALUE | {"epoch": epoch})})
    table = judge(planned, *tables_of({"a": [[0.1, 0.2, 0.3]] * 3}, best_epoch=2))
    assert table["estimate"].item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("claim", "other"),
    [(DIFFERENCE, "minus_epoch"), (ORDER, "than_epoch"), (VALUE | {"minus": "b"}, "minus_epoch")],
)
def test_the_other_arm_has_an_epoch_of_its_own(tmp_path: Path, claim: dict[str, Any], other: str) -> None:
    curves = {"a": [[0.1, 0.2, 0.9]] * 3, "b": [[0.3, 0.5, 0.6]] * 3}
    for epochs, expected in (
        ({}, 0.3),
        ({"epoch": 2}, -0.3),
        ({other: 1}, 0.6),
        ({"epoch": 1, other: "last"}, -0.5),
    ):
        planned = planned_study(tmp_path, {"statements": stated(claim | epochs)})
        assert judge(planned, *tables_of(curves))["estimate"].item() == pytest.approx(expected)


def test_an_arm_may_be_compared_with_itself_at_another_epoch(tmp_path: Path) -> None:
    curves = {"a": [[0.1 + 0.01 * seed, 0.9 - 0.01 * seed] for seed in range(3)]}
    planned = planned_study(tmp_path, {"statements": stated(ORDER | {"than": ["a"], "than_epoch": 1})})
    assert judge(planned, *tables_of(curves))["outcome"].item() == YES


# --- events ------------------------------------------------------------------------------------------------------

DESCENDS, FALLS = [1.0, 0.5, 0.8, 0.4], [1.0, 0.8, 0.6, 0.5]


@pytest.mark.parametrize(
    ("showing", "count", "expected", "outcome"),
    [
        (8, 8, True, YES),  # 1/256 is below the level
        (7, 7, True, OPEN),
        (7, 8, True, OPEN),
        (0, 8, True, NO),
        (0, 8, False, YES),
        (8, 8, False, NO),
        (11, 12, True, YES),
        (6, 12, True, OPEN),
    ],
)
def test_an_event_is_what_most_seeds_show(
    tmp_path: Path, showing: int, count: int, expected: bool, outcome: str
) -> None:
    curves = {"a": [DESCENDS] * showing + [FALLS] * (count - showing)}
    [row] = judged(tmp_path, [EVENT | {"expected": expected}], curves, "validation_loss").to_dict("records")
    assert row["outcome"] == outcome
    assert row["estimate"] == pytest.approx(showing / count)
    assert row["low"] < row["estimate"] or showing == 0


def test_an_event_that_always_happens_needs_eight_seeds(tmp_path: Path) -> None:
    table = judged(tmp_path, [EVENT], {"a": [DESCENDS] * 3}, "validation_loss")
    assert table["seeds_to_decide"].item() == 8
    half = judged(tmp_path, [EVENT], {"a": [DESCENDS, FALLS] * 2}, "validation_loss")
    assert math.isnan(half["seeds_to_decide"].item())


def test_the_threshold_of_an_event_is_the_claims(tmp_path: Path) -> None:
    curves = {"a": [[1.0, 0.5, 0.6, 0.4]] * 8}  # a rise by a fifth
    found = [outcome(tmp_path, EVENT | {"threshold": t}, curves, "validation_loss") for t in (0.19, 0.21)]
    assert found == [YES, NO]


CONVERGENCE = EVENT | {"kind": "divergence", "event": "no_convergence", "reference": "b", "threshold": 0.5}


def test_convergence_is_against_the_reference_of_the_same_seed(tmp_path: Path) -> None:
    references = [0.2 * seed for seed in range(1, 9)]
    low, high = ([[factor * value] for value in references] for factor in (0.4, 0.6))
    other = [[value] for value in references]
    assert outcome(tmp_path, CONVERGENCE, {"a": low, "b": other}, "validation_accuracy") == YES
    assert outcome(tmp_path, CONVERGENCE, {"a": high, "b": other}, "validation_accuracy") == NO
    nan = [[NAN]] * 8
    assert outcome(tmp_path, CONVERGENCE, {"a": nan, "b": other}, "validation_accuracy") == YES
    assert outcome(tmp_path, CONVERGENCE, {"a": low, "b": nan}, "validation_accuracy") == PART


def test_a_stop_is_too_early_against_the_run_of_the_same_seed_that_goes_on(tmp_path: Path) -> None:
    claim = EVENT | {"event": "stopped_too_early", "reference": "b"}
    stopped, falls, rises = [[1.0, 0.9]] * 8, [[1.0, 0.9, 0.5]] * 8, [[1.0, 0.9, 1.1]] * 8
    assert outcome(tmp_path, claim, {"a": stopped, "b": falls}, "validation_loss") == YES
    assert outcome(tmp_path, claim, {"a": stopped, "b": rises}, "validation_loss") == NO
    assert outcome(tmp_path, claim, {"a": stopped, "b": [*rises[:7], None]}, "validation_loss") == PART


# --- evidence ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "verdicts"),
    [
        (DIRECT, [f"{YES} (direct)", f"{YES} (direct)", f"{NO} (direct)"]),
        (REDUCED, [f"{ELSEWHERE} (reduced)", "supported (reduced)", f"{NO} (reduced)"]),
        (CONCEPTUAL, [f"{ELSEWHERE} (conceptual)", "supported (conceptual)", f"{NO} (conceptual)"]),
    ],
)
def test_numbers_are_judged_by_direct_evidence_only_and_verdicts_name_theirs(
    tmp_path: Path, kind: str, verdicts: list[str]
) -> None:
    scales = {
        DIRECT: {},
        REDUCED: {"settings": {"epochs": 2}},
        CONCEPTUAL: {"substitute": {"mnist": "digits"}},
    }
    claims = [VALUE, ORDER, ORDER | {"id": "reverse", "direction": "lower"}]
    planned = planned_study(
        tmp_path, {"statements": stated(*claims), "scales.laptop": scales[kind]}, scale="laptop", seeds=5
    )
    table = judge(planned, *tables_of({"a": around(0.5, 0.01), "b": around(0.3, 0.01)}))
    assert table["verdict"].tolist() == verdicts
    assert table["estimate"].iloc[0] == pytest.approx(0.5)  # ours is shown in any case


# --- the table ---------------------------------------------------------------------------------------------------

CLAIMS = [
    EVENT,
    VALUE | {"reading": "ours", "measure": "validation_loss"},
    ORDER | {"measure": "validation_loss", "direction": "lower"},
]
LOSSES = {"a": [DESCENDS] * 8, "b": [FALLS] * 8, "c": [*[FALLS] * 3, None, *[FALLS] * 4]}
TABLES = tables_of(LOSSES, "validation_loss")


def test_there_is_one_row_a_reading_in_the_order_of_the_file(tmp_path: Path) -> None:
    table = judge(planned_study(tmp_path, {"statements": stated(*CLAIMS)}, seeds=8), *TABLES)
    assert table["id"].tolist() == ["event", "value", "order"]
    assert table["statement"].tolist() == ["event", "value", "order"]
    assert table["plainest"].tolist() == [True] * 3
    assert table["kind"].tolist() == ["shape", "value", "order"]
    assert table["outcome"].tolist() == [YES, YES, YES]
    assert table["reading"].tolist() == ["", "ours", ""]
    assert table["margin_reason"].tolist() == ["clear", "wide", ""]
    assert set(table["report"]) == {"report.txt"}
    assert set(table["quote"]) == {"so it is"}
    assert set(table["section"]) == {"3"}
    assert table[["seeds", "n"]].to_numpy().tolist() == [[8, 8]] * 3


@pytest.mark.parametrize(
    ("claim", "arms"),
    [
        (EVENT, "a"),
        (VALUE, "a"),
        (DIFFERENCE, "ab"),
        (ORDER | {"than": ["c", "b"]}, "abc"),
        (ORDER | {"arm": "c", "than": ["b"]}, "bc"),
    ],
)
def test_the_runs_behind_a_verdict_are_listed(tmp_path: Path, claim: dict[str, Any], arms: str) -> None:
    planned = planned_study(tmp_path, {"statements": stated(claim | {"measure": "validation_loss"})}, seeds=8)
    there = [each for each in planned.run_ids if each.split("/")[1] in arms and each != f"{NAME}/c/seed-4"]
    assert judge(planned, *TABLES)["runs"].tolist() == [" ".join(there)]


def test_without_any_run_all_is_incomplete(tmp_path: Path) -> None:
    planned = planned_study(tmp_path, {"statements": stated(*CLAIMS)})
    table = judge(planned, *tables_of({arm: [None] * 3 for arm in "abc"}))
    assert table["outcome"].tolist() == [PART] * 3
    assert table["runs"].tolist() == [""] * 3


def test_an_arm_that_was_not_selected_makes_a_claim_incomplete(tmp_path: Path) -> None:
    planned = planned_study(tmp_path, {"statements": stated(*CLAIMS)}, only=f"{NAME}/a", seeds=8)
    runs, history = (table[table["arm"] == "a"] for table in TABLES)
    assert judge(planned, runs, history)["outcome"].tolist() == [YES, YES, PART]


@pytest.mark.parametrize(
    ("only", "verdicts"),
    [(["a"], [YES, YES, LEFT_OUT]), (["a", "b"], [YES, YES, YES]), (["b", "c"], [LEFT_OUT] * 3)],
)
@pytest.mark.parametrize("substitute", [{}, {"mnist": "digits"}])
def test_a_claim_whose_arm_the_scale_does_without_is_not_run(
    tmp_path: Path, only: list[str], verdicts: list[str], substitute: dict[str, str]
) -> None:
    scale = {"only": only, "substitute": substitute}
    planned = planned_study(
        tmp_path, {"statements": stated(*CLAIMS), "scales.laptop": scale}, scale="laptop", seeds=8
    )
    runs, history = (table[table["arm"].isin(only)] for table in TABLES)
    table = judge(planned, runs, history)
    assert (table["outcome"] == LEFT_OUT).tolist() == [verdict == LEFT_OUT for verdict in verdicts]
    left_out = table[table["outcome"] == LEFT_OUT]
    assert left_out["verdict"].tolist() == [LEFT_OUT] * len(left_out)
    assert left_out["n"].tolist() == [0] * len(left_out)
    assert left_out[["estimate", "low", "high"]].isna().all(axis=None)
    assert table["expected"].fillna(-1).tolist() == [1.0, 0.5, -1]  # what the report has is told all the same


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_does_not_matter(tmp_path: Path, seed: int) -> None:
    planned = planned_study(tmp_path, {"statements": stated(*CLAIMS)}, seeds=8)
    draw = random.Random(seed)
    shuffled = (table.loc[draw.sample(list(table.index), len(table))] for table in TABLES)
    assert judge(planned, *shuffled).drop(columns="runs").equals(judge(planned, *TABLES).drop(columns="runs"))


def test_the_table_is_the_same_from_tables_on_disk(tmp_path: Path) -> None:
    planned = planned_study(tmp_path, {"statements": stated(*CLAIMS)}, seeds=8)
    write_table(TABLES[0], tmp_path / "runs.csv")
    write_table(TABLES[1], tmp_path / "history.csv")
    from_disk = judge(planned, read_table(tmp_path / "runs.csv"), read_table(tmp_path / "history.csv"))
    assert from_disk.equals(judge(planned, *TABLES))


def test_a_run_has_one_value_of_what_is_no_curve_whatever_the_epoch(tmp_path: Path) -> None:
    runs = pd.DataFrame([key_of("a", seed) | {"outcome": "completed", "epochs": 3} for seed in (1, 2, 3)])
    history = pd.DataFrame([key_of("a", seed) | {"epoch": 1, "test_loss": 0.1} for seed in (1, 2, 3)])
    for epoch in ("last", 2):
        claim = VALUE | {"kind": "epoch count", "measure": "epochs", "expected": 3, "epoch": epoch}
        planned = planned_study(tmp_path, {"statements": stated(claim)})
        assert judge(planned, runs, history)["estimate"].item() == 3
