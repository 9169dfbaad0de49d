"""Which results each piece of this project's code concerns: those that depend on it, and no others."""

import ast
import functools
import re
import shutil

import pytest

from edits import edited
from places import PACKAGE, ROOT, SCRIPTS
from replication.data import DATASETS
from replication.runs import provenance
from replication.runs.plan import load_plan
from replication.runs.provenance import registry_choices
from replication.runs.same_code import TRAINING
from replication.settings.config import Config
from replication.settings.schedule import PureSchedule
from replication.system import code_digest as digests
from replication.system.code_digest import code_digest, reached_definitions


def file_of(module):
    path = PACKAGE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@pytest.fixture(scope="module")
def arms():
    """Return the settings of every arm of the project's studies, as reported."""
    plan = load_plan(Config(scale="paper"), ROOT / "config" / "studies")
    return {f"{name}/{arm}": settings for name, study in plan.items() for arm, settings in study.arms.items()}


def digests_of_runs(entry, arms):
    return {arm: code_digest(entry, registry_choices(settings)) for arm, settings in arms.items()}


def training_of(scripts):
    """Return what in a copy of the package beside these scripts is `TRAINING`."""
    return scripts.parent / "replication" / TRAINING.relative_to(PACKAGE)


@pytest.fixture(scope="module")
def untouched(arms):
    return digests_of_runs(TRAINING, arms)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """Return a function that copies the package and its scripts with edits, and gives the folder of scripts."""

    def copy(*edits):
        shutil.copytree(PACKAGE, tmp_path / "replication", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copytree(SCRIPTS, tmp_path / "scripts")
        for file, old, new in edits:
            path = tmp_path / "replication" / file
            path.write_text(edited(path.read_text(encoding="utf-8"), old, new), encoding="utf-8")
        monkeypatch.setattr(digests, "PACKAGE", tmp_path / "replication")
        return tmp_path / "scripts"

    return copy


def named(*names):
    return lambda settings: settings.schedule.name in names


def planned(settings):
    return isinstance(settings.schedule, PureSchedule)


def sampled(settings):
    """Read from a curve, if only that of the cycles after a range test."""
    return planned(settings) or settings.schedule.name == "range_tested"


def straight(settings):
    """Linear somewhere: in the whole, in a warm-up, in the phases of a cycle, or in a range test's rise."""
    schedule = settings.schedule
    warm_up = getattr(schedule, "warm_up", None)
    names = {schedule.name, warm_up.name if warm_up else "", getattr(schedule, "annealing", "")}
    return not names.isdisjoint({"linear", "range_test", "range_tested"})


def normalises_by(name):
    return lambda settings: getattr(settings.schedule, "normalisation", None) == name


def of_model(*names):
    return lambda settings: settings.model.name in names


def stopped_by(*names):
    return lambda settings: settings.early_stopping is not None and settings.early_stopping.name in names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "old", "new", "concerns"),
    [
        ("schedules/profiles.py", "math.cos(", "1.0 * math.cos(", named("cosine", "sgdr")),
        (
            "training/controllers/loss_probing.py",
            "math.exp((min(",
            "math.exp(2 * (min(",
            named("loss_probing"),
        ),
        ("training/models/resnet18.py", "kernel_size=7", "kernel_size=5", of_model("resnet18")),
        ("training/evaluation.py", "EVALUATION_BATCH = 128", "EVALUATION_BATCH = 64", lambda _: True),
    ],
)
def test_an_edit_concerns_the_runs_that_use_it(copied, arms, untouched, file, old, new, concerns):
    changed = digests_of_runs(training_of(copied((file, old, new))), arms)
    expected = {arm for arm, settings in arms.items() if concerns(settings)}
    assert {arm for arm in arms if changed[arm] != untouched[arm]} == expected
    assert expected


