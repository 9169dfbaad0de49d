"""The chain from a number back to its runs."""

import json
import math
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from recorded_runs import COMMIT, IDENTITY, change_record, write_scale
from replication.__main__ import main
from replication.errors import ResultsError
from replication.system.digests import digest_of_file
from replication.system.tables import read_table, write_table
from replication.trace.evidence import source_of
from replication.trace.text import trace_text
from replication.trace.tracer import Tracer
from study_results import planned_study

RUN = "results/demo/runs/tiny/cosine/seed-1"
STUDIES = "config/studies"
STUDY = f"{STUDIES}/tiny.yaml"


def tracer() -> Tracer:
    return Tracer("results/demo", STUDIES)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    "place",
    [
        "results:cosine:Test accuracy",
        "tiny/results:cosine:test accuracy",
        "tiny/results:Cosine:test_accuracy",
        "results:cosine:test_accuracy@last",
        "summary:cosine:test_accuracy@last",
        "summary:tiny/cosine:test_accuracy@last",
    ],
)
def test_a_cell_is_the_mean_of_its_runs(place: str) -> None:
    chain = tracer().number(place)
    assert chain["value"] == pytest.approx(0.91)
    assert chain["agrees"]
    assert chain["formula"].startswith(
        "mean over 2 of 2 seeds with its 95% t interval; test_accuracy after the last"
    )
    assert [(run["run_id"], run["value"]) for run in chain["runs"]] == [
        ("tiny/cosine/seed-1", 0.90),
        ("tiny/cosine/seed-2", 0.92),
    ]


def test_a_cell_names_the_line_that_holds_it(project: Path) -> None:
    chain = tracer().number("results:probing:test_accuracy")
    line = (project / chain["file"]["path"]).read_text().splitlines()[chain["file"]["line"] - 1]
    assert line.startswith("tiny,probing,test_accuracy,last,")
    run = chain["runs"][1]
    assert run["source"] == {"file": "history.csv", "row": "epoch 2", "line": 3, "column": "test_accuracy"}
    lines = (project / run["folder"] / "history.csv").read_text().splitlines()
    column = lines[0].split(",").index("test_accuracy")
    assert float(lines[2].split(",")[column]) == run["value"]


@pytest.mark.usefixtures("project")
def test_the_epoch_rule_decides_the_row() -> None:
    best = tracer().number("summary:cosine:train_loss@best")
    last = tracer().number("summary:cosine:train_loss@last")
    assert [run["source"]["line"] for run in best["runs"]] == [2, 2]
    assert [run["source"]["line"] for run in last["runs"]] == [3, 3]
    assert best["value"] == pytest.approx(2 * last["value"])
    assert "lowest validation loss" in best["formula"]


def test_each_run_shows_what_its_record_says(project: Path) -> None:
    run = tracer().number("results:cosine:test_accuracy")["runs"][0]
    assert run["dataset"]["identity"] == IDENTITY
    assert run["git"] == {"commit": COMMIT, "dirty": True}
    assert run["files"].keys() == {"history.csv", "predictions.safetensors", "timings.csv"}
    history = run["files"]["history.csv"]
    assert history["recorded"] == history["now"] == digest_of_file(project / RUN / "history.csv")
    assert all(found["agrees"] for found in run["files"].values())
    assert run["record_sha256"]["agrees"]
    assert run["settings_sha256"]["agrees"]


def test_a_changed_history_is_told(project: Path) -> None:
    history = project / RUN / "history.csv"
    history.write_text(history.read_text().replace("0.9,", "0.8,"))
    chain = tracer().number("results:cosine:test_accuracy")
    assert not chain["agrees"]
    assert not chain["runs"][0]["files"]["history.csv"]["agrees"]
    text = trace_text(chain)
    assert "NOT AS RECORDED\n  the value in the table is not what the runs give" in text
    assert "tiny/cosine/seed-1: history.csv" in text
    assert "recorded, DIFFERS: now" in " ".join(text.split())


def test_a_changed_record_is_told(project: Path) -> None:
    change_record(project / RUN, outcome="diverged", seal=False)
    text = trace_text(tracer().number("results:cosine:test_accuracy"))
    assert text.endswith("NOT AS RECORDED\n  tiny/cosine/seed-1: record.json")


@pytest.mark.parametrize("text", ["{", "{}", '{"run_id": "tiny/cosine/seed-1", "epochs": 2}'])
def test_a_damaged_record_is_refused_in_words(project: Path, text: str) -> None:
    (project / RUN / "record.json").write_text(text)
    with pytest.raises(ResultsError, match=r"cosine/seed-1.*damaged, or of an older version.*run again"):
        tracer().number("results:cosine:test_accuracy")


