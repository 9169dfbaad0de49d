"""The crate: what is in it, what is said of it, and that it does not vary."""

import getpass
import hashlib
import json
import os
import re
import shutil
import socket
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from places import ROOT
from recorded_runs import IDENTITY, change_record, write_scale
from replication.audit.checksums import sums_text
from replication.audit.layout import OWN
from replication.crate import Engine, write_crate
from replication.crate.contents import digest_of_more
from replication.crate.deposit import CODECHECK, ZENODO
from replication.crate.steps import STEPS
from replication.errors import ResultsError
from replication.system.digests import digest_of_file, sealed
from replication.system.files import write_json
from study_results import planned_study

ENGINE = Engine("Snakemake", "9.27.1", "https://snakemake.github.io")
MANIFEST = "resources/datasets/digits.json"
DATASET = {
    "name": "digits",
    "identity": IDENTITY,
    "shapes": {"train_images": [20, 8, 8, 1], "test_images": [10, 8, 8, 1]},
    "classes": ["0", "1"],
    "source": {"kind": "embedded", "description": "Some digits", "licence": "Some licence"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with made-up results of the tiny study, which tests leave as they are."""
    folder = tmp_path_factory.mktemp("made") / "project"
    folder.mkdir()
    for name in ("Snakefile", "CITATION.cff", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    for name in ("workflow/scripts", "reports"):
        shutil.copytree(ROOT / name, folder / name)
    write_scale(folder, planned_study(folder / "config" / "studies"))
    write_json(folder / MANIFEST, DATASET)
    return folder


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(made, tmp_path / "project"))


def crate_of(project: Path, name: str = "demo.crate.zip", **configuration: Any) -> Path:
    """Write the crate of the project's demo results."""
    write_crate(
        "results/demo", [MANIFEST], {"scale": "demo", **configuration}, ENGINE, project / name, project
    )
    return project / name


def graph_of(crate: Path) -> dict[str, dict[str, Any]]:
    """Return the entities of a crate by identifier."""
    with zipfile.ZipFile(crate) as archive:
        metadata = json.loads(archive.read("ro-crate-metadata.json"))
    entities = {entity["@id"]: entity for entity in metadata["@graph"]}
    assert len(entities) == len(metadata["@graph"])
    return entities


def links(entity: Mapping[str, Any], key: str) -> set[str]:
    """Return the identifiers that a property links to."""
    value = entity.get(key, [])
    return {each["@id"] for each in (value if isinstance(value, list) else [value])}


def test_every_file_is_described_with_its_size_and_hash(project: Path) -> None:
    graph = graph_of(crate_of(project))
    with zipfile.ZipFile(project / "demo.crate.zip") as archive:
        contents = {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}
    assert len([name for name in contents if name.startswith("results/demo/runs/")]) == 4 * 4
    for name, content in contents.items():
        if not name.startswith("ro-crate-"):
            assert graph[name]["sha256"] == hashlib.sha256(content).hexdigest()
            assert graph[name]["contentSize"] == str(len(content))
            if name not in (ZENODO, CODECHECK):
                assert content == (project / name).read_bytes()


def test_every_file_is_reached_from_the_root_and_every_link_leads_somewhere(project: Path) -> None:
    graph = graph_of(crate_of(project))
    reached, waiting = set(), ["./"]
    while waiting:
        found = waiting.pop()
        reached.add(found)
        waiting += links(graph[found], "hasPart") - reached
    described = {name for name, entity in graph.items() if "File" in str(entity["@type"])}
    assert described <= reached
    for entity in graph.values():
        for key, value in entity.items():
            for target in value if isinstance(value, list) else [value]:
                if isinstance(target, dict):
                    known = target["@id"] in graph or target["@id"].startswith(
                        ("https://w3id", "https://bio")
                    )
                    assert known, f"{entity['@id']}: {key}"


def test_all_of_the_results_and_of_the_workflow_is_in_it(project: Path) -> None:
    names = set(zipfile.ZipFile(crate_of(project)).namelist())
    for top in ("results/demo", "workflow", "reports", "config"):
        files = {
            path.relative_to(project).as_posix() for path in (project / top).rglob("*") if path.is_file()
        }
        assert {name for name in files if "__pycache__" not in name} <= names
    assert {"Snakefile", "LICENSE", "README.md", "CITATION.cff", MANIFEST, "ro-crate-preview.html"} <= names


def test_what_is_left_behind_does_not_go_in(project: Path) -> None:
    run = "results/demo/runs/tiny/cosine/seed-1"
    stray = [
        f"{run}/.checkpoint-0",
        f"{run}/.lock",
        "results/demo/runs/tiny/old-arm/seed-1/history.csv",
        "results/demo/studies/tiny/figures/.snakemake_timestamp",
        "workflow/__pycache__/x.pyc",
        ".git/config",
        "tests/test_x.py",
        "resources/datasets/digits.safetensors",
    ]
    for name in stray:
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("stray")
    assert not set(stray) & set(zipfile.ZipFile(crate_of(project)).namelist())


def test_a_run_is_an_action_with_its_inputs_and_outputs(project: Path) -> None:
    graph = graph_of(crate_of(project))
    action = graph["#action/train/tiny/cosine/seed-2"]
    assert (action["startTime"], action["endTime"]) == (
        "2026-01-02T03:04:05+00:00",
        "2026-01-02T03:07:02+00:00",
    )
    assert links(action, "instrument") == {"workflow/scripts/train.py"}
    assert {"#dataset/digits", MANIFEST, "#seed/2"} < links(action, "object")
    folder = "results/demo/runs/tiny/cosine/seed-2"
    names = ("history.csv", "predictions.safetensors", "record.json", "timings.csv")
    assert links(action, "result") == {f"{folder}/{name}" for name in names}
    settings = next(name for name in links(action, "object") if name.startswith("#settings/"))
    assert json.loads(graph[settings]["value"])["schedule"]["name"] == "cosine"
    for words in ("torch 2.14.1", "Some Processor", "with changes", "ee" * 32, "10" * 32):
        assert words in action["description"]


def test_the_run_of_the_workflow_spans_its_runs(project: Path) -> None:
    graph = graph_of(crate_of(project))
    run = graph["#workflow-run"]
    assert links(run, "instrument") == {"Snakefile"} == links(graph["./"], "mainEntity")
    assert run["startTime"] == "2026-01-02T03:04:05+00:00"
    assert run["endTime"] == "2026-01-02T03:07:02+00:00" == graph["./"]["datePublished"]
    assert "results/demo/report.html" in links(run, "result")


def test_every_action_is_controlled_by_its_step(project: Path) -> None:
    graph = graph_of(crate_of(project))
    controls = links(graph["#execution"], "object")
    actions = {name for name in graph if name.startswith("#action/")}
    assert len(actions) == 1 + 4 + 2 + 3  # data set, runs, one study; combined tables, schedules and report
    assert {target for control in controls for target in links(graph[control], "object")} == actions
    for control in controls:
        step = graph[next(iter(links(graph[control], "instrument")))]
        action = graph[next(iter(links(graph[control], "object")))]
        assert links(step, "workExample") == links(action, "instrument")
        assert step["@id"] in links(graph["Snakefile"], "step")


def test_data_sets_are_described_and_not_included(project: Path) -> None:
    graph = graph_of(crate_of(project))
    dataset = graph["#dataset/digits"]
    assert dataset["identifier"] == f"sha256:{IDENTITY}"
    assert dataset["license"] == "Some licence"
    assert graph["#source/digits"]["description"] == "Some digits"
    assert "#action/download/digits" not in graph


def test_a_downloaded_data_set_has_a_download(project: Path) -> None:
    write_json(project / MANIFEST, DATASET | {"source": DATASET["source"] | {"kind": "downloaded"}})
    graph = graph_of(crate_of(project))
    assert links(graph["#action/download/digits"], "result") == {"#source/digits"}


def test_the_same_results_give_the_same_bytes(project: Path, tmp_path: Path) -> None:
    first = crate_of(project).read_bytes()
    other = tmp_path / "elsewhere"
    shutil.copytree(project, other, ignore=shutil.ignore_patterns("*.zip"), copy_function=shutil.copyfile)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    assert crate_of(other).read_bytes() == first


def test_another_result_gives_other_bytes(project: Path) -> None:
    first = crate_of(project).read_bytes()
    (project / "results/demo/report.html").write_text("changed")
    assert crate_of(project).read_bytes() != first


def test_entries_are_in_order_and_bear_the_time_of_the_last_run(project: Path) -> None:
    entries = zipfile.ZipFile(crate_of(project)).infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(2026, 1, 2, 3, 7, 2)}
    assert all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)


