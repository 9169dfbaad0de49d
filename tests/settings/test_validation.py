"""What a user reads when a setting is wrong: file, key and remedy, in the terms of the file."""

import math
from typing import Literal, get_args

import pytest
from pydantic import Field

from replication.errors import ConfigurationError
from replication.settings.base import Section
from replication.settings.claims import DifferenceClaim, EventClaim, OrderClaim, ValueClaim
from replication.settings.config import Config
from replication.settings.run import RunSettings
from replication.settings.schedule import ScheduleSettings
from replication.settings.study import Study
from replication.settings.validation import unknown_name, validate
from tabulated import EVENT, FIRST, GONE, ORDER, SETTINGS, STUDY, VALUE, changed, stated

PLACE = "studies/x.yaml"
SCHEDULES = sorted(
    get_args(kind.model_fields["name"].annotation)[0] for kind in get_args(get_args(ScheduleSettings)[0])
)
CLAIMS = {
    "value": VALUE,
    "epoch count": VALUE,
    "cost": VALUE,
    "order": ORDER,
    "difference": changed(VALUE, {"minus": "b", "expected": GONE}),
    "shape": EVENT,
    "divergence": EVENT,
}


class Toy(Section):
    whole: int = 1
    real: float = 1.0
    either: bool = False
    text: str = ""
    choice: Literal["a", "b"] = "a"
    many: list[int] = Field(default=[])
    named: dict[str, float] = Field(default={})
    maybe: int | None = None


def problems(model, raw):
    """Return the lines of the error, each without the place that it begins with."""
    with pytest.raises(ConfigurationError) as caught:
        validate(model, raw, PLACE)
    lines = str(caught.value).split("\n")
    assert all(line.startswith(f"{PLACE}: ") for line in lines)
    return [line.removeprefix(f"{PLACE}: ") for line in lines]


@pytest.mark.parametrize(
    ("key", "given", "kept"),
    [
        ("whole", 3, 3),
        ("real", 3, 3.0),
        ("real", 0.5, 0.5),
        ("maybe", None, None),
        ("named", {"x": 1}, {"x": 1.0}),
    ],
)
def test_what_fits_is_kept_and_a_whole_number_is_a_float_too(key, given, kept):
    found = getattr(validate(Toy, {key: given}, PLACE), key)
    assert (type(found), found) == (type(kept), kept)


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("whole", "3"), ("whole", 3.0), ("whole", True), ("whole", None),
        ("real", "3"), ("real", True), ("real", math.nan), ("real", math.inf), ("real", -math.inf),
        ("either", 1), ("either", "true"), ("either", None),
        ("text", 3), ("text", None), ("choice", "c"), ("choice", "A"),
        ("many", "12"), ("many", 1), ("maybe", "3"),
    ],
)  # fmt: skip
def test_nothing_is_converted(key, given):
    [line] = problems(Toy, {key: given})
    assert line.startswith(f"`{key}`: ")
    assert line.endswith(f", not {given!r}")


def test_sections_do_not_change_once_built():
    toy = Toy()
    with pytest.raises(ValueError, match="frozen"):
        toy.whole = 2
    assert toy.whole == 1


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ({"many": [1, "2"]}, "`many.1`: input should be a valid integer, not '2'"),
        ({"named": {"x": "1"}}, "`named.x`: input should be a valid number, not '1'"),
        ({"named": {3: 1.0}}, "`named.3`: input should be a valid string, not 3"),
        ({"choice": "c"}, "`choice`: input should be 'a' or 'b', not 'c'"),
        (3, "input should be a valid dictionary or instance of Toy, not 3"),
    ],
)
def test_messages_name_the_key_down_to_the_wrong_value(raw, line):
    assert problems(Toy, raw) == [line]


def test_all_problems_are_told_at_once_in_one_line_each():
    assert problems(Toy, {"whole": "3", "real": "3", "wole": 3}) == [
        "`whole`: input should be a valid integer, not '3'",
        "`real`: input should be a valid number, not '3'",
        "`wole` is not a key here (did you mean `whole`?); valid: choice, either, many, maybe, named, real, text, "
        "whole",
    ]


UNKNOWN = "is not a key here"
IN_RUN = ", ".join(sorted(RunSettings.model_fields))
IN_CLAIM = "cost, difference, divergence, epoch count, order, shape, value"
NOT_A_MAPPING = "input should be a valid dictionary or object to extract fields from"
NO_EPOCH = f"`{FIRST}.epoch`: input should be 'last' or 'best', or input should be"
PERCENT = {"name": "every_percent", "percent": 1}
WARM_UP = {"name": "linear", "epochs": 1, "start": 0.1}

