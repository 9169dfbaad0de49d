import json
import shutil

import pytest

from replication.data.dataset import write_dataset
from replication.errors import ResultsError
from replication.runs.job import run
from replication.runs.recheck import compare, recheck, summary
from replication.system.digests import canonical_json, is_sealed
from study_results import planned_study
from support import run_settings, schedule_of, tiny_dataset

RUN = "tiny/probing/seed-2"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a folder with the results of one run, and its data set."""
    folder = tmp_path_factory.mktemp("recheck")
    write_dataset(tiny_dataset(), folder / "datasets/tiny.safetensors")
    settings = canonical_json(run_settings(schedule=schedule_of("loss_probing")).model_dump(mode="json"))
    run(
        RUN, settings, folder / "datasets/tiny.safetensors", folder / "results/runs" / RUN, "cpu", code="code"
    )
    return folder


@pytest.fixture
def results(finished, tmp_path):
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    return tmp_path / "results"


@pytest.fixture
def plan(tmp_path):
    return {"tiny": planned_study(tmp_path / "studies")}


def checked(plan, results, count=3):
    return recheck(plan, results, results.parent / "datasets", count, "cpu")


def edit_record(results, **changes):
    path = results / "runs" / RUN / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_sound_run_repeats_bit_for_bit(plan, results):
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    found = checked(plan, results)
    assert [(one.run_id, one.same_kind, one.agrees) for one in found] == [(RUN, True, True)]
    assert summary(found) == f"{RUN}: the same, bit for bit\nRecheck: all 1 runs repeat"
    assert all(path.read_bytes() == content for path, content in before.items())
    report = json.loads((results / "recheck.json").read_text())
    assert is_sealed(report)
    assert report["of"] == 1
    assert report["runs"][0]["run_id"] == RUN


def test_a_last_digit_is_noticed(plan, results):
    path = results / "runs" / RUN / "history.csv"
    text = path.read_text()
    place = text.rindex(",") - 1
    path.write_text(text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :])
    (found,) = checked(plan, results)
    assert not found.agrees
    assert found.detail == "differs in history.csv"


def test_other_weights_are_noticed(plan, results):
    edit_record(results, weights_sha256="0" * 64)
    (found,) = checked(plan, results)
    assert (found.agrees, found.detail) == (False, "differs in weights_sha256")
    assert summary([found]).endswith("Recheck: 1 of 1 runs do not repeat")


def test_runs_without_their_data_are_passed_over(plan, results):
    other = "tiny/probing/seed-1"
    shutil.copytree(results / "runs" / RUN, results / "runs" / other)
    path = results / "runs" / other / "record.json"
    record = json.loads(path.read_text())
    record["dataset"]["name"] = "elsewhere"
    path.write_text(json.dumps(record))
    assert [one.run_id for one in checked(plan, results)] == [RUN]
    report = json.loads((results / "recheck.json").read_text())
    assert (report["of"], report["without_data"]) == (1, 1)


def test_no_run_with_its_data_is_an_error_that_names_them(plan, results):
    (results.parent / "datasets/tiny.safetensors").unlink()
    with pytest.raises(
        ResultsError, match=r"no run to execute again has its data here \(tiny\): run `snakemake data`"
    ):
        checked(plan, results)


@pytest.mark.parametrize(("accuracy", "agrees"), [(0.0, False), (None, True)])
def test_another_machine_is_compared_within_the_tolerance(results, tmp_path, accuracy, agrees):
    recorded, fresh = results / "runs" / RUN, tmp_path / "fresh"
    shutil.copytree(recorded, fresh)
    record = json.loads((recorded / "record.json").read_text())
    edit_record(results, machine=record["machine"] | {"processor": "another"})
    history = (recorded / "history.csv").read_text().splitlines()
    header, last = history[0].split(","), history[-1].split(",")
    if accuracy is not None:
        last[header.index("test_accuracy")] = str(accuracy)
    (fresh / "history.csv").write_text("\n".join([*history[:-1], ",".join(last)]) + "\n")
    found = compare(recorded, fresh)
    assert (found.same_kind, found.agrees) == (False, agrees)
    assert "processor" in found.detail


def test_without_results_the_error_says_what_to_do(plan, tmp_path):
    with pytest.raises(ResultsError, match="no run to execute again: run `snakemake"):
        checked(plan, tmp_path / "nothing")