def test_only_knobs_that_decide_the_plan_are_told(project: Path) -> None:
    crate = crate_of(project, seeds=3, data_dir="/home/somebody/mnist", mirrors={"mnist": ["http://inside/"]})
    graph = graph_of(crate)
    assert graph["#configuration/seeds"]["value"] == "3"
    content = b"".join(map(zipfile.ZipFile(crate).read, zipfile.ZipFile(crate).namelist()))
    assert b"somebody" not in content
    assert b"http://inside/" not in content


def test_nothing_names_the_machine_or_its_user(project: Path) -> None:
    crate = crate_of(project)
    archive = zipfile.ZipFile(crate)
    said = archive.read("ro-crate-metadata.json") + archive.read("ro-crate-preview.html")
    for name in (socket.gethostname(), str(project), f"{Path.home()}/", f"/{getpass.getuser()}/"):
        assert name.encode() not in said


def test_a_missing_run_has_no_action(project: Path) -> None:
    table = project / "results/demo/tables/runs.csv"
    lines = table.read_text().splitlines()
    gone = [line.replace("completed", "missing") if "cosine/seed-1" in line else line for line in lines]
    table.write_text("\n".join(gone) + "\n")
    graph = graph_of(crate_of(project))
    assert "#action/train/tiny/cosine/seed-1" not in graph
    assert "results/demo/runs/tiny/cosine/seed-1/history.csv" not in graph
    assert "#action/train/tiny/cosine/seed-2" in graph


