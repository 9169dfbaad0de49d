"""What is to be run: merging, substitution, selection, and what is refused before any job."""

from hashlib import sha256

import pytest
import yaml

from places import ROOT
from replication.errors import ConfigurationError
from replication.runs.plan import load_plan, own_functions
from replication.settings.config import Config
from replication.system.missing import MISSING
from tabulated import NAME, ORDER, STUDY, VALUE, planned_study, stated, write_study

STUDIES = ROOT / "config" / "studies"
SCALES = ("demo", "laptop", "paper")
STEP = {"name": "step", "step_epochs": 2}


def settings_of(folder, arm, changes, **config):
    return planned_study(folder, changes, **config).arms[arm]


def refused(folder, changes=None, **config):
    with pytest.raises(ConfigurationError) as caught:
        planned_study(folder, changes, **config)
    return str(caught.value)


# --- merging ---------------------------------------------------------------------------------------------------

LAYERS = ("settings", "scales.demo.settings", "arms.b.settings", "scales.demo.arms.b")


@pytest.mark.parametrize("last", range(1, len(LAYERS)))
def test_a_later_layer_wins_over_all_earlier_ones(tmp_path, last):
    changes = {f"{layer}.batch_size": 100 + number for number, layer in enumerate(LAYERS[: last + 1])}
    assert settings_of(tmp_path, "b", changes, scale="demo").batch_size == 100 + last


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_that_do_not_speak_of_a_key_leave_it(tmp_path, layer):
    changes = {f"{layer}.optimizer.learning_rate": 0.5, f"{layer}.data.train_images": 77}
    settings = settings_of(tmp_path, "b", changes, scale="demo")
    assert settings.optimizer.learning_rate == 0.5
    assert settings.optimizer.epsilon == 1e-7
    assert (settings.data.train_images, settings.data.test_images) == (77, 400)
    assert settings.batch_size == 32


@pytest.mark.parametrize(
    ("arm", "scale", "batch_size"),
    [("a", "demo", 32), ("b", "laptop", 32), ("b", "paper", 32), ("b", "demo", 64)],
)
def test_an_override_is_of_its_arm_and_scale_only(tmp_path, arm, scale, batch_size):
    changes = {"scales.demo.arms.b.batch_size": 64}
    assert settings_of(tmp_path, arm, changes, scale=scale).batch_size == batch_size


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({"gamma": 0.5}, {"name": "step", "step_epochs": 2.0, "gamma": 0.5}),
        ({"name": "step", "gamma": 0.5}, {"name": "step", "step_epochs": 2.0, "gamma": 0.5}),
        ({"name": "exponential", "decay_rate": 0.5}, {"name": "exponential", "decay_rate": 0.5}),
        ({"name": "linear"}, {"name": "linear"}),
    ],
)
def test_another_name_replaces_a_mapping_and_the_same_one_merges(tmp_path, over, expected):
    changes = {"settings.schedule": STEP, "arms.a.settings": {"schedule": over}}
    schedule = settings_of(tmp_path, "a", changes).schedule
    assert schedule.model_dump(include=set(expected)) == expected


def test_mappings_without_a_name_merge_and_null_takes_one_away(tmp_path):
    stopping = {"monitor": "validation_loss", "patience": 3}
    changes = {
        "settings.early_stopping": stopping,
        "arms.a.settings": {"early_stopping": {"patience": 5}},
        "arms.b.settings": {"early_stopping": None},
    }
    arms = planned_study(tmp_path, changes).arms
    assert (arms["a"].early_stopping.monitor, arms["a"].early_stopping.patience) == ("validation_loss", 5)
    assert arms["b"].early_stopping is None
    assert arms["c"].early_stopping.patience == 3


def test_lists_are_replaced_whole(tmp_path):
    probing = {"name": "loss_probing", "factors": [4.0, 2.0, 1.0]}
    changes = {"settings.schedule": probing, "arms.a.settings": {"schedule": {"factors": [3.0]}}}
    assert settings_of(tmp_path, "a", changes).schedule.factors == [3.0]


def test_averaging_at_the_ends_of_cycles_that_there_are_not_is_refused(tmp_path):
    changes = {"arms.b.settings.averaging": {"at": "cycle_ends"}}
    assert refused(tmp_path, changes).startswith(
        f"{tmp_path}/{NAME}.yaml, arm b at paper scale: `averaging`: the schedule cosine has no cycles: "
    )


