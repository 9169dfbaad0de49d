"""The kind of evidence that runs are for a claim: found from the settings of its arms."""

from pathlib import Path
from typing import Any

import pytest

from replication.analysis.kinds_of_evidence import CONCEPTUAL, DIRECT, REDUCED, evidence_for
from tabulated import NAME, ORDER, VALUE, planned_study, stated

REDUCED_SCALE = {
    "scales.laptop": {"settings": {"epochs": 2}, "arms": {"c": {"schedule": {"step_epochs": 1.0}}}}
}
OTHER_DATA = {"scales.laptop": {"settings": {"epochs": 2}, "substitute": {"mnist": "digits"}}}
OTHER_ARM = {"arms.b.settings.data": {"dataset": "cifar10"}}


@pytest.mark.parametrize(
    ("changes", "config", "claim", "kind", "differences"),
    [
        ({}, {}, VALUE, DIRECT, ""),
        (REDUCED_SCALE, {}, VALUE, DIRECT, ""),
        ({}, {"scale": "laptop"}, VALUE, DIRECT, ""),
        ({"scales.demo": {}}, {"scale": "demo", "seeds": 3}, VALUE, DIRECT, ""),
        (REDUCED_SCALE, {"scale": "laptop"}, VALUE, REDUCED, "epochs: 2 for 4"),
        (
            REDUCED_SCALE,
            {"scale": "laptop"},
            ORDER | {"than": ["b", "c"]},
            REDUCED,
            "epochs: 2 for 4; schedule.step_epochs: 1.0 for 2.0",
        ),
        (
            OTHER_DATA,
            {"scale": "laptop"},
            VALUE,
            CONCEPTUAL,
            "data.dataset: digits for mnist; epochs: 2 for 4",
        ),
        ({}, {"substitute": {"mnist": "cifar10"}}, VALUE, CONCEPTUAL, "data.dataset: cifar10 for mnist"),
        (OTHER_ARM, {"substitute": {"cifar10": "cifar100"}}, VALUE, DIRECT, ""),
        (
            OTHER_ARM,
            {"substitute": {"cifar10": "cifar100"}},
            ORDER,
            CONCEPTUAL,
            "data.dataset: cifar100 for cifar10",
        ),
        ({}, {"substitute": {"mnist": "mnist"}}, VALUE, DIRECT, ""),
    ],
)
def test_the_kind_of_evidence_is_found_from_the_settings(
    tmp_path: Path,
    changes: dict[str, Any],
    config: dict[str, Any],
    claim: dict[str, Any],
    kind: str,
    differences: str,
) -> None:
    planned = planned_study(tmp_path, changes | {"statements": stated(claim)}, **config)
    found, texts = evidence_for(planned, planned.study.claims[0])
    assert (found, "; ".join(texts)) == (kind, differences)


def test_the_kind_is_that_of_the_arms_of_the_claim_whether_they_are_selected_or_not(tmp_path: Path) -> None:
    changes = {"statements": stated(VALUE), "scales.demo.settings.epochs": 2}
    alone = planned_study(tmp_path, changes, scale="demo", only=[f"{NAME}/b"])
    assert list(alone.arms) == ["b"]
    assert evidence_for(alone, alone.study.claims[0])[0] == CONCEPTUAL
