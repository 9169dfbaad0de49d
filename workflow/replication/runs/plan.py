"""What is to be run: studies, arms and seeds, resolved for a scale and checked before any job starts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import filter as matching
from functools import cached_property
from pathlib import Path
from typing import Any

from replication import data, schedules
from replication.errors import ConfigurationError
from replication.runs.results import run_identity
from replication.settings.arm import merge
from replication.settings.claims import IDENTIFIER
from replication.settings.config import CONFIG_PLACE, Config, config_of
from replication.settings.run import RunSettings
from replication.settings.schedule import OwnFunction, PureSchedule, RangeTest
from replication.settings.study import Scale, Study
from replication.settings.validation import unknown_name, validate
from replication.settings.yaml_file import read_yaml
from replication.system.digests import canonical_json, digest_of_text
from replication.system.files import visible_files
from replication.system.missing import or_missing
from replication.system.user_paths import shown, user_path
from replication.training.averaged_epochs import averaged_epochs
from replication.training.early_stopping import build_stopper

STUDIES = Path("config/studies")
SUFFIX = ".yaml"
# For a first check of schedules and early stopping. The trainer checks again with the real number: it depends on the
# data.
NOMINAL_STEPS_PER_EPOCH = 1000
# In the order in which they are checked: what is wrong in the report's own settings is said of these.
SCALES: tuple[Scale, ...] = ("paper", "laptop", "demo")


@dataclass(frozen=True)
class PlannedStudy:
    """A study at one scale: the seeds, and the settings of its runs.

    Attributes
    ----------
    arms
        The selected arms, which are run.
    at_scale
        All arms that the study trains at this scale, selected or not: what is known of their settings does not depend
        on what is run.
    as_reported
        The same arms with the report's settings.
    """

    name: str
    file: Path
    study: Study
    scale: Scale
    seeds: tuple[int, ...]
    arms: dict[str, RunSettings]
    at_scale: dict[str, RunSettings]
    as_reported: dict[str, RunSettings]

    @cached_property
    def run_ids(self) -> list[str]:
        """Identities of all runs, `study/arm/seed-n`, arm by arm."""
        return [run_identity(self.name, arm, seed) for arm in self.arms for seed in self.seeds]

    @property
    def datasets(self) -> set[str]:
        """Names of the data sets that the runs use."""
        return {settings.data.dataset for settings in self.arms.values()}

    @cached_property
    def left_out(self) -> frozenset[str]:
        """The arms of the study, derived ones included, that its file leaves out at this scale."""
        return self.study.left_out(self.scale)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything here: the study's file, and what its arms resolve to."""
        settings = {arm: each.model_dump(mode="json") for arm, each in self.at_scale.items()}
        parts = [
            self.name,
            self.study.model_dump(mode="json"),
            self.scale,
            self.seeds,
            settings,
            [*self.arms],
        ]
        return digest_of_text(canonical_json(parts))

    def differences(self, arm: str) -> list[str]:
        """Return how the settings of `arm`, selected or not, differ from the report's, as `key: ours for reported`.

        The data set comes first, as `data.dataset`, if it is another one.
        """
        ours = _flat(self.at_scale[arm].model_dump(mode="json"))
        reported = _flat(self.as_reported[arm].model_dump(mode="json"))
        keys = sorted(ours.keys() | reported.keys(), key=lambda key: (key != "data.dataset", key))
        return [
            f"{key}: {or_missing(ours.get(key))} for {or_missing(reported.get(key))}"
            for key in keys
            if key not in _WITHOUT_EFFECT and ours.get(key) != reported.get(key)
        ]


# Settings that decide what is recorded, not what is computed.
_WITHOUT_EFFECT = frozenset({"evaluate_test", "record_every_step", "snapshot_epochs"})