def test_a_file_that_is_not_the_one_recorded_is_refused(project: Path) -> None:
    history = project / "results/demo/runs/tiny/cosine/seed-1/history.csv"
    history.write_text(history.read_text().replace("0.9", "0.99"))
    with pytest.raises(ResultsError, match=r"cosine/seed-1/history\.csv.*delete the run's folder"):
        crate_of(project)
    assert not (project / "demo.crate.zip").exists()


def test_a_file_that_the_record_names_must_be_there(project: Path) -> None:
    folder = project / "results/demo/runs/tiny/cosine/seed-1"
    change_record(folder, files={"steps.csv": "00"})
    with pytest.raises(ResultsError, match=r"steps\.csv: missing"):
        crate_of(project)


@pytest.mark.parametrize(("seal", "words"), [(False, "has changed since"), (True, "epochs.*greater than")])
def test_a_record_that_is_not_sound_is_refused(project: Path, seal: bool, words: str) -> None:
    change_record(project / "results/demo/runs/tiny/cosine/seed-1", seal=seal, epochs=0)
    with pytest.raises(
        ResultsError, match=rf"cosine/seed-1/record\.json: .*{words}.*delete the run's folder"
    ):
        crate_of(project)


def test_results_without_runs_are_refused(project: Path) -> None:
    table = project / "results/demo/tables/runs.csv"
    table.write_text(table.read_text().replace("completed", "missing"))
    with pytest.raises(ResultsError, match="no finished run"):
        crate_of(project)


def test_a_missing_manifest_is_named(project: Path) -> None:
    (project / MANIFEST).unlink()
    with pytest.raises(ResultsError, match=r"digits\.json"):
        crate_of(project)


def test_the_digest_of_what_else_is_in_it(project: Path) -> None:
    seen = {digest_of_more(project, "results/demo")}
    (project / "results/demo/report.html").write_text("changed")  # an input of the rule by itself
    assert {digest_of_more(project, "results/demo")} == seen
    (project / "README.md").write_text("changed")
    seen.add(digest_of_more(project, "results/demo"))
    write_audit(project)
    seen.add(digest_of_more(project, "results/demo"))
    assert len(seen) == 3


def write_audit(project: Path, verdict: str = "passed") -> None:
    """Write what an audit of all results leaves behind."""
    results = project / "results/demo"
    files = [path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()]
    (results / "SHA256SUMS").write_text(sums_text(results, set(files) - OWN, {}))
    root = digest_of_file(results / "SHA256SUMS")
    audit = {"verdict": verdict, "time": "2026-01-03T00:00:00+00:00", "root_sha256": root}
    write_json(results / "audit.json", sealed(audit))
    (results / "audit.html").write_text("audited")


def test_the_last_audit_is_an_action(project: Path) -> None:
    write_audit(project)
    action = graph_of(crate_of(project))["#action/audit"]
    assert links(action, "result") == {
        f"results/demo/{n}" for n in ("audit.html", "audit.json", "SHA256SUMS")
    }
    assert action["endTime"] == "2026-01-03T00:00:00+00:00"


def test_an_audit_that_failed_is_refused(project: Path) -> None:
    write_audit(project, verdict="failed")
    with pytest.raises(ResultsError, match="the last audit has failed"):
        crate_of(project)


def test_an_audit_of_other_results_is_refused(project: Path) -> None:
    write_audit(project)
    (project / "results/demo/claims.csv").write_text("changed")
    with pytest.raises(
        ResultsError, match=r"claims\.csv: missing, or changed since the last audit: run `snakemake audit`"
    ):
        crate_of(project)


def test_the_steps_are_the_rules_that_leave_something_in_the_results() -> None:
    rules = {}
    for file in (ROOT / "workflow/rules").glob("*.smk"):
        for block in file.read_text(encoding="utf-8").split("\nrule ")[1:]:
            # Of Snakemake's kind, or with a command of its own.
            script = re.search(r'"\.\./scripts/(\w+\.py)"|script_digest\("(\w+\.py)"\)', block)
            if script and ("\n    output:" in block or block.startswith("audit")):
                rules[block.partition(":")[0]] = script.group(1) or script.group(2)
    del rules["crate"]
    rules["train"] = "train.py"  # its code is that of the run alone
    # One step in two rules, so that the old notebook stays until the new one is whole.
    rules["notebook"] = rules.pop("execute_notebook")
    assert {name: step.script for name, step in STEPS.items()} == rules
