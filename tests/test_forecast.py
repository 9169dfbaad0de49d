import pandas as pd
import pytest

from replication import forecast as module
from replication.data.recipes import Shape
from replication.errors import ConfigurationError
from replication.forecast import (
    actual_seconds,
    describe,
    fitting_seeds,
    forecast,
    shape_of,
    size_of,
    wall_hours,
    write_forecast,
)
from replication.measuring import Cost, kind_of, measure
from replication.tables import read_table
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


def test_tests_after_every_epoch_and_probes_are_counted():
    probing = schedule_of("loss_probing", interval_epochs=3)
    size = size_of(run_settings(epochs=4, schedule=probing, evaluate_test="every_epoch"), SHAPE)
    assert size.probes == 2
    assert size.evaluated == 4 * 20 + (4 + 2) * 30


def test_a_pure_schedule_and_the_budget_do_not_change_the_kind():
    same = [
        run_settings(schedule=schedule_of(name), epochs=epochs)
        for name, epochs in (("cosine", 3), ("step", 9))
    ]
    assert len({kind_of(settings, SHAPE) for settings in same}) == 1
    others = [
        run_settings(schedule=schedule_of("loss_probing")),
        run_settings(batch_size=32),
        run_settings(model={"name": "resnet18", "stem": "cifar", "width": 4}),
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


@pytest.mark.parametrize(("budget", "seeds"), [(2.9, 0), (3.0, 1), (6.1, 2), (30.0, 10)])
def test_seeds_fit_into_a_budget(budget, seeds):
    assert fitting_seeds(rows_of(3600.0, 7200.0), 1, budget) == seeds


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


def test_the_text_and_the_table_say_the_same(tmp_path, monkeypatch):
    planned = planned_study(tmp_path / "studies", scale="demo")
    monkeypatch.setattr(module, "measure", lambda kinds, *_args, **_named: dict.fromkeys(kinds, COST))
    table = tmp_path / "demo.forecast.csv"
    text = write_forecast({"tiny": planned}, tmp_path / "results", "cpu", 2, 1.0, table)
    rows = read_table(table)
    assert rows["runs"].sum() == 4
    assert f"4 runs, {rows['hours'].sum():.2f} hours" in text
    assert "--config seeds=" in text
    assert "smaller scale" in write_forecast({"tiny": planned}, tmp_path, "cpu", 2, 1e-6, table)
    assert describe(actual_seconds(rows, tmp_path), {"a laptop": 2}).count("Wall time") == 1


def test_an_image_folder_has_no_known_shape():
    with pytest.raises(ConfigurationError, match="no forecast for the image folder mine"):
        shape_of("mine")


def test_a_measurement_is_of_this_machine():
    kinds = {
        "constant": (run_settings(), SHAPE),
        "probing": (run_settings(schedule=schedule_of("loss_probing")), SHAPE),
    }
    costs = measure(kinds, "cpu", at_once=1)
    assert costs["constant"].probe_seconds < costs["probing"].probe_seconds
    for cost in costs.values():
        assert cost.step_seconds > 0
        assert cost.image_seconds > 0
        assert 50 < cost.memory_mb < 5000
        assert 0 < cost.weights_mb < 5
