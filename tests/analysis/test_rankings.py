"""Rankings: ranks and finishes by hand and against a slow count, and the rows that they give."""

import itertools
import math
import random
from statistics import mean

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from replication.analysis.rankings import ranking_rows, ranks, top_shares
from replication.settings.study import Study
from tabulated import FIRST, GONE, NAME, STUDY, VALUE, changed, stated, tables_of

NAN = math.nan
GRID = {
    "arm": "{profile}-{sampling}-{budget}",
    "title": "{profile}, {sampling}, {budget}",
    "titles": {"rex": "REX"},
    "axes": {
        "profile": {"rex": {}, "linear": {}},
        "sampling": {"step": {}, "tenth": {}},
        "budget": {"1": {}, "100": {}},
    },
}
RANKING = {
    "id": "rank",
    "title": "{profile}, {sampling}",
    "note": "Ours.",
    "arm": GRID["arm"],
    "over": ["budget"],
    "measure": "test_accuracy",
    "direction": "higher",
}
CONTESTANTS = ["rank-rex-step", "rank-rex-tenth", "rank-linear-step", "rank-linear-tenth"]
BASE = {
    "arms": GONE,
    "grids": [GRID],
    "rankings": [RANKING],
    "statements": stated(VALUE | {"arm": "rank-rex-step", "measure": "average_rank"}),
}


def study(changes=None):
    return Study(**changed(STUDY, BASE | (changes or {})))


def contest_of(ranking=None, scale="paper", **changes):
    return study({"rankings": [RANKING | (ranking or {})], **changes}).contests_at(scale)[0]


def rows_of(values, contest=None, seeds=(1,), measure="test_accuracy"):
    """Return the rows for values by contestant and setting (for one seed), by derived arm."""
    contest = contest or contest_of()
    arms = [arm for arms in contest.contestants.values() for arm in arms]
    curves = {arm: [value] for arm, value in zip(arms, itertools.chain(*values), strict=True)}
    tables = tables_of({arm: [None if curve[0] is None else curve] for arm, curve in curves.items()}, measure)
    return ranking_rows(contest, NAME, *tables, seeds).set_index("arm")


# --- ranks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected", "first", "best_three"),
    [
        ([4, 3, 2, 1], [1, 2, 3, 4], [1, 0, 0, 0], [1, 1, 1, 0]),
        ([1, 4, 2, 3], [4, 1, 3, 2], [0, 1, 0, 0], [0, 1, 1, 1]),
        ([4, 4, 2, 1], [1.5, 1.5, 3, 4], [0.5, 0.5, 0, 0], [1, 1, 1, 0]),
        ([4, 2, 2, 1], [1, 2.5, 2.5, 4], [1, 0, 0, 0], [1, 1, 1, 0]),
        ([4, 3, 1, 1], [1, 2, 3.5, 3.5], [1, 0, 0, 0], [1, 1, 0.5, 0.5]),
        ([4, 1, 1, 1], [1, 3, 3, 3], [1, 0, 0, 0], [1, 2 / 3, 2 / 3, 2 / 3]),
        ([1, 1, 1, 1], [2.5] * 4, [0.25] * 4, [0.75] * 4),
        ([NAN, 3, 2, 1], [4, 1, 2, 3], [0, 1, 0, 0], [0, 1, 1, 1]),
        ([NAN, NAN, 2, 1], [3.5, 3.5, 1, 2], [0, 0, 1, 0], [0, 0, 1, 1]),
        ([NAN] * 4, [2.5] * 4, [0] * 4, [0] * 4),
        ([math.inf, 3, 2, 1], [4, 1, 2, 3], [0, 1, 0, 0], [0, 1, 1, 1]),
        ([-math.inf, 3, 2, 1], [4, 1, 2, 3], [0, 1, 0, 0], [0, 1, 1, 1]),
    ],
)
def test_contestants_are_ranked_within_a_setting(values, expected, first, best_three):
    column = np.array(values, dtype=float)[:, None]
    assert ranks(column).ravel().tolist() == expected
    assert top_shares(column, 1).ravel().tolist() == pytest.approx(first)
    assert top_shares(column, 3).ravel().tolist() == pytest.approx(best_three)


def shares_by_lot(values, places):
    """Return the chance of each to be among the first places, over all orders that break the ties."""
    orders = [
        order
        for order in itertools.permutations(range(len(values)))
        if all(values[a] >= values[b] for a, b in itertools.pairwise(order))
    ]
    return [mean(order.index(one) < places for order in orders) for one in range(len(values))]


@pytest.mark.parametrize("places", [1, 2, 3, 5])
def test_tied_contestants_share_places_as_by_lot(places):
    for values in itertools.product([1.0, 2.0, 3.0], repeat=4):
        shares = top_shares(np.array(values)[:, None], places).ravel()
        assert shares.tolist() == pytest.approx(shares_by_lot(values, places))