SEARCH = {
    "title": "T",
    "method": "successive_halving",
    "arms": ["a", "b"],
    "measure": "validation_accuracy",
    "direction": "higher",
    "tolerance": 0.01,
}


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"arms.b.settings.epochs": 7}, "paper", "its arms have budgets of 4, 7 epochs: give them the same"),
        (
            {
                "scales.laptop.arms": {"a": {"epochs": 7}},
                "searches": {"found": SEARCH | {"arms": ["a", "c"]}},
            },
            "laptop",
            "budgets of 4, 7 epochs",
        ),
        ({}, "paper", "the schedule of b depends on its budget"),
    ],
)
def test_searches_that_would_compare_other_runs_are_refused(tmp_path, changes, place, words):
    said = refused(tmp_path, {"searches": {"found": SEARCH}} | changes)
    assert f"at {place} scale: `searches.found`: " in said
    assert words in said


@pytest.mark.parametrize(
    "schedule", [{"name": "step", "step_epochs": 1}, {"name": "reduce_on_plateau", "patience": 1}]
)
def test_searches_may_stop_what_begins_as_a_longer_run(tmp_path, schedule):
    changes = {"searches": {"found": SEARCH}, "arms.b.settings.schedule": schedule}
    planned = planned_study(tmp_path, changes)
    assert planned.study.trained_arms("found") == ["a", "b"]


# --- a schedule of the user's own ------------------------------------------------------------------------------

OWN = {"name": "function", "file": "own.py", "function": "own"}


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "own.py"
    file.write_text("def own(progress, slope=1.0):\n    return 1 - slope * progress\n")
    return file


def test_the_content_of_a_function_is_part_of_the_settings_of_its_arms_alone(tmp_path, own_file):
    changes = {"arms.a.settings.schedule": OWN, "scales.demo.arms.a.schedule": {"slope": 0.5}}
    before = planned_study(tmp_path, changes, scale="demo")
    assert before.arms["a"].schedule.content_sha256 == sha256(own_file.read_bytes()).hexdigest()
    assert before.as_reported["a"].schedule.keywords == {}
    assert before.differences("a")[1:] == [f"schedule.slope: 0.5 for {MISSING}"]
    assert [schedule.keywords for schedule in own_functions({NAME: before})] == [{"slope": 0.5}]
    own_file.write_text(own_file.read_text() + "# an edit\n")
    after = planned_study(tmp_path, changes, scale="demo")
    assert [arm for arm in after.arms if after.arms[arm] != before.arms[arm]] == ["a"]
    assert after.digest != before.digest


@pytest.mark.usefixtures("own_file")
@pytest.mark.parametrize("scale", SCALES)
def test_a_fault_of_a_function_is_named_at_whichever_scale_it_is(tmp_path, scale):
    place = "arms.a.settings" if scale == "paper" else f"scales.{scale}.arms.a"
    changes = {"arms.a.settings.schedule": OWN, f"{place}.schedule": OWN | {"slope": 2.0}}
    assert refused(tmp_path, changes) == (
        f"{tmp_path}/{NAME}.yaml, arm a at {scale} scale: `schedule`: file own.py: own gives -0.002 at progress 0.501: "
        "should be finite and not negative"
    )


# --- data sets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "substitute", "dataset"),
    [
        ("paper", {}, "mnist"),
        ("demo", {}, "digits"),
        ("paper", {"mnist": "cifar10"}, "cifar10"),
        ("paper", {"digits": "cifar10"}, "mnist"),
        ("demo", {"digits": "cifar10"}, "cifar10"),
        ("demo", {"mnist": "cifar10"}, "digits"),
        ("demo", {"digits": "mine"}, "mine"),
        ("demo", {"digits": "mnist"}, "mnist"),
    ],
)
def test_data_are_put_in_the_place_of_others(tmp_path, scale, substitute, dataset):
    own = {"mine": "/data/mine"}
    planned = planned_study(tmp_path, scale=scale, substitute=substitute, image_folders=own)
    assert planned.datasets == {dataset}
    assert {settings.data.dataset for settings in planned.as_reported.values()} == {"mnist"}


def test_each_data_set_that_is_used_is_named_once(tmp_path):
    changes = {"arms.b.settings.data": {"dataset": "cifar10"}}
    assert planned_study(tmp_path, changes).datasets == {"mnist", "cifar10"}
    assert planned_study(tmp_path, changes, only=f"{NAME}/b").datasets == {"cifar10"}