def test_a_lost_file_is_told(project: Path) -> None:
    (project / RUN / "predictions.safetensors").unlink()
    text = trace_text(tracer().number("results:cosine:test_accuracy"))
    assert "DIFFERS: now no such file" in " ".join(text.split())


def test_a_run_that_is_missing_is_told(project: Path) -> None:
    shutil.rmtree(project / RUN)
    chain = tracer().number("results:cosine:test_accuracy")
    assert chain["runs"][0] == {"run_id": "tiny/cosine/seed-1", "folder": RUN, "outcome": "missing"}
    assert not chain["agrees"]
    assert "holds no record" in trace_text(chain)


@pytest.mark.usefixtures("project")
def test_a_cell_of_the_runs() -> None:
    chain = tracer().number("runs:cosine/seed-2:epochs")
    assert (chain["value"], chain["recomputed"], chain["agrees"]) == (2, 2, True)
    assert chain["runs"][0]["source"] == {"file": "record.json", "column": "epochs"}
    assert [run["run_id"] for run in chain["runs"]] == ["tiny/cosine/seed-2"]
    assert "line 3" in trace_text(chain)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["cosine-accuracy", "tiny/cosine-accuracy"])
def test_a_claim_about_a_value(name: str) -> None:
    chain = tracer().claim(name)
    assert chain["claim"]["quote"] == "the test accuracy is 0.9"
    assert [run["value"] for run in chain["runs"]] == [0.90, 0.92]
    text = " ".join(trace_text(chain).split())
    for words in (
        "Claim tiny/cosine-accuracy",
        "000_75a4cf886b356ddd.txt, Results",
        "verdict not testable here (conceptual)",
        "estimate 91.00 % exactly 0.91",
        "reported 90.00 % ± 5.00 %",
        "mean over 2 seeds of its value measure",  # and no interval, for it is not judged
        "10 hashes computed again, all as recorded.",
    ):
        assert words in text


def test_a_claim_with_an_interval_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scale(tmp_path, planned_study(tmp_path / STUDIES, scale="laptop", seeds=4))
    monkeypatch.chdir(tmp_path)
    text = " ".join(trace_text(Tracer("results/laptop", STUDIES).claim("cosine-accuracy")).split())
    assert "verdict reproduced (direct)" in text
    assert re.search(r"estimate 91\.00 % \[83\.88, 98\.12\] at 95\.00% exactly 0\.91", text)
    assert "mean over 4 seeds of its value, with the t interval of one further run" in text


def test_a_claim_that_is_not_run_says_so(project: Path) -> None:
    path = project / "results/demo/claims.csv"
    table = read_table(path)
    facts = {"n": 0, "outcome": "not run", "verdict": "not run", "detail": ""}
    table = table.assign(**facts, **dict.fromkeys(("estimate", "low", "high", "level"), math.nan))
    write_table(table, path)
    for name in ("cosine-accuracy", "cosine-better"):
        text = trace_text(tracer().claim(name))
        assert re.search(r"verdict +not run\n", text)
        assert "none: the study leaves out an arm of the reading at this scale" in text


@pytest.mark.usefixtures("project")
def test_a_claim_about_an_order_shows_the_runs_of_both_arms() -> None:
    chain = tracer().claim("cosine-better")
    assert [run["run_id"] for run in chain["runs"]] == [
        f"tiny/{arm}/seed-{seed}" for arm in ("cosine", "probing") for seed in (1, 2)
    ]
    text = " ".join(trace_text(chain).split())
    assert "estimate +9.00 %" in text
    assert "reported above 0" in text
    assert "mean of cosine − mean of probing, counted positive where cosine is higher" in text


def change_reading(project: Path, old: str, new: str) -> None:
    """Replace a part of a reading in the study file; its lines are indented by eight spaces."""
    path = project / STUDY
    text = path.read_text()
    old, new = (textwrap.indent(each, " " * 8) for each in (old, new))
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_epochs_of_both_arms_of_a_difference(project: Path) -> None:
    change_reading(
        project, "arm: cosine\nmeasure:", "arm: cosine\nepoch: last\nminus: probing\nminus_epoch: 1\nmeasure:"
    )
    runs = tracer().claim("cosine-accuracy")["runs"]
    assert [run["source"]["line"] for run in runs] == [3, 3, 2, 2]