OF_A_RUN = [
    ({"batchsize": 3}, f"`batchsize` {UNKNOWN} (did you mean `batch_size`?); valid: {IN_RUN}"),
    ({"xyz": 3}, f"`xyz` {UNKNOWN}; valid: {IN_RUN}"),
    ({"model.stem": "cifar"}, f"`model.stem` {UNKNOWN}; valid: name"),
    ({"schedule.fnal": 1}, f"`schedule.fnal` {UNKNOWN}; valid: name, sampling, warm_up"),
    (
        {"schedule.sampling": PERCENT | {"prcent": 2}},
        f"`schedule.sampling.prcent` {UNKNOWN} (did you mean `percent`?); valid: name, percent",
    ),
    (
        {"schedule.warm_up": WARM_UP | {"strat": 1}},
        f"`schedule.warm_up.strat` {UNKNOWN} (did you mean `start`?); valid: epochs, name, sampling, start",
    ),
    ({"epochs": GONE}, "`epochs` is missing: add it"),
    ({"data.scaling": GONE}, "`data.scaling` is missing: add it"),
    ({"schedule.name": "step"}, "`schedule.step_epochs` is missing: add it"),
    ({"schedule": {"factor": 2}}, "`schedule` needs a 'name'"),
    (
        {"schedule.name": "cosin"},
        f"`schedule`: there is no `cosin` (did you mean `cosine`?); valid: {', '.join(SCHEDULES)}",
    ),
    ({"schedule.name": 3}, f"`schedule`: there is no `3`; valid: {', '.join(SCHEDULES)}"),
    (
        {"model.name": "resnet"},
        "`model`: there is no `resnet` (did you mean `resnet38`?); valid: mlp, mnist-cnn, resnet18, resnet20, "
        "resnet38, row-gru, transformer, vgg",
    ),
    ({"optimizer.name": "lion"}, "`optimizer`: there is no `lion`; valid: adam, schedule_free_sgd, sgd"),
    ({"schedule": "cosine"}, f"`schedule`: {NOT_A_MAPPING}, not 'cosine'"),
    ({"epochs": "20"}, "`epochs`: input should be a valid integer, not '20'"),
    ({"epochs": 0}, "`epochs`: input should be greater than or equal to 1, not 0"),
    ({"data.validation_fraction": 1}, "`data.validation_fraction`: input should be less than 1, not 1"),
    ({"evaluate_test": "each"}, "`evaluate_test`: input should be 'every_epoch' or 'end', not 'each'"),
    ({"optimizer.epsilon": "1e-7"}, "`optimizer.epsilon`: input should be a valid number, not '1e-7'"),
    (
        {"schedule": {"name": "multi_step", "milestones": [1, "2"]}},
        "`schedule.milestones.1`: input should be a valid number, not '2'",
    ),
    (
        {"schedule": {"name": "multi_step", "milestones": [2, 1]}},
        "`schedule.milestones`: should increase from each number to the next, not [2, 1]",
    ),
    (
        {"optimizer": {"name": "sgd", "learning_rate": 1, "nesterov": True}},
        "`optimizer`: nesterov: true needs a momentum above 0",
    ),
]
OF_A_STUDY = [
    (
        {"scales.demo.seed": 3},
        f"`scales.demo.seed` {UNKNOWN} (did you mean `seeds`?); valid: arms, only, seeds, settings, substitute",
    ),
    ({"scales.paper": {}}, f"`scales.paper` {UNKNOWN}; valid: demo, laptop"),
    ({"scales.demo.arms": {3: {}}}, "`scales.demo.arms.3`: input should be a valid string, not 3"),
    (
        {"arms.b.titel": "B"},
        f"`arms.b.titel` {UNKNOWN} (did you mean `title`?); valid: note, settings, title",
    ),
    ({"arms.b.title": GONE}, "`arms.b.title` is missing: add it"),
    ({"arms": {}}, "`arms`: dictionary should have at least 1 item"),
    ({"statements": []}, "`statements`: list should have at least 1 item, not []"),
    ({f"{FIRST}.kind": GONE}, f"`{FIRST}` needs a 'kind'"),
    (
        {f"{FIRST}.kind": "valu"},
        f"`{FIRST}`: there is no `valu` (did you mean `value`?); valid: {IN_CLAIM}",
    ),
    ({FIRST: "text"}, f"`{FIRST}`: {NOT_A_MAPPING}, not 'text'"),
    (
        {f"{FIRST}.margin.reason": ""},
        f"`{FIRST}.margin.reason`: string should have at least 1 character, not ''",
    ),
    ({f"{FIRST}.epoch": "lst"}, f"{NO_EPOCH} a valid integer, not 'lst'"),
    ({f"{FIRST}.epoch": True}, f"{NO_EPOCH} a valid integer, not True"),
    ({f"{FIRST}.epoch": 0}, f"{NO_EPOCH} greater than or equal to 1, not 0"),
    ({f"{FIRST}.minus": "z"}, "statements, value: no arm `z`; the arms are a, b, c"),
]
OF_THE_CONFIGURATION = [
    ({"only": 3}, "`only`: input should be a valid string, or input should be a valid list, not 3"),
    ({"scale": "dmo"}, "`scale`: input should be 'demo', 'laptop' or 'paper', not 'dmo'"),
    (
        {"seeds": "3"},
        "`seeds`: input should be a valid integer, or input should be a valid dictionary, not '3'",
    ),
    (
        {"seeds": 0},
        "`seeds`: input should be greater than or equal to 1, or input should be a valid dictionary, not 0",
    ),
    ({"device": True}, "`device`: input should be 'auto', 'cpu' or 'cuda', not True"),
    ({"substitute.mnist": 3}, "`substitute.mnist`: input should be a valid string, not 3"),
]