@pytest.mark.parametrize(
    ("dataset", "train_images", "test_images"),
    [
        # Those that are made here have these sizes in tests/data/test_embedded_digits.py.
        ("mnist", 60_000, 10_000), ("cifar10", 50_000, 10_000), ("cifar100", 50_000, 10_000),
        ("digits", 1397, 400), ("moved-digits", 4000, 2000),
        ("photo-digits-10", 4000, 1000), ("photo-digits-100", 6000, 2000),
    ],
)  # fmt: skip
def test_more_images_than_there_are_are_refused(tmp_path, dataset, train_images, test_images):
    data = {"settings.data.dataset": dataset, "scales.demo": {}}
    all_of_them = {"settings.data.train_images": train_images, "settings.data.test_images": test_images}
    planned_study(tmp_path, data | all_of_them)
    for key, there_are in (("train_images", train_images), ("test_images", test_images)):
        assert refused(tmp_path, data | all_of_them | {f"settings.data.{key}": there_are + 1}) == (
            f"{tmp_path / NAME}.yaml, arm a at paper scale: `data.{key}`: {there_are + 1} images wanted, but "
            f"{dataset} has {there_are}: ask for fewer, or null for all"
        )


def test_how_many_there_are_is_of_the_data_that_are_used(tmp_path):
    message = refused(tmp_path, {"settings.data.train_images": 2000}, scale="demo")
    assert "arm a at demo scale: `data.train_images`: 2000 images wanted, but digits has 1397" in message
    message = refused(
        tmp_path,
        scale="paper",
        substitute={"mnist": "digits"},
        changes={"settings.data.train_images": 1398, "scales.demo": {}},
    )
    assert "arm a at paper scale: `data.train_images`: 1398 images wanted, but digits has 1397" in message


def test_what_the_user_substitutes_counts_at_the_scale_that_is_run_only(tmp_path):
    changes = {"settings.data.train_images": 2000, "scales.demo.settings.data.train_images": 1000}
    substitute = {"mnist": "digits", "digits": "moved-digits"}
    assert planned_study(tmp_path, changes, scale="demo", substitute=substitute).datasets == {"moved-digits"}


def test_images_in_a_folder_are_counted_later(tmp_path):
    changes = {"settings.data.dataset": "mine", "settings.data.train_images": 10**9, "scales.demo": {}}
    planned = planned_study(tmp_path, changes, image_folders={"mine": "/data/mine"})
    assert planned.arms["a"].data.train_images == 10**9


# --- selection -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by_user", "by_scale", "scale", "seeds"),
    [
        (None, None, "demo", 3), (None, 2, "demo", 2), (None, 2, "laptop", 3), (None, 2, "paper", 3),
        (5, 2, "demo", 5), (5, None, "paper", 5), (1, 2, "demo", 1),
        ({NAME: 5}, 2, "demo", 5), ({}, 2, "demo", 2), ({}, None, "paper", 3),
    ],
)  # fmt: skip
def test_seeds_are_the_users_or_the_scales_or_the_studys(tmp_path, by_user, by_scale, scale, seeds):
    planned = planned_study(tmp_path, {"scales.demo.seeds": by_scale}, seeds=by_user, scale=scale)
    assert planned.seeds == tuple(range(1, seeds + 1))


def test_seeds_of_one_study_are_not_those_of_another(tmp_path):
    write_study(tmp_path, name="first")
    write_study(tmp_path, name="second")
    plan = load_plan(Config(scale="paper", seeds={"second": 5}), tmp_path)
    assert {name: len(study.seeds) for name, study in plan.items()} == {"first": 3, "second": 5}


def test_seeds_of_an_unknown_study_are_refused(tmp_path):
    message = "config/config.yaml or --config: `seeds`: there is no study `smal` (did you mean `small`?)"
    assert refused(tmp_path, seeds={"smal": 3}).startswith(message)


def test_run_ids_go_arm_by_arm(tmp_path):
    assert planned_study(tmp_path, seeds=2).run_ids == [
        "small/a/seed-1", "small/a/seed-2", "small/b/seed-1", "small/b/seed-2", "small/c/seed-1", "small/c/seed-2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("only", "selected"),
    [
        (None, {"first": "abc", "second": "abc"}),
        ("first", {"first": "abc"}),
        ("second/b", {"second": "b"}),
        (["first", "second"], {"first": "abc", "second": "abc"}),
        (["second/c", "second/a"], {"second": "ac"}),
        (["second/c", "first", "second/c"], {"first": "abc", "second": "c"}),
        (["first/b", "first"], {"first": "abc"}),
        ("first/[bc]", {"first": "bc"}),
        (["second/?", "first/b*"], {"first": "b", "second": "abc"}),
    ],
)
def test_only_selects_studies_and_arms_in_the_order_of_the_files(tmp_path, only, selected):
    for name in ("second", "first"):
        write_study(tmp_path, name=name)
    plan = load_plan(Config(only=only), tmp_path)
    assert {name: "".join(study.arms) for name, study in plan.items()} == selected
    assert list(plan) == sorted(selected)
    assert all(list(study.at_scale) == list(study.as_reported) == [*"abc"] for study in plan.values())


