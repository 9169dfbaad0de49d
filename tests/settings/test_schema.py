"""The schema of study files: it is what the settings say, and an editor finds mistakes with it."""

import copy
import json
from typing import Any

import jsonschema
import pytest
import yaml

from places import ROOT
from replication.settings.run import RunSettings
from replication.settings.schema import study_schema
from replication.settings.study import Study

FILE = ROOT / "config/study.schema.json"
STUDIES = sorted((ROOT / "config/studies").glob("*.yaml"))
REMEDY = "run: python -m replication schema > config/study.schema.json"
SCHEMA = json.loads(study_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def test_the_schema_is_up_to_date() -> None:
    assert FILE.read_text(encoding="utf-8") == study_schema(), REMEDY


def test_no_section_of_a_study_has_the_name_of_one_of_a_run() -> None:
    assert Study.model_json_schema()["$defs"].keys().isdisjoint(RunSettings.model_json_schema()["$defs"])


@pytest.mark.parametrize("file", STUDIES, ids=lambda file: file.stem)
def test_every_study_names_its_schema_and_fits_it(file) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../study.schema.json\n")
    assert (file.parent / "../study.schema.json").resolve() == FILE
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        (("titel",), "x"),
        (("settings", "optimiser"), {}),
        (("settings", "optimizer"), {"learning_rat": 0.1}),
        (("settings", "schedule"), {"name": "cosin"}),
        (("settings", "epochs"), "ten"),
        (("scales", "demo", "settings", "model"), {"wdith": 8}),
        (("arms", "constant", "settings", "schedule"), {"name": "step", "step_epoch": 3}),
        (("statements", 0, "readings", 0, "measure"), "test_acuracy"),
    ],
)
def test_mistakes_are_found(place, wrong) -> None:
    study: Any = yaml.safe_load((ROOT / "config/studies/automated-lr.yaml").read_text(encoding="utf-8"))
    assert VALIDATOR.is_valid(study)
    changed = copy.deepcopy(study)
    holder = changed
    for key in place[:-1]:
        holder = holder[key] if isinstance(key, int) else holder.setdefault(key, {})
    holder[place[-1]] = wrong
    assert not VALIDATOR.is_valid(changed)


def test_a_key_is_explained() -> None:
    section = SCHEMA["$defs"]["PartialRunSettings"]
    assert "batch" in section["properties"]["batch_size"]["description"]
    assert "required" not in section