def test_each_setting_is_ranked_by_itself():
    generator = random.Random(0)
    table = np.array([[generator.choice([1.0, 2.0, 3.0, NAN]) for _ in range(6)] for _ in range(5)])
    for setting in range(6):
        alone = table[:, [setting]]
        assert np.array_equal(ranks(table)[:, [setting]], ranks(alone))
        assert np.array_equal(top_shares(table, 3)[:, [setting]], top_shares(alone, 3))
    assert ranks(table).sum(axis=0).tolist() == [15.0] * 6


# --- rows ------------------------------------------------------------------------------------------------------

VALUES = [(0.9, 0.5), (0.8, 0.6), (0.7, 0.7), (0.7, 0.4)]


def test_ranks_are_averaged_over_the_settings():
    rows = rows_of(VALUES)
    assert rows.index.tolist() == CONTESTANTS
    assert rows["average_rank"].tolist() == [2.0, 2.0, 2.25, 3.75]
    assert rows["share_of_top_1"].tolist() == [0.5, 0.0, 0.5, 0.0]
    assert rows["share_of_top_3"].tolist() == [1.0, 1.0, 0.75, 0.25]


def test_lower_may_be_better():
    contest = contest_of({"direction": "lower", "measure": "test_loss"})
    rows = rows_of(VALUES, contest, measure="test_loss")
    assert rows["average_rank"].tolist() == [3.0, 3.0, 2.75, 1.25]
    diverged = rows_of([(NAN, 0.5), (0.8, 0.6), (0.7, 0.7), (0.7, 0.4)], contest, measure="test_loss")
    assert diverged["average_rank"].tolist() == [3.0, 3.0, 2.75, 1.25]


def test_a_row_has_the_key_of_a_run_and_names_the_runs_of_its_contestant():
    row = rows_of(VALUES).loc["rank-rex-tenth"]
    assert row["run_id"] == f"{NAME}/rank-rex-tenth/seed-1"
    assert (row["study"], row["seed"], row["outcome"]) == (NAME, 1, "derived")
    assert (row["epochs"], row["best_epoch"]) == (1, 1)
    assert row["made_of"] == f"{NAME}/rex-tenth-1/seed-1 {NAME}/rex-tenth-100/seed-1"


def test_seeds_are_ranked_by_themselves():
    arms = [arm for arms in contest_of().contestants.values() for arm in arms]
    by_arm = {arm: [[n / 10], [1 - n / 10]] for n, arm in enumerate(arms)}
    rows = ranking_rows(contest_of(), NAME, *tables_of(by_arm), (1, 2))
    assert rows["seed"].tolist() == [1] * 4 + [2] * 4
    assert rows["average_rank"].tolist() == [4.0, 3.0, 2.0, 1.0, 1.0, 2.0, 3.0, 4.0]


def test_the_epoch_that_is_asked_for_is_compared():
    arms = [arm for arms in contest_of().contestants.values() for arm in arms]
    curves = {arm: [[n / 10, 1 - n / 10, n / 10]] for n, arm in enumerate(arms)}
    tables = tables_of(curves, best_epoch=2)
    for epoch, ordered in (("last", [4, 3, 2, 1]), ("best", [1, 2, 3, 4]), (2, [1, 2, 3, 4])):
        rows = ranking_rows(contest_of({"epoch": epoch}), NAME, *tables, (1,))
        assert rows["average_rank"].tolist() == ordered


def test_a_missing_run_leaves_its_seed_without_ranks():
    arms = [arm for arms in contest_of().contestants.values() for arm in arms]
    by_arm = {arm: [[n / 10], [n / 10]] for n, arm in enumerate(arms)}
    by_arm["linear-step-1"] = [[0.5], None]
    rows = ranking_rows(contest_of(), NAME, *tables_of(by_arm), (1, 2))
    measures = rows.groupby("seed")[["average_rank", "share_of_top_1", "share_of_top_3"]]
    assert measures.count().to_numpy().tolist() == [[4] * 3, [0] * 3]
    assert rows.set_index("run_id")["made_of"].loc[f"{NAME}/rank-linear-step/seed-2"] == (
        f"{NAME}/linear-step-100/seed-2"
    )


def test_without_a_selected_arm_there_is_no_row_and_with_some_no_ranks():
    tables = tables_of({"rex-step-1": [[0.5]], "rex-step-100": [[0.5]]})
    rows = ranking_rows(contest_of(), NAME, *tables, (1,))
    assert rows["arm"].tolist() == ["rank-rex-step"]
    assert rows["average_rank"].isna().all()
    assert ranking_rows(contest_of(), NAME, *tables_of({"other": [[0.5]]}), (1,)).empty