@pytest.mark.parametrize(
    ("only", "message"),
    [
        ("smal", "there is no study `smal` (did you mean `small`?); valid: small"),
        ("x/a", "there is no study `x`; valid: small"),
        (["small", "other"], "there is no study `other`; valid: small"),
        ("small/z", "there is no arm of small `z`; valid: a, b, c"),
        ("small/z*", "there is no arm of small `z*`; valid: a, b, c"),
        ("small/a/seed-1", "there is no arm of small `a/seed-1`; valid: a, b, c"),
        ("", "there is no study ``; valid: small"),
    ],
)
def test_only_refuses_what_there_is_not(tmp_path, only, message):
    assert refused(tmp_path, only=only) == f"config/config.yaml or --config: `only`: {message}"


def test_studies_are_in_the_order_of_their_reports(tmp_path):
    for name, report in (("a", "002.txt"), ("b", "001.txt"), ("c", "001.txt")):
        write_study(tmp_path, {"report": report}, name)
    assert list(load_plan(Config(), tmp_path)) == ["b", "c", "a"]


@pytest.mark.parametrize(
    "name", [".#a.yaml", "._a.yaml", ".a.yml", "a.yaml~", "#a.yaml#", "a.yaml.bak", "notes.txt"]
)
def test_files_of_editors_and_systems_are_passed_over(tmp_path, name):
    write_study(tmp_path)
    before = list(load_plan(Config(), tmp_path))
    (tmp_path / name).write_bytes(b"\xff\0")
    assert list(load_plan(Config(), tmp_path)) == before


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.yml", "ends in .yaml"),
        ("A.YAML", "ends in .yaml"),
        ("a b.yaml", "lower-case letters and digits"),
        ("{a}.yaml", "lower-case letters and digits"),
        ("a.b.yaml", "lower-case letters and digits"),
        ("budgets (copy).yaml", "lower-case letters and digits"),
        ("a\udce9.yaml", "lower-case letters and digits"),
    ],
)
def test_what_could_be_meant_as_a_study_is_refused_by_name(tmp_path, name, words):
    write_study(tmp_path)
    (tmp_path / name).write_text("title: A")
    with pytest.raises(ConfigurationError, match="rename it, or move it away") as caught:
        load_plan(Config(), tmp_path)
    assert words in str(caught.value)
    str(caught.value).encode()


def test_a_folder_without_studies_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match=f"{tmp_path}: holds no study; add a YAML file"):
        load_plan(Config(), tmp_path)


# --- what is refused -------------------------------------------------------------------------------------------

PROBING = {"name": "loss_probing", "factors": []}
LONG = {"name": "cosine", "warm_up": {"name": "linear", "epochs": 4, "start": 0.1}}
STOPPING = {"monitor": "validation_loss", "patience": 0}
WRONG = [
    (
        "early_stopping",
        STOPPING,
        "`early_stopping.patience`: input should be greater than or equal to 1, not 0",
    ),
    (
        "schedule",
        {"name": "reduce_on_plateau", "patience": 0},
        "`schedule.patience`: input should be greater",
    ),
    ("schedule", PROBING, "`schedule.factors`: list should have at least 1 item"),
    ("schedule", LONG, "`schedule`: a warm-up of 4.0 epochs leaves nothing of a budget of 4; shorten it"),
    ("schedule", {"name": "cosinus"}, "`schedule`: there is no `cosinus` (did you mean `cosine`?); valid: "),
    (
        "data.dataset",
        "minst",
        "`data.dataset`: there is no data set `minst` (did you mean `mnist`?); valid: ",
    ),
    ("data.train_images", 70_000, "`data.train_images`: 70000 images wanted, but mnist has 60000"),
    ("batchsize", 3, "`batchsize` is not a key here (did you mean `batch_size`?)"),
    ("epochs", "4", "`epochs`: input should be a valid integer, not '4'"),
]
PLACES = [
    ("settings", "a", "paper"),
    ("arms.b.settings", "b", "paper"),
    ("scales.laptop.settings", "a", "laptop"),
    ("scales.laptop.arms.c", "c", "laptop"),
    ("scales.demo.arms.c", "c", "demo"),
]