def _flat(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def load_plan(config: Config, folder: str | Path) -> dict[str, PlannedStudy]:
    """Resolve the studies of `folder` (one YAML file each) for `config`, in the order of their reports.

    Raises
    ------
    ConfigurationError
        A key, name or value of a study file or of `config` is wrong, at whichever scale it would be used.
    """
    files = _study_files(Path(folder))
    studies = {file.stem: validate(Study, read_yaml(file), str(file)) for file in files}
    if not studies:
        raise ConfigurationError(f"{folder}: holds no study; add a YAML file (see config/README.md)")
    data.check_names(config, CONFIG_PLACE)
    _check_substitutes(config.substitute, f"{CONFIG_PLACE}: `substitute`", config)
    if isinstance(config.seeds, dict):
        for name in config.seeds:
            if name not in studies:
                raise ConfigurationError(f"{CONFIG_PLACE}: `seeds`: {unknown_name('study', name, studies)}")
    _check_selection(config, studies)
    planned = [_resolve(file, studies[file.stem], config) for file in files]
    in_order = sorted(planned, key=lambda study: (study.study.report, study.name))
    return {study.name: study for study in in_order if study.arms or config.selected is None}


def _study_files(folder: Path) -> list[Path]:
    """Return the files of the studies; what could be meant as one is refused rather than passed over."""
    user_path(folder, "", "folder")
    files = visible_files(folder, "*")
    for file in files:
        if file.suffix != SUFFIX and file.suffix.lower() in (SUFFIX, ".yml"):
            raise ConfigurationError(
                f"{shown(file)}: the name of a study's file ends in {SUFFIX}: rename it, or move it away"
            )
    found = [file for file in files if file.suffix == SUFFIX]
    for file in found:
        if not re.fullmatch(IDENTIFIER, file.stem):
            raise ConfigurationError(
                f"{shown(file)}: the name of a study's file, which is that of the study, is made of lower-case "
                "letters and digits, joined by hyphens: rename it, or move it away"
            )
    return found


def plan_of(config: Mapping[str, Any]) -> dict[str, PlannedStudy]:
    """Resolve the studies for a configuration as Snakemake hands it to a script."""
    return load_plan(config_of(config), STUDIES)


def plan_of_study(config: Mapping[str, Any], study: str) -> PlannedStudy:
    """Resolve one study for a configuration as Snakemake hands it to a script."""
    file = Path(STUDIES, f"{study}{SUFFIX}")
    return _resolve(file, validate(Study, read_yaml(file), str(file)), config_of(config))


def own_functions(plan: Mapping[str, PlannedStudy]) -> list[OwnFunction]:
    """Return the schedules of the user's own that the selected arms of a plan use."""
    used = [settings.schedule for planned in plan.values() for settings in planned.arms.values()]
    return [schedule for schedule in used if isinstance(schedule, OwnFunction)]


def _check_substitutes(substitute: Mapping[str, str], place: str, config: Config) -> None:
    known = data.known_datasets(config)
    for name in [*substitute, *substitute.values()]:
        if name not in known:
            raise ConfigurationError(f"{place}: {unknown_name('data set', name, known)}")


def _check_selection(config: Config, studies: Mapping[str, Study]) -> None:
    """Refuse what `only` names, if there is no such study or arm, or not at this scale."""
    for name, _, arm in _selected(config):
        if name not in studies:
            raise ConfigurationError(f"{CONFIG_PLACE}: `only`: {unknown_name('study', name, studies)}")
        named = matching(studies[name].arms, arm or "*")
        if not named:
            raise ConfigurationError(
                f"{CONFIG_PLACE}: `only`: {unknown_name(f'arm of {name}', arm, studies[name].arms)}"
            )
        if not {*named} & {*studies[name].arms_at(config.scale)}:
            raise ConfigurationError(
                f"{CONFIG_PLACE}: `only`: {name} leaves out `{arm}` at {config.scale} scale, as "
                f"`scales.{config.scale}.only` of its file says: take another scale or arm"
            )


def _selected(config: Config) -> list[tuple[str, str, str]]:
    """Return what `only` names: study, slash and arm, of which the latter two may be empty."""
    return [item.partition("/") for item in config.selected or ()]


def _selected_arms(config: Config, name: str, study: Study) -> list[str]:
    """Return the arms of a study that are trained at this scale, and that `only` selects."""
    trained = study.arms_at(config.scale)
    if config.selected is None:
        return trained
    patterns = [arm or "*" for selected, _, arm in _selected(config) if selected == name]
    arms = {arm for pattern in patterns for arm in matching(study.arms, pattern)}
    return [arm for arm in trained if arm in arms]


def _resolve(file: Path, study: Study, config: Config) -> PlannedStudy:
    # Every scale of every arm is checked, selected or not: an error in a file is shown whatever is run.
    for scale in SCALES:
        _check_substitutes(study.overrides(scale).substitute, f"{file}: `scales.{scale}.substitute`", config)
    trained = {scale: study.arms_at(scale) for scale in SCALES}
    resolved = {
        scale: {arm: _arm_settings(file, study, arm, scale, config) for arm in trained[scale]}
        for scale in SCALES
    }
    for scale in SCALES:
        _check_searches(study, resolved[scale], f"{file} at {scale} scale")
    overrides = study.overrides(config.scale)
    seeds = config.seeds_of(file.stem) or overrides.seeds or study.seeds
    at_scale = {
        arm: _substituted(settings, overrides.substitute, config.substitute)
        for arm, settings in resolved[config.scale].items()
    }
    return PlannedStudy(
        name=file.stem,
        file=file,
        study=study,
        scale=config.scale,
        seeds=tuple(range(1, seeds + 1)),
        arms={arm: at_scale[arm] for arm in _selected_arms(config, file.stem, study)},
        at_scale=at_scale,
        as_reported={arm: resolved["paper"][arm] for arm in at_scale},
    )


def _arm_settings(file: Path, study: Study, arm: str, scale: Scale, config: Config) -> RunSettings:
    """Return the settings of an arm on the report's data, checked for the data that take their place."""
    overrides = study.overrides(scale)
    layers = (overrides.settings, study.arms[arm].settings, overrides.arms.get(arm, {}))
    raw = study.settings
    for layer in layers:
        raw = merge(raw, layer)
    place = f"{file}, arm {arm} at {scale} scale"
    settings = _with_own_function(validate(RunSettings, raw, place), place)
    by_user = config.substitute if scale == config.scale else {}
    _check_data(_substituted(settings, overrides.substitute, by_user), config, place)
    _check_schedule(settings, place)
    _check_early_stopping(settings, place)
    _check_averaging(settings, place)
    return settings


def _check_searches(study: Study, arms: Mapping[str, RunSettings], place: str) -> None:
    """Refuse searches that compare arms of several budgets, or stop one early whose schedule would then be another."""
    for name, search in study.searches.items():
        settings = {arm: arms[arm] for arm in search.arms if arm in arms}
        budgets = {each.budget_epochs for each in settings.values()}
        if len(budgets) > 1:
            raise ConfigurationError(
                f"{place}: `searches.{name}`: its arms have budgets of {', '.join(map(str, sorted(budgets)))} epochs: "
                "give them the same"
            )
        for arm, each in settings.items():
            if search.method == "successive_halving" and not _begins_alike(each):
                raise ConfigurationError(
                    f"{place}: `searches.{name}`: successive halving stops arms early, and the schedule of {arm} "
                    "depends on its budget: take one that does not, as constant"
                )


def _begins_alike(settings: RunSettings) -> bool:
    """Return whether the rate of a run is what that of the beginning of a longer run is."""
    if not isinstance(settings.schedule, PureSchedule):
        return True  # it follows from what the run has seen
    budget, steps = settings.budget_epochs, NOMINAL_STEPS_PER_EPOCH
    ours, longer = (
        schedules.build(settings.schedule, steps, epochs).learning_rate for epochs in (budget, 2 * budget)
    )
    return all(ours(step) == longer(step) for step in range(0, budget * steps, max(1, steps // 10)))


def _substituted(
    settings: RunSettings, by_scale: Mapping[str, str], by_user: Mapping[str, str]
) -> RunSettings:
    """Replace the report's data by those of the scale, and these by the user's.

    A study whose scale has other data than the report is thus not given the user's copy of the report's.
    """
    usual = by_scale.get(settings.data.dataset, settings.data.dataset)
    name = by_user.get(usual, usual)
    return settings.model_copy(update={"data": settings.data.model_copy(update={"dataset": name})})


def _check_data(settings: RunSettings, config: Config, place: str) -> None:
    wanted = settings.data
    known = data.known_datasets(config)
    if wanted.dataset not in known:
        raise ConfigurationError(
            f"{place}: `data.dataset`: {unknown_name('data set', wanted.dataset, known)}"
        )
    if wanted.dataset in config.image_folders:
        return  # how many images there are is known once it is prepared, and then the trainer checks
    shape = data.DATASETS[wanted.dataset].shape
    for key in ("train_images", "test_images"):
        count, there_are = getattr(wanted, key), getattr(shape, key)
        if count is not None and count > there_are:
            raise ConfigurationError(
                f"{place}: `data.{key}`: {count} images wanted, but {wanted.dataset} has {there_are}: "
                "ask for fewer, or null for all"
            )


def _with_own_function(settings: RunSettings, place: str) -> RunSettings:
    """Check a function of the user's own, and return settings that say which content its file has."""
    if not isinstance(settings.schedule, OwnFunction):
        return settings
    try:
        return settings.model_copy(update={"schedule": schedules.checked(settings.schedule)})
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: `schedule`: {error}") from None


def _check_schedule(settings: RunSettings, place: str) -> None:
    if isinstance(settings.schedule, RangeTest) and not settings.record_every_step:
        raise ConfigurationError(
            f"{place}: `record_every_step`: should be true where the schedule is range_test: "
            "its steps are what it is for"
        )
    if not isinstance(settings.schedule, PureSchedule):
        return
    try:
        schedules.build(settings.schedule, NOMINAL_STEPS_PER_EPOCH, settings.budget_epochs)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: `schedule`: {error}") from None


def _check_early_stopping(settings: RunSettings, place: str) -> None:
    try:
        build_stopper(settings, NOMINAL_STEPS_PER_EPOCH)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: `early_stopping.judged`: {error}, or judge every_epoch") from None


def _check_averaging(settings: RunSettings, place: str) -> None:
    try:
        averaged_epochs(settings, NOMINAL_STEPS_PER_EPOCH)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}: `averaging`: {error}") from None