def test_an_event_shows_for_each_run_whether_it_happens(project: Path) -> None:
    change_reading(
        project,
        "arm: cosine\nmeasure: test_accuracy\nexpected: 0.9\nmargin: {absolute: 0.05, reason: a test}\n",
        "arm: cosine\nmeasure: validation_loss\nexpected: true\nevent: second_descent\nthreshold: 0.1\n"
        "reason: a test\n",
    )
    path = project / STUDY
    path.write_text(path.read_text().replace("kind: value", "kind: shape"))
    chain = tracer().claim("cosine-accuracy")
    assert [run["value"] for run in chain["runs"]] == [False, False]
    assert chain["runs"][0]["source"]["row"] == "all epochs"
    assert "no, from history.csv, all epochs, validation_loss" in trace_text(chain)


@pytest.mark.usefixtures("project")
def test_a_cell_of_the_claims() -> None:
    chain = tracer().number("claims:cosine-accuracy:margin")
    assert chain["value"] == 0.05
    assert "margin: 0.05" in trace_text(chain)


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("cosine", "not of the form <table>:<row>:<column>"),
        ("reslts:cosine:test_accuracy", r"no table `reslts`.*summary.*tiny/results"),
        (
            "results:cosin:test_accuracy",
            r"no row of tiny/results `cosin` \(did you mean `cosine`\?\); valid: cosine, probing",
        ),
        ("results:cosine:loss", r"no column of tiny/results `loss`.*test accuracy, test_accuracy@last"),
        ("results:cosine:test_accuracy@best", r"no column of tiny/results `test_accuracy@best`"),
        ("summary:cosine:test_accuracy", "choose one of test_accuracy@last, test_accuracy@best"),
        ("summary:cosin:test_accuracy", "did you mean `tiny/cosine`|valid: tiny/cosine"),
        ("runs:cosine/seed-3:epochs", "no run `cosine/seed-3`.*tiny/cosine/seed-1"),
        ("runs:cosine/seed-1:epoch", "no column of runs `epoch`.*did you mean `epochs`"),
        ("claims:nothing:margin", "no claim `nothing`.*tiny/cosine-accuracy"),
        ("claims:cosine-accuracy:margins", "no column of claims `margins`.*did you mean `margin`"),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(place: str, words: str) -> None:
    with pytest.raises(ResultsError, match=words):
        tracer().number(place)


def test_a_table_in_two_studies_must_be_qualified(project: Path) -> None:
    for name in ("runs", "summary"):
        path = project / f"results/demo/tables/{name}.csv"
        lines = path.read_text().splitlines()
        path.write_text("\n".join([*lines, *(line.replace("tiny", "other") for line in lines[1:])]) + "\n")
    shutil.copy(project / STUDY, project / "config/studies/other.yaml")
    with pytest.raises(ResultsError, match="choose one of tiny/results, other/results"):
        tracer().number("results:cosine:test_accuracy")
    assert tracer().number("tiny/results:cosine:test_accuracy")["study"] == "tiny"


def test_results_that_are_older_than_the_study_file(project: Path) -> None:
    path = project / STUDY
    path.write_text(path.read_text().replace("id: cosine-better", "id: cosine-best"))
    with pytest.raises(ResultsError, match=r"no longer has the claim `cosine-better`"):
        tracer().claim("cosine-better")
    path.write_text(
        path.read_text().replace("measure: test_accuracy}", "measure: test_accuracy, epoch: 7}", 1)
    )
    with pytest.raises(ResultsError, match="have no test_accuracy@7 of tiny/cosine"):
        tracer().number("results:cosine:Test accuracy")


def test_without_results_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="run `snakemake --cores all` first"):
        Tracer(tmp_path, STUDIES)


@pytest.mark.usefixtures("project")
def test_the_command_prints_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "results:cosine:test_accuracy", "--scale", "demo"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("tiny/results : cosine : Test accuracy\n")
    assert "91.00 %" in text
    assert max(len(line) for line in text.splitlines()) <= 110
    assert main(["trace", "results:cosine:test_accuracy", "--scale", "demo", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == pytest.approx(0.91)
    assert main(["trace", "--claim", "cosine-better", "--scale", "demo"]) == 0
    assert capsys.readouterr().out.startswith("Claim tiny/cosine-better\n")
    assert main(["trace", "x:y:z", "--scale", "demo"]) == 1
    assert capsys.readouterr().err.startswith("ResultsError: there is no table `x`")


@pytest.mark.parametrize(
    ("measure", "file", "row", "column"),
    [
        ("seconds", "timings.csv", "sum over all epochs", "seconds"),
        ("peak_memory_mb", "timings.csv", "largest of all epochs", "peak_memory_mb"),
        ("forward_passes", "history.csv", "last epoch, with the costs in record.json", "steps"),
        ("backward_passes", "history.csv", "last epoch, with the costs in record.json", "steps"),
    ],
)
def test_where_the_cost_of_a_run_stands(measure, file, row, column):
    assert source_of({"epochs": 2}, measure, "last") == {"file": file, "row": row, "column": column}
