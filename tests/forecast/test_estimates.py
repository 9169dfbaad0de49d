from dataclasses import replace
from types import SimpleNamespace

import pandas as pd
import pytest

from made_runs import made_dataset, write_made_dataset
from replication.data.recipes import Shape
from replication.errors import ConfigurationError
from replication.forecast import costs
from replication.forecast import estimates as module
from replication.forecast.costs import Cost, JobStart, kind_of, measure, visible_gpus
from replication.forecast.estimates import (
    Machine,
    actual_seconds,
    alone,
    fitting_seeds,
    forecast,
    forecasts,
    shape_of,
    size_of,
    wall_hours,
    what_is_left,
)
from replication.runs.forks.client import OFF, VARIABLE
from replication.settings.study import MOST_SEEDS
from study_results import planned_study
from support import run_settings, schedule_of

SHAPE = Shape(train_images=100, test_images=30, pixels=(28, 28, 1), classes=3)
COST = Cost(
    start_seconds=10, step_seconds=0.5, probe_seconds=4, image_seconds=0.01, memory_mb=300, weights_mb=2
)


def rows_of(*seconds, runs=2):
    hours = [runs * each / 3600 for each in seconds]
    return pd.DataFrame({"seconds": seconds, "hours": hours, "runs": runs})


def test_the_work_of_a_run_is_counted():
    settings = run_settings(epochs=4, data={"train_images": 50, "validation_fraction": 0.2})
    size = size_of(settings, SHAPE)
    assert (size.epochs, size.steps, size.probes) == (4, 4 * 3, 0)  # 40 images in batches of 16
    assert size.evaluated == 4 * 10 + 2 * 30
    assert size.images == 80
    assert size.predictions == 4 * 10 + 2 * 30


def test_a_share_of_the_budget_costs_its_share():
    for changes in ({}, {"schedule": schedule_of("loss_probing"), "evaluate_test": "every_epoch"}):
        share = size_of(run_settings(epochs=20, budget_percent=10, **changes), SHAPE)
        assert share == size_of(run_settings(epochs=2, **changes), SHAPE)


def test_runs_with_other_shares_of_the_budget_are_of_one_kind():
    kinds = {kind_of(run_settings(epochs=20, budget_percent=share), SHAPE) for share in (1, 50, 100)}
    assert len(kinds) == 1


def test_tests_after_every_epoch_and_probes_are_counted():
    probing = schedule_of("loss_probing", interval_epochs=3)
    size = size_of(run_settings(epochs=4, schedule=probing, evaluate_test="every_epoch"), SHAPE)
    assert size.probes == 2
    assert size.evaluated == 4 * 20 + (4 + 2) * 30


def test_a_search_trains_every_candidate():
    search = {"name": "beam_search", "factors": [2, 1, 0.5], "beam_size": 2}
    data = {"train_images": 50, "validation_fraction": 0.2}
    size = size_of(run_settings(epochs=4, data=data, schedule=search), SHAPE)
    assert size.steps == (3 + 6 + 6 + 6) * 3  # 40 images in batches of 16
    assert size.kept_states == 4
    assert size_of(run_settings(), SHAPE).kept_states == 0


def test_a_pure_schedule_and_the_budget_do_not_change_the_kind():
    same = [
        run_settings(schedule=schedule_of(name), epochs=epochs)
        for name, epochs in (("cosine", 3), ("step", 9))
    ]
    assert len({kind_of(settings, SHAPE) for settings in same}) == 1
    others = [
        run_settings(schedule=schedule_of("loss_probing")),
        run_settings(batch_size=32),
        run_settings(model={"name": "resnet18", "stem": "cifar", "width": 8}),
    ]
    assert len({kind_of(settings, SHAPE) for settings in [*same, *others]}) == 4


def test_arms_cost_what_their_steps_do(tmp_path, monkeypatch):
    planned = planned_study(tmp_path / "studies", scale="demo")
    monkeypatch.setattr(module, "measure", lambda kinds, *_args, **_named: dict.fromkeys(kinds, COST))
    rows = forecast({"tiny": planned}, "cpu", 2).set_index("arm")
    # 160 images in batches of 32, 2 epochs; 40 images for validation each, 50 for test twice
    assert rows.loc["cosine", "seconds"] == pytest.approx(10 + 10 * 0.5 + (2 * 40 + 2 * 50) * 0.01)
    assert rows.loc["probing", "seconds"] - rows.loc["cosine", "seconds"] == pytest.approx(2 * 4)
    assert rows.loc["cosine", "hours"] == pytest.approx(2 * rows.loc["cosine", "seconds"] / 3600)