@pytest.mark.parametrize(
    ("model", "raw", "changes", "line"),
    [
        *((RunSettings, SETTINGS, changes, line) for changes, line in OF_A_RUN),
        *((Study, STUDY, changes, line) for changes, line in OF_A_STUDY),
        *((Config, {}, changes, line) for changes, line in OF_THE_CONFIGURATION),
    ],
)
def test_messages_are_in_the_terms_of_the_file(model, raw, changes, line):
    assert problems(model, changed(raw, changes)) == [line]


def test_two_values_under_one_key_are_two_problems():
    assert problems(Study, changed(STUDY, {"arms.Bad name": {}})) == [
        "`arms.Bad name`: string should match pattern '^[a-z0-9]+(-[a-z0-9]+)*$', not 'Bad name'",
        "`arms.Bad name.title` is missing: add it",
    ]
    assert problems(Config, {"image_folders": {"A B": ""}}) == [
        "`image_folders.A B`: a name is made of lower-case letters, digits and hyphens, not 'A B'",
        "`image_folders.A B`: string should have at least 1 character, not ''",
    ]
    assert problems(Config, {"only": ["a", 3]}) == [
        "`only`: input should be a valid string, not ['a', 3]",
        "`only.1`: input should be a valid string, not 3",
    ]


# What more keys a function of the user's own has, it says itself.
@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "function"])
def test_the_name_of_a_schedule_is_not_shown_as_a_key(name):
    lines = problems(RunSettings, SETTINGS | {"schedule": {"name": name, "unheard_of": 1}})
    keys = [line.split("`")[1] for line in lines]
    assert "schedule.unheard_of" in keys
    assert all(key.count(".") == 1 for key in keys)


@pytest.mark.parametrize("kind", CLAIMS)
@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"unheard_of": 1}, "`statements.1.readings.0.unheard_of` is not"),
        ({"epoch": -1}, "`statements.1.readings.0.epoch`: input should be 'last'"),
    ],
)
def test_the_kind_of_a_claim_is_not_shown_as_a_key(kind, changes, start):
    claim = {**CLAIMS[kind], "kind": kind, "id": "second"}
    validate(Study, STUDY | {"statements": stated(VALUE, claim)}, PLACE)
    [line] = problems(Study, STUDY | {"statements": stated(VALUE, claim | changes)})
    assert line.startswith(start)
    assert "literal" not in line
    assert "constrained" not in line


def test_every_kind_of_claim_is_tried():
    kinds = {
        kind
        for claim in (ValueClaim, DifferenceClaim, OrderClaim, EventClaim)
        for kind in claim.model_fields["kind"].annotation.__args__
    }
    assert kinds == set(CLAIMS)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("cosin", "there is no curve `cosin` (did you mean `cosine`?); valid: cosine, linear"),
        ("x", "there is no curve `x`; valid: cosine, linear"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest_and_the_valid_ones(wrong, message):
    assert unknown_name("curve", wrong, ["linear", "cosine"]) == message