@pytest.mark.parametrize(
    ("module", "name", "concerns"),
    [
        ("schedules.profiles", "linear", straight),
        ("schedules.profiles", "rex", named("rex")),
        ("schedules.decay", "exponential_decay", named("exponential")),
        # An exponential decay by a staircase is a step decay.
        ("schedules.decay", "step_decay", named("step", "exponential")),
        ("schedules.one_cycle", "one_cycle_rate", named("one_cycle")),
        ("schedules.sampling", "every_epoch", sampled),
        ("training.controllers.planned", "PlannedRate", planned),
        ("training.controllers.plateau", "PlateauRate", named("reduce_on_plateau")),
        ("training.controllers.range_tested", "RangeTestedRate", named("range_tested")),
        ("schedules.range_test", "suggest_range", named("range_tested")),
        ("training.models.resnet_cifar", "_ResNetCifar", of_model("resnet20", "resnet38")),
        ("training.controllers.loss_probing", "_min_max", normalises_by("min_max")),
        ("training.controllers.loss_probing", "_z_score", normalises_by("z_score")),
        ("training.controllers.beam_search", "training_loss", named("beam_search")),
        ("training.controllers.hypergradient", "_adam_direction", named("hypergradient")),
        ("training.controllers.newton", "NewtonRate", named("newton")),
        ("training.policy", "Policy", named("reinforcement_learned")),
        ("training.optimizers", "_sgd", lambda settings: settings.optimizer.name == "sgd"),
        (
            "training.optimizers",
            "_schedule_free_sgd",
            lambda settings: settings.optimizer.name == "schedule_free_sgd",
        ),
        ("training.models.mnist_cnn", "FILTERS", of_model("mnist-cnn")),
        ("training.models.resnet18", "_with_width", of_model("resnet18")),
        ("training.early_stopping", "Stopper", stopped_by("patience")),
        (
            "training.prechelt",
            "GeneralisationLossStopper",
            stopped_by("generalisation_loss", "progress_quotient"),
        ),
        ("schedules.decay", "inverse_power", named("inverse_power")),
        ("schedules.fractal", "fractal_order", named("fractal")),
        ("schedules.own_function", "_multiplier", named("function")),
        ("training.batches", "crop_and_flip", lambda _: True),
        ("training.randomness", "stream_seed", lambda _: True),
        ("data.dataset", "read_dataset", lambda _: True),
        ("system.files", "whole_file", lambda _: True),
        ("analysis.verdicts", "judge", named()),
        ("runs.plan", "load_plan", named()),
        ("schedules.examples", "EXAMPLES", named()),
        ("data.registry", "DATASETS", named()),
    ],
)
def test_a_run_depends_on_what_it_uses(arms, module, name, concerns):
    assert re.search(rf"^(def |class )?{name}\b", file_of(module).read_text(encoding="utf-8"), re.MULTILINE)
    choices = {arm: tuple(sorted(registry_choices(settings).items())) for arm, settings in arms.items()}
    reached = {arm: reached_definitions(TRAINING, choices[arm]) for arm in arms}
    found = {arm for arm in arms if (f"replication.{module}", name) in reached[arm]}
    assert found == {arm for arm, settings in arms.items() if concerns(settings)}


@pytest.mark.slow
def test_an_edit_of_what_comes_before_or_after_training_concerns_no_run(copied, arms, untouched):
    scripts = copied(
        ("analysis/verdicts.py", "LOOK_LEVEL = 0.004", "LOOK_LEVEL = 0.05"),
        ("analysis/study_tables.py", "1 - record", "2 - record"),
        ("analysis/events.py", "risen = False", "risen = True"),
        ("analysis/intervals.py", "(1 + level) / 2", "(2 + level) / 2"),
        ("report/figures.py", "import base64", "import base64 as b64"),
        ("runs/plan.py", "NOMINAL_STEPS_PER_EPOCH = 1000", "NOMINAL_STEPS_PER_EPOCH = 100"),
        ("data/mnist.py", "UNSIGNED_BYTES = 0x08", "UNSIGNED_BYTES = 0x09"),
        ("data/downloading.py", "FIRST_PAUSE_SECONDS = ", "FIRST_PAUSE_SECONDS = 1 + "),
        ("settings/run.py", "default=0.999", "default=0.99"),
        ("settings/validation.py", "n=1", "n=2"),
        ("schedules/examples.py", "STEPS_PER_EPOCH = 100", "STEPS_PER_EPOCH = 10"),
    )
    assert digests_of_runs(training_of(scripts), arms) == untouched


def test_runs_of_different_parts_have_different_digests(arms, untouched):
    by_parts = {str(registry_choices(settings)): untouched[arm] for arm, settings in arms.items()}
    assert len(set(by_parts.values())) == len(by_parts) == len(set(untouched.values()))


