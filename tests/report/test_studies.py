"""A study on the page: its arms with their runs and settings."""

import json
from typing import Any

import pandas as pd
import pytest

from replication.report.studies import derived_arm, learning_rates, settings_of, trained_arm

ARM = {"arm": "a", "title": "A"}
RUN: dict[str, Any] = {
    "arm": "a",
    "outcome": "completed",
    "epochs": 3,
    "dataset": "digits",
    "dataset_sha256": "d1",
    "settings_sha256": "5e",
    "code_sha256": "c0",
    "commit": "01",
    "dirty": False,
}


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({}, set()),
        ({"code_sha256": "c1"}, {"code_sha256"}),
        ({"commit": "02"}, {"commit"}),
        ({"dirty": True}, {"commit", "dirty"}),
        ({"outcome": "stopped early", "epochs": 2}, {"outcome", "epochs"}),
        ({"outcome": "missing", "epochs": None, "code_sha256": None, "commit": None}, {"outcome"}),
    ],
)
def test_what_all_runs_have_in_common_is_said_once(changes: dict[str, Any], differing: set[str]) -> None:
    runs = pd.DataFrame([RUN, RUN | changes, {"arm": "b", "outcome": "completed"}])
    found = trained_arm(ARM, runs)
    assert len(found["runs"]) == 2
    assert found["common"].keys() == RUN.keys() - {"arm"} - differing


def test_a_hash_that_runs_in_a_row_share_is_said_once() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {},
        {"commit": "02"},
        {"outcome": "missing"},
        {"commit": "02"},
        {},
        {"dirty": True},
    ]
    found = trained_arm(ARM, pd.DataFrame([RUN | change for change in changes]))
    assert [run["spans"].get("commit") for run in found["runs"]] == [2, None, 1, 1, 1, 1, 1]


def test_a_derived_arm_names_the_arms_whose_runs_it_is_made_of() -> None:
    made_of = ["s/x/seed-1 s/y/seed-1", "s/x/seed-2 s/y/seed-2", "s/x/seed-3", None]
    runs = pd.DataFrame([{"arm": "a", "seed": seed, "made_of": runs} for seed, runs in enumerate(made_of, 1)])
    assert derived_arm(ARM, runs)["made_of"] == [
        {"arms": ("x", "y"), "seeds": [1, 2]},
        {"arms": ("x",), "seeds": [3]},
        {"arms": (), "seeds": [4]},
    ]


def test_settings_that_all_arms_share_are_said_once() -> None:
    settings = {"a": {"epochs": 3, "model": {"name": "mlp"}}, "b": {"epochs": 5, "model": {"name": "mlp"}}}
    arms = [{"arm": arm, "settings": json.dumps(each)} for arm, each in settings.items()]
    assert settings_of(arms) == ('model.name: "mlp"', {"a": "epochs: 3", "b": "epochs: 5"})
    assert settings_of(arms[:1]) == ("", {"a": 'epochs: 3\nmodel.name: "mlp"'})
    assert settings_of([]) == ("", {})


def test_each_arm_has_the_curve_of_its_mean_learning_rate() -> None:
    of_ensemble = {"arm": "ensemble", "epoch": 1, "learning_rate": None}
    of_arm = [
        {"arm": "a", "epoch": epoch, "learning_rate": rate}
        for epoch, rate in ((1, 1.0), (2, 0.0), (1, 1.0), (2, 0.5))
    ]
    rates = learning_rates(pd.DataFrame([*of_arm, of_ensemble]), ["a", "not-run", "ensemble"])
    assert 'points="0,2 60,11"' in rates["a"]
    assert (rates["not-run"], rates["ensemble"]) == ("", "")