def test_no_more_places_help_than_the_longest_run_allows():
    rows = rows_of(3600.0, 7200.0)
    assert wall_hours(rows, 1) == pytest.approx(6)
    assert wall_hours(rows, 2) == pytest.approx(3)
    assert wall_hours(rows, 100) == pytest.approx(2)


@pytest.mark.parametrize(
    ("done", "budget", "seeds"),
    [
        (0, 2.9, 0),
        (0, 3.0, 1),
        (0, 6.1, 2),
        (0, 30.0, 10),
        (0, 3e9, MOST_SEEDS),
        (2, 0.0, 2),
        (2, 3.0, 3),
        ([2, 1], 2.0, 2),
    ],
)
def test_seeds_fit_into_a_budget(done, budget, seeds):
    assert fitting_seeds(rows_of(3600.0, 7200.0).assign(done=done), 1, budget) == seeds


def test_what_is_finished_is_not_left(tmp_path):
    plan = {"tiny": planned_study(tmp_path / "study", seeds=4)}
    arms = [*plan["tiny"].arms]
    rows = pd.DataFrame(
        {"study": "tiny", "arm": arms, "runs": 4, "seconds": [3600.0, 7200.0], "hours": [4.0, 8.0]}
    )
    for run in (f"{arms[0]}/seed-1", *(f"{arms[1]}/seed-{seed}" for seed in range(1, 6))):
        (tmp_path / "runs/tiny" / run).mkdir(parents=True)
        (tmp_path / "runs/tiny" / run / "record.json").touch()
    (tmp_path / "runs/tiny" / arms[0] / "seed-2").mkdir()  # begun
    left = what_is_left(rows, plan, tmp_path / "runs")
    assert [*left["runs"]] == [3, 0]
    assert [*left["hours"]] == [3.0, 0.0]
    assert [*left["done"]] == [1, 4]
    assert wall_hours(left, 100) == 1.0


def test_the_error_is_that_of_finished_runs(tmp_path):
    folder = tmp_path / "tiny/cosine"
    folder.mkdir(parents=True)
    (folder / "seed-1.jsonl").write_text('{"s": 999.0}\n{"s": 45.0, "max_rss": 1}\n')
    (folder / "seed-2.jsonl").write_text('{"s": 75.0}\n')
    rows = pd.DataFrame(
        {"study": "tiny", "arm": ["cosine", "probing"], "seconds": [90.0, 1.0], "start_seconds": 10.0}
    )
    found = actual_seconds(rows, tmp_path).set_index("arm")
    assert found.loc["cosine", "finished"] == 2
    assert found.loc["cosine", "actual_seconds"] == pytest.approx(60)
    assert found.loc["cosine", "error"] == pytest.approx(0.5)
    assert found.loc["probing", "finished"] == 0
    assert pd.isna(found.loc["probing", "error"])


@pytest.mark.parametrize(("variable", "shared"), [(None, True), (OFF, False)])
def test_imports_count_where_a_run_does_not_share_them(tmp_path, monkeypatch, variable, shared):
    planned = planned_study(tmp_path / "studies", scale="demo")
    cost = replace(COST, import_seconds=7)
    monkeypatch.setattr(module, "measure", lambda kinds, *_args, **_named: dict.fromkeys(kinds, cost))
    monkeypatch.delenv(VARIABLE, raising=False)
    if variable:
        monkeypatch.setenv(VARIABLE, variable)
    rows = forecast({"tiny": planned}, "cpu", 2)
    [row] = rows[rows["arm"] == "cosine"].to_dict("records")
    work = 10 * 0.5 + (2 * 40 + 2 * 50) * 0.01
    assert row["shared_imports"] is shared
    assert row["seconds"] == pytest.approx(10 + (0 if shared else 7) + work)
    assert row["start_seconds"] == (10 if shared else 17)
    by_itself = alone(rows).set_index("arm").loc["cosine"]
    assert by_itself["seconds"] == pytest.approx(17 + work)
    assert by_itself["hours"] == pytest.approx(2 * (17 + work) / 3600)


def test_on_a_gpu_nothing_is_shared(tmp_path, monkeypatch):
    planned = planned_study(tmp_path / "studies", scale="demo")
    asked = []

    def measure(kinds, _device, at_once, *_):
        asked.append(at_once)
        return dict.fromkeys(kinds, COST)

    monkeypatch.setattr(module, "measure", measure)
    machine = Machine(cores=16, gpus=2, runs_per_gpu=3)
    table = forecasts({"demo": {"tiny": planned}}, "cuda", machine)["demo"]
    assert not table["shared_imports"].any()
    assert asked == [3]