@pytest.mark.parametrize(
    ("wrong", "place"), [*((wrong, PLACES[1]) for wrong in WRONG), *((WRONG[0], place) for place in PLACES)]
)
def test_what_is_wrong_is_refused_whatever_is_run(tmp_path, wrong, place):
    key, value, message = wrong
    layer, arm, scale = place
    for config in ({"scale": "laptop", "only": f"{NAME}/a"}, {"scale": "paper"}):
        found = refused(tmp_path, {f"{layer}.{key}": value}, **config)
        assert found.startswith(f"{tmp_path / NAME}.yaml, arm {arm} at {scale} scale: {message}")


def test_a_wrong_study_is_refused_beside_the_one_that_is_run(tmp_path):
    write_study(tmp_path, {"arms.b.settings.epochs": 0}, name="other")
    assert f"{tmp_path / 'other'}.yaml, arm b at paper scale: `epochs`" in refused(tmp_path, only=NAME)


@pytest.mark.parametrize(
    ("changes", "config", "place"),
    [
        ({}, {"substitute": {"digist": "mnist"}}, "config/config.yaml or --config: `substitute`"),
        ({}, {"substitute": {"mnist": "digist"}}, "config/config.yaml or --config: `substitute`"),
        ({"scales.demo.substitute": {"digist": "mnist"}}, {}, "{file}: `scales.demo.substitute`"),
        ({"scales.laptop.substitute": {"mnist": "digist"}}, {}, "{file}: `scales.laptop.substitute`"),
    ],
)
def test_unknown_data_sets_are_refused_where_they_are_named(tmp_path, changes, config, place):
    message = "there is no data set `digist` (did you mean `digits`?); valid: cifar10, cifar100, digits, mine, mnist"
    found = refused(tmp_path, changes, image_folders={"mine": "/data/mine"}, **config)
    assert found.startswith(f"{place.format(file=tmp_path / f'{NAME}.yaml')}: {message}")


def test_a_schedule_should_fit_the_share_of_the_budget(tmp_path):
    warm = {"name": "linear", "warm_up": {"name": "linear", "epochs": 2, "start": 0.1}}
    changes = {"arms.b.settings": {"schedule": warm, "budget_percent": 75}}
    assert settings_of(tmp_path, "b", changes).budget_epochs == 3
    found = refused(tmp_path, changes | {"arms.b.settings": {"schedule": warm, "budget_percent": 50}})
    assert (
        "arm b at paper scale: `schedule`: a warm-up of 2.0 epochs leaves nothing of a budget of 2" in found
    )


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"name": "cosine"}, "the schedule cosine has no cycles: take one that has (exp_range, "),
        ({"name": "reduce_on_plateau", "patience": 2}, "the schedule reduce_on_plateau has no cycles"),
        (
            {"name": "sgdr", "first_cycle_epochs": 5},
            "no cycle ends within the budget of 4 epochs: shorten the cycles",
        ),
    ],
)
def test_early_stopping_at_the_ends_of_cycles_needs_cycles(tmp_path, schedule, message):
    stopping = {"monitor": "validation_loss", "patience": 1, "judged": "cycle_ends"}
    found = refused(tmp_path, {"arms.b.settings": {"schedule": schedule, "early_stopping": stopping}})
    place = f"{tmp_path / NAME}.yaml, arm b at paper scale: `early_stopping.judged`: "
    assert found.startswith(place + message)
    assert found.endswith(", or judge every_epoch")
    settings_of(
        tmp_path,
        "b",
        {
            "arms.b.settings": {
                "schedule": {"name": "sgdr", "first_cycle_epochs": 4},
                "early_stopping": stopping,
            }
        },
    )


def test_a_warm_up_that_leaves_a_step_is_fine(tmp_path):
    changes = {
        "settings.schedule": LONG | {"warm_up": LONG["warm_up"] | {"epochs": 3.999}},
        "arms": {"a": {"title": "A"}},
    }
    assert settings_of(tmp_path, "a", changes).schedule.warm_up.epochs == 3.999


# --- differences and digest ------------------------------------------------------------------------------------