@pytest.mark.parametrize(
    ("script", "file", "old", "new", "names"),
    [
        ("prepare.py", "data/mnist.py", "UNSIGNED_BYTES = 0x08", "UNSIGNED_BYTES = 0x09", {"mnist"}),
        ("prepare.py", "data/cifar.py", 'labels_key="labels"', 'labels_key="label"', {"cifar10"}),
        ("prepare.py", "data/photo_digits.py", "SEED = 2015", "SEED = 2016", {"photo-digits-10", "photo-digits-100"}),
        ("download.py", "data/registry.py", "googleapis.com/cvdf", "example.org/cvdf", {"mnist"}),
    ],
)  # fmt: skip
def test_an_edit_concerns_the_data_sets_that_use_it(copied, script, file, old, new, names):
    chosen = {name: {"data.registry.DATASETS": name} for name in [*DATASETS, "mine"]}
    before = {name: code_digest(SCRIPTS / script, chosen[name]) for name in chosen}
    scripts = copied((file, old, new))
    after = {name: code_digest(scripts / script, chosen[name]) for name in chosen}
    assert {name for name in chosen if after[name] != before[name]} == names


@pytest.mark.parametrize(
    ("file", "old", "new", "is_a_rule"),
    [
        ("analysis/verdicts.py", "LOOK_LEVEL = 0.004", "LOOK_LEVEL = 0.05", True),
        ("analysis/events.py", "risen = False", "risen = True", True),
        ("analysis/comparisons.py", "error_rate / (count - rank)", "error_rate / count", True),
        ("analysis/kinds_of_evidence.py", "if trained != behind", "if trained == behind", True),
        ("analysis/recommendations.py", "ERROR_RATE = 0.05", "ERROR_RATE = 0.01", False),
        ("data/cifar.py", 'labels_key="labels"', 'labels_key="label"', False),
        ("schedules/decay.py", "+ float(time)), power", "+ float(time)), 2 * power", False),
    ],
)  # fmt: skip
def test_the_rules_are_what_judges_and_nothing_else(copied, monkeypatch, file, old, new, is_a_rule):
    before = provenance.rules_digest.__wrapped__()
    scripts = copied((file, old, new))
    monkeypatch.setattr(provenance, "PACKAGE", scripts.parent / "replication")
    assert (provenance.rules_digest.__wrapped__() != before) == is_a_rule


@pytest.mark.parametrize(
    ("script", "module", "name"),
    [
        ("combine.py", "system.tables", "read_table"),
        ("download.py", "data.downloading", "fetch"),
        ("execute_notebook.py", "report.figures", "curves"),
        ("execute_notebook.py", "report.figures", "show"),
        ("prepare.py", "data.image_folder", "build_image_folder"),
        ("prepare.py", "data.photo_digits", "build_photo_digits"),
        ("report.py", "report.formatting", "format_value"),
        ("schedules.py", "schedules.examples", "EXAMPLES"),
        ("schedules.py", "schedules.profiles", "rex"),
        ("study_tables.py", "analysis.comparisons", "holm"),
        ("study_tables.py", "analysis.study_tables", "summarise"),
        ("study_tables.py", "analysis.verdicts", "judge"),
        ("train.py", "data.dataset", "read_dataset"),
        ("train.py", "training.models.resnet18", "_with_width"),
        ("train.py", "training.early_stopping", "Stopper"),
        ("train.py", "training.randomness", "stream_seed"),
    ],
)
def test_scripts_reach_what_they_call(script, module, name):
    assert (f"replication.{module}", name) in reached_definitions(SCRIPTS / script)


@functools.cache
def registry_keys(registry):
    """Return the keys of the one dictionary display that a registry should be."""
    module, _, name = registry.rpartition(".")
    tree = ast.parse(file_of(module).read_text(encoding="utf-8"))
    assigned = [
        node.value
        for node in tree.body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name) and target.id == name
    ]
    assert [type(value) for value in assigned] == [ast.Dict]
    return {ast.literal_eval(key) for key in assigned[0].keys}


def test_every_registry_that_a_run_chooses_from_has_what_it_chooses(arms):
    for settings in arms.values():
        choices = registry_choices(settings)
        for registry, key in choices.items():
            expected = "one_cycle" if registry.endswith("MOMENTUM_CURVES") else key
            assert expected in registry_keys(registry) | {""}


def test_every_registry_that_a_rule_chooses_from_exists():
    rules = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow" / "rules").glob("*.smk"))
    registries = set(re.findall(r'"([a-z_.]+\.[A-Z_]+)":', rules))
    assert "data.registry.DATASETS" in registries
    assert all(registry_keys(registry) for registry in registries)