def test_cores_and_gpus_take_so_many_runs():
    assert Machine(cores=16, threads=4).places(16) == 4
    assert Machine(cores=2, threads=4).places(2) == 1
    gpus = Machine(cores=16, threads=4, gpus=2, runs_per_gpu=3)
    assert (gpus.units, gpus.count, gpus.places(gpus.count), gpus.side_by_side) == ("GPUs", 2, 6, 3)
    cores = Machine(cores=16, threads=4)
    assert (cores.units, cores.count, cores.side_by_side) == ("cores", 16, 4)


def test_kinds_of_all_plans_are_measured_at_once_and_once(tmp_path, monkeypatch):
    plan = {"tiny": planned_study(tmp_path / "studies", scale="demo")}
    asked = []

    def measure(kinds, *_):
        asked.append(len(kinds))
        return dict.fromkeys(kinds, COST)

    monkeypatch.setattr(module, "measure", measure)
    tables = forecasts({"demo": plan, "laptop": plan}, "cpu", Machine(2))
    assert asked == [2]
    assert tables["demo"].equals(tables["laptop"])


def test_a_grid_of_rates_snapshots_and_members_are_of_one_kind():
    same = [
        run_settings(optimizer={"name": "sgd", "learning_rate": rate, "momentum": 0.9}, member=member)
        for rate, member in ((1e-4, 1), (10.0, 2))
    ]
    same.append(same[0].model_copy(update={"snapshot_epochs": [5], "epochs": 9}))
    assert len({kind_of(settings, SHAPE) for settings in same}) == 1
    other = run_settings(optimizer={"name": "sgd", "learning_rate": 1e-4, "momentum": 0.0})
    assert kind_of(other, SHAPE) != kind_of(same[0], SHAPE)


def test_an_image_folder_is_looked_at_once_it_is_prepared(tmp_path):
    with pytest.raises(
        ConfigurationError, match="image folder mine before it is prepared: run `snakemake data`"
    ):
        shape_of("mine", tmp_path)
    dataset = made_dataset("mine")
    write_made_dataset(dataset, tmp_path)
    images = dataset.train_images
    assert shape_of("mine", tmp_path) == Shape(
        len(images), len(dataset.test_images), tuple(images.shape[1:]), len(dataset.classes)
    )


@pytest.mark.slow
def test_a_measurement_is_of_this_machine(tmp_path):
    kinds = {
        "constant": (run_settings(), SHAPE),
        "probing": (run_settings(schedule=schedule_of("loss_probing")), SHAPE),
    }
    costs = measure(kinds, "cpu", 1, JobStart(str(tmp_path)))
    for cost in costs.values():
        assert cost.step_seconds > 0
        assert cost.probe_seconds > 0
        assert cost.image_seconds > 0
        assert cost.start_seconds > 0
        assert 50 < cost.memory_mb < 5000
        assert 0 < cost.weights_mb < 5
    assert [*tmp_path.iterdir()] == []


def test_imports_come_apart_from_the_start_of_a_job(monkeypatch):
    seconds = [0.0]

    def measured(*_):
        seconds[0] += 10.0 if seconds == [0.0] else 4.0  # the first one imports
        return Cost(0.0, 1.0, 1.0, 1.0, 1.0, 1.0)

    monkeypatch.setattr(costs, "time", SimpleNamespace(perf_counter=lambda: seconds[0]))
    monkeypatch.setattr(costs, "_measure", measured)
    monkeypatch.setattr(costs, "_seconds_of_job", lambda: 0.5)
    monkeypatch.setattr(costs, "_seconds_apart", lambda *_: 3.0)
    cost = costs._measure_all({"constant": ("settings", SHAPE)}, "cpu", JobStart())["constant"]
    assert (cost.start_seconds, cost.import_seconds) == (3.5, 6.0)


def test_the_memory_of_a_checkpoint_is_measured_before_the_epoch_whose_seconds_count(tmp_path):
    checkpoints = costs._save_at(3, str(tmp_path))
    assert [checkpoints.due() for _ in range(6)] == [False, False, True, False, False, False]


def test_no_gpu_is_looked_for_where_none_is_wanted(monkeypatch):
    monkeypatch.setattr(costs, "_processes", None)
    assert visible_gpus("cpu") == 0