SHORTER_STEP = {"schedule": {"step_epochs": 1.5}}
COLUMN = {"heading": "Epochs", "measure": "epochs"}
SMALLER = {
    "scales.demo": {
        "settings": {"data": {"train_images": 100}, "epochs": 2},
        "substitute": {"mnist": "digits"},
    }
}


@pytest.mark.parametrize(
    ("changes", "arm", "differences"),
    [
        ({"scales.demo": {}}, "a", []),
        ({"scales.demo": {"seeds": 1}}, "a", []),
        ({"scales.demo": {"settings": {"epochs": 4}}}, "a", []),
        ({"scales.demo": {"settings": {"evaluate_test": "every_epoch", "record_every_step": True}}}, "a", []),
        ({"scales.demo": {"settings": {"precision": "bfloat16"}}}, "a", ["precision: bfloat16 for float32"]),
        (SMALLER, "a", ["data.dataset: digits for mnist", "data.train_images: 100 for 1000", "epochs: 2 for 4"]),
        ({"scales.demo": {"settings": {"data": {"test_images": None}}}}, "a", ["data.test_images: – for 400"]),
        ({"scales.demo": {"arms": {"c": SHORTER_STEP}}}, "c", ["schedule.step_epochs: 1.5 for 2.0"]),
        ({"scales.demo": {"arms": {"c": SHORTER_STEP}}}, "b", []),
        (
            {"scales.demo": {"arms": {"b": {"schedule": {"name": "linear"}}}}}, "b",
            ["schedule.final: 0.0 for 0.5", "schedule.name: linear for cosine"],
        ),
        (
            {"scales.demo": {"settings": {"early_stopping": {"monitor": "validation_loss", "patience": 3}}}}, "a",
            [
                "early_stopping.judged: every_epoch for –",
                "early_stopping.minimum_delta: 0.0 for –",
                "early_stopping.monitor: validation_loss for –",
                "early_stopping.name: patience for –",
                "early_stopping.patience: 3 for –",
                "early_stopping.restore_best: False for –",
            ],
        ),
    ],
)  # fmt: skip
def test_what_differs_from_the_report_is_named(tmp_path, changes, arm, differences):
    assert planned_study(tmp_path, changes, scale="demo").differences(arm) == differences
    assert planned_study(tmp_path, changes, scale="paper").differences(arm) == []


def test_what_the_user_puts_in_the_place_of_data_differs_too(tmp_path):
    planned = planned_study(tmp_path, substitute={"mnist": "digits"})
    assert planned.differences("a") == ["data.dataset: digits for mnist"]


@pytest.mark.parametrize(
    ("changes", "config"),
    [
        ({"title": "Other"}, {}),
        ({"report": "other.txt"}, {}),
        ({"arms.a.title": "Other"}, {}),
        ({"settings.epochs": 5}, {}),
        ({"arms.b.settings.schedule.final": 0.25}, {}),
        ({"statements.0.readings.0.expected": 0.25}, {}),
        ({"statements": stated(VALUE, ORDER)}, {}),
        ({"tables": [{"id": "t", "title": "T", "arms": ["a"], "columns": [COLUMN]}]}, {}),
        ({}, {"seeds": 4}),
        ({}, {"scale": "laptop"}),
        ({}, {"only": f"{NAME}/a"}),
        ({}, {"substitute": {"mnist": "cifar10"}}),
    ],
)  # fmt: skip
def test_the_digest_changes_with_what_matters(tmp_path, changes, config):
    assert planned_study(tmp_path).digest != planned_study(tmp_path, changes, **config).digest


@pytest.mark.parametrize(
    "config",
    [
        {"device": "cpu"},
        {"data_dir": "/data"},
        {"attempts": 9},
        {"image_folders": {"mine": "/data/mine"}},
        {"substitute": {"cifar10": "cifar100"}},
        {"seeds": 3},
        {"only": NAME},
    ],
)
def test_the_digest_stays_with_what_does_not(tmp_path, config):
    assert planned_study(tmp_path).digest == planned_study(tmp_path, **config).digest


def test_the_digest_stays_with_comments_layout_and_other_studies(tmp_path):
    before = planned_study(tmp_path).digest
    file = write_study(tmp_path)
    file.write_text(
        "# A comment.\n" + yaml.safe_dump(STUDY, sort_keys=False, default_flow_style=True, width=60)
    )
    write_study(tmp_path, {"title": "Another"}, name="other")
    assert load_plan(Config(scale="paper"), tmp_path)[NAME].digest == before