def test_without_any_history_there_are_no_ranks():
    arms = [arm for arms in contest_of().contestants.values() for arm in arms]
    rows = ranking_rows(contest_of(), NAME, *tables_of({arm: [None] for arm in arms}), (1,))
    assert len(rows) == 4
    assert rows["average_rank"].isna().all()


# --- in a study ------------------------------------------------------------------------------------------------


def test_contestants_are_derived_arms():
    whole = study()
    assert list(whole.derived_arms) == CONTESTANTS
    assert whole.derived_arms["rank-rex-tenth"] == "REX, tenth"
    assert whole.note_of("rank-rex-tenth") == "Ours."
    assert whole.trained_arms("rank-rex-tenth") == list(whole.arms)
    assert whole.left_out("paper") == set()


def test_a_ranking_may_be_over_several_axes():
    contest = contest_of(
        {"over": ["budget", "profile"], "title": "{sampling}"},
        statements=stated(VALUE | {"arm": "rank-step"}),
    )
    assert dict(contest.contestants) == {
        f"rank-{sampling}": tuple(
            f"{profile}-{sampling}-{budget}" for budget in ("1", "100") for profile in ("rex", "linear")
        )
        for sampling in ("step", "tenth")
    }


def cells(contestants, *budgets):
    return {
        name: tuple(f"{name.removeprefix('rank-')}-{budget}" for budget in budgets) for name in contestants
    }


@pytest.mark.parametrize(
    ("only", "contestants"),
    [
        (["*-100"], cells(CONTESTANTS, "100")),
        (["rex-*"], cells(CONTESTANTS[:2], "1", "100")),
        (["*-step-1"], cells(CONTESTANTS[::2], "1")),
    ],
)  # fmt: skip
def test_what_a_scale_does_without_leaves_the_ranking(only, contestants):
    whole = study({"scales.demo.only": only})
    assert dict(whole.contests_at("demo")[0].contestants) == contestants
    assert set(whole.contests_at("demo")[0].titles) == set(contestants)
    left_out = whole.left_out("demo")
    assert left_out == (set(whole.arms) - set(whole.arms_at("demo"))) | (set(CONTESTANTS) - set(contestants))
    assert list(whole.contests_at("laptop")[0].contestants) == CONTESTANTS


def test_a_ranking_of_no_arms_at_all_is_left_out():
    changes = {"arms": {"a": {"title": "A"}}, "scales.demo.only": ["a"]}
    whole = study(changes)
    assert dict(whole.contests_at("demo")[0].contestants) == {}
    assert set(CONTESTANTS) < whole.left_out("demo")
    assert ranking_rows(whole.contests_at("demo")[0], NAME, *tables_of({"a": [[0.5]]}), (1,)).empty


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rankings.0.arm": "{profile}"}, "rankings, rank: arm: no grid has the arms `{profile}`; there are: {"),
        ({"rankings.0.over": ["size"]}, "rankings, rank: over: the grid has no axis `size`; valid: profile, sampling"),
        ({"rankings.0.over": ["profile", "sampling", "budget"]}, "over: holds all axes of the grid"),
        ({"rankings.0.over": []}, "at least 1 item"),
        ({"rankings.0.title": "{profile}"}, "rankings, rank: title: `{sampling}` is missing"),
        ({"rankings.0.title": "{profile}{sampling}{budget}"}, "title: there is no axis of the contestants `budget`"),
        ({"rankings.0.measure": "seconds"}, "Input should be 'train_loss'"),
        ({"rankings": [RANKING, RANKING]}, "two arms are called `rank-rex-step`"),
        ({"arms": {"rank-rex-step": {"title": "A"}}}, "two arms are called `rank-rex-step`"),
        (
            {"scales.demo.only": ["rex-*", "linear-step-1"]},
            "scales, demo, only: the ranking `rank` needs the arm `linear-step-100` too",
        ),
        ({f"{FIRST}.arm": "rank-rex"}, "statements, value: no arm `rank-rex`"),
        ({"scales.demo.arms": {"rank-rex-step": {}}}, "scales, demo, arms: no arm `rank-rex-step`"),
    ],
)  # fmt: skip
def test_impossible_rankings_are_refused(changes, message):
    with pytest.raises(ValidationError) as caught:
        Study(**changed(changed(STUDY, BASE), changes))
    assert message in str(caught.value)


def test_the_rows_are_a_table_that_joins_that_of_the_runs():
    rows = rows_of(VALUES).reset_index()
    runs = tables_of({"a": [[0.5]]})[0]
    assert set(runs.columns) <= set(pd.concat([runs, rows]).columns)
    assert rows.dtypes[["seed", "epochs", "best_epoch"]].tolist() == [np.dtype("int64")] * 3
