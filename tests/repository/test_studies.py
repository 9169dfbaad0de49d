"""The project's own studies, planned at every scale."""

import math
from fnmatch import fnmatch

import pytest

from places import ROOT
from replication.data import DATASETS
from replication.runs.plan import load_plan, plan_of, plan_of_study
from replication.settings.config import Config
from replication.settings.yaml_file import read_yaml
from replication.system.digests import canonical_json

STUDIES = ROOT / "config" / "studies"
SCALES = ("demo", "laptop", "paper")


@pytest.fixture(scope="module")
def real():
    return {scale: load_plan(Config(scale=scale), STUDIES) for scale in SCALES}


@pytest.mark.parametrize("scale", SCALES)
def test_they_load_at_every_scale(real, scale):
    assert set(real[scale]) == {file.stem for file in STUDIES.glob("*.yaml")}
    for name, planned in real[scale].items():
        raw = read_yaml(STUDIES / f"{name}.yaml")
        own, grids = raw.get("arms", {}), raw.get("grids", [])
        sizes = [math.prod(len(values) for values in grid["axes"].values()) for grid in grids]
        assert list(planned.study.arms)[: len(own)] == list(own)
        assert len(planned.study.arms) == len(own) + sum(sizes)
        patterns = raw["scales"].get(scale, {}).get("only", ["*"])
        assert list(planned.arms) == [
            arm for arm in planned.study.arms if any(fnmatch(arm, pattern) for pattern in patterns)
        ]
        assert (ROOT / "reports" / f"{name}.ipynb").is_file()
        assert len(planned.run_ids) == len(set(planned.run_ids)) == len(planned.arms) * len(planned.seeds)
        assert planned.datasets <= set(DATASETS)


def test_they_are_as_reported_at_paper_scale(real):
    assert [
        d for planned in real["paper"].values() for arm in planned.arms for d in planned.differences(arm)
    ] == []


def test_the_demo_needs_no_download(real):
    assert not any(DATASETS[name].files for planned in real["demo"].values() for name in planned.datasets)


def test_mnist_on_a_laptop_is_as_reported(real):
    planned = real["laptop"]["mnist-early-stopping"]
    assert [planned.differences(arm) for arm in planned.arms] == [[]] * len(planned.arms)
    assert planned.seeds == real["paper"]["mnist-early-stopping"].seeds


def test_the_digest_of_a_study_tells_scales_apart(real):
    for name in real["demo"]:
        assert len({real[scale][name].digest for scale in SCALES}) == len(SCALES)


def test_a_job_plans_as_the_workflow_does(real, monkeypatch):
    monkeypatch.chdir(ROOT)
    for name, planned in real["laptop"].items():
        assert plan_of_study({"scale": "laptop"}, name).digest == planned.digest
    chosen = {"scale": "laptop", "only": ["automated-lr/cosine", "budgets", "automated-lr/s*"], "seeds": 2}
    for name, planned in plan_of(chosen).items():
        assert plan_of_study(chosen, name).digest == planned.digest
    assert list(plan_of({"only": "automated-lr/cosine"})) == ["automated-lr"]


def test_settings_of_a_run_have_one_json(real):
    for planned in real["demo"].values():
        for settings in planned.arms.values():
            copied = type(settings).model_validate(settings.model_dump())
            assert canonical_json(copied.model_dump(mode="json")) == canonical_json(
                settings.model_dump(mode="json")
            )
