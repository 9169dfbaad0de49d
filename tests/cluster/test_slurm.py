"""The workflow through a real SLURM, with all that may go wrong there: the results are those of a local call."""

import csv
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from project import STUDY, Project, copy_of_project
from slurm_cluster import Cluster, ClusterProject, Job
from traps import trap
from waiting import lives, wait_for

pytestmark = [pytest.mark.cluster, pytest.mark.workflow]

# To each arm happens something else.
ARMS = {
    "cancelled": {"name": "cosine"},
    "requeued": {"name": "linear"},
    "late": {"name": "loss_probing", "factors": [2.0, 1.0, 0.5]},
    "hungry": {"name": "constant"},
}
RUNS = Path("results/demo/runs", STUDY)
OF_ONE_PROCESS = "seconds|memory"  # columns and measures that each computing gives anew
TABLES = ("runs", "history", "summary")
TARGETS = ["results/demo/claims.csv", *(f"results/demo/tables/{table}.csv" for table in TABLES)]
# Where runs stop until something happens to them, or they are told to go on: in the third epoch, of five steps each,
# with a checkpoint before each step.
HALF_WAY = ("os.rename", rf"{RUNS}/.*/\.checkpoint-\d$", 13)
# What a forecast may say: a run of 12 minutes is not packed; 100 MB are too little, and twice the request is enough.
FORECAST = "study,arm,seconds,peak_memory_mb\n" + "".join(
    f"{STUDY},{arm},200,{100 if arm == 'hungry' else 1000}\n" for arm in ARMS
)


def new_project(folder: Path) -> Project:
    """Return a project whose runs can be disturbed half-way."""
    project = copy_of_project(folder)
    path = project.folder / f"config/studies/{STUDY}.yaml"
    study = yaml.safe_load(path.read_text())
    study["seeds"] = 1
    study["settings"] |= {"epochs": 6}
    study["arms"] = {arm: {"title": arm, "settings": {"schedule": rate}} for arm, rate in ARMS.items()}
    study["tables"][0]["arms"] = list(ARMS)
    value, order = (said["readings"][0] for said in study["statements"])
    value["arm"] = "cancelled"
    order |= {"arm": "requeued", "than": ["late", "hungry"]}
    path.write_text(yaml.safe_dump(study))
    project.edit("config/config.yaml", "scale: demo", "scale: demo\ncheckpoint_seconds: 0")
    return project


def results_of(project: Project) -> dict[str, object]:
    """Return all that must be the same however it was computed: everything but durations and memory."""
    results: dict[str, object] = {"claims": (project.folder / TARGETS[0]).read_bytes()}
    for table in TABLES:
        with (project.folder / f"results/demo/tables/{table}.csv").open(newline="") as stream:
            results[table] = [
                {key: value for key, value in row.items() if not re.search(OF_ONE_PROCESS, key)}
                for row in csv.DictReader(stream)
                if not re.search(OF_ONE_PROCESS, row.get("measure", ""))
            ]
    for arm in ARMS:
        folder = project.folder / RUNS / arm / "seed-1"
        for file in ("history.csv", "predictions.safetensors"):
            results[f"{arm}/{file}"] = (folder / file).read_bytes()
        results[f"{arm}/weights"] = record_of(project, arm)["weights_sha256"]
        assert not [*folder.glob(".*")], "nothing is left of a run under way"
    return results


def record_of(project: Project, arm: str) -> dict[str, object]:
    return json.loads((project.folder / RUNS / arm / "seed-1/record.json").read_text())


@pytest.fixture(scope="module")
def expected(
    cluster: Cluster,  # noqa: ARG001 - where there is none, no test is worth a local call
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, object]:
    """Return the results of a call on this machine."""
    project = new_project(tmp_path_factory.mktemp("local") / "project")
    project.snakemake(*TARGETS)
    return results_of(project)


def test_runs_of_their_own_jobs_survive_what_a_cluster_does_to_them(
    cluster: Cluster, expected: dict[str, object], tmp_path: Path
) -> None:
    project = new_project(tmp_path / "project")
    on_cluster = ClusterProject(project, cluster)
    (project.folder / "results").mkdir()
    (project.folder / "results/demo.forecast.csv").write_text(FORECAST)
    before = cluster.last_job()

    def jobs_of(arm: str) -> list[Job]:
        return [
            job for job in cluster.jobs_after(before) if job["Comment"].endswith(f"wildcards_{STUDY}_{arm}_1")
        ]

    disturbances: dict[str, Callable[[str], object]] = {
        "cancelled": lambda job: cluster.call("scancel", job),
        "requeued": lambda job: cluster.call("scontrol", "requeue", job),
        "late": lambda job: cluster.call("scontrol", "update", f"JobId={job}", "TimeLimit=1"),
    }
    disturbed: dict[str, int] = {}
    under_way: list[str] = []

    def has_ended(process: subprocess.Popen[str]) -> bool:
        """Disturb each arm once, in its first process, which has stopped; any other goes on."""
        for arm in ARMS:
            trainer = on_cluster.stopped(project.folder / RUNS / arm / "seed-1")
            if trainer and not under_way:
                under_way.append(project.command("progress"))
            if trainer and arm in disturbances.keys() - disturbed.keys():
                disturbed[arm] = trainer
                disturbances[arm](jobs_of(arm)[0]["JobId"])
            elif trainer and trainer != disturbed.get(arm):
                with suppress(ProcessLookupError):
                    os.kill(trainer, signal.SIGCONT)
        return process.poll() is not None

    arguments = (*TARGETS, "--set-resources", "train:gpu=1")
    with on_cluster.snakemake(*arguments, **trap(tmp_path / "trap", *HALF_WAY)) as process:
        wait_for(lambda: has_ended(process), "Snakemake")
        on_cluster.succeed(process)

    assert results_of(project) == expected
    assert re.search(r"running: \w+/seed-1: epoch \d of 6, accuracy ", under_way[0])
    assert "4 of 4 runs finished" in project.command("progress")
    assert disturbed.keys() == disturbances.keys()
    assert len(cluster.jobs_after(before)) == sum(len(jobs_of(arm)) for arm in ARMS), (
        "only runs are submitted"
    )
    states = {arm: [job["JobState"] for job in jobs_of(arm)] for arm in ARMS}
    assert states["cancelled"] == ["CANCELLED", "COMPLETED"]
    assert states["requeued"] == ["COMPLETED"]
    assert states["late"] == ["TIMEOUT", "COMPLETED"]
    assert states["hungry"] in (["OUT_OF_MEMORY", "COMPLETED"], ["FAILED", "COMPLETED"])
    [log] = project.folder.glob(f".snakemake/slurm_logs/rule_train/{STUDY}_hungry_1/*.log")
    assert "exceeded memory limit" in log.read_text()
    assert jobs_of("requeued")[0]["Restarts"] == "1"
    for arm in ("cancelled", "requeued", "late"):
        first, second = record_of(project, arm)["sessions"]
        assert second["first_step"] == first["last_step"] > 0
        assert (first["end"] in ("SIGTERM", "cut off"), second["end"]) == (True, "completed")
    # 3 times 200 seconds and 2 minutes more; the second attempt asks for twice as much.
    assert [job["TimeLimit"] for job in jobs_of("cancelled")] == ["00:12:00", "00:24:00"]
    assert jobs_of("late")[1]["TimeLimit"] == "00:24:00"
    assert [job["MinMemoryNode"] for job in jobs_of("hungry")] == ["650M", "1300M"]
    assert {job["TresPerJob"] for arm in ARMS for job in jobs_of(arm)} == {"gres:gpu:1"}
    assert project.jobs("--", *TARGETS) == {}, "a local call takes the results as they are"


def test_packed_runs_survive_the_loss_of_their_node_and_of_the_snakemake_that_submitted_them(
    cluster: Cluster, expected: dict[str, object], tmp_path: Path
) -> None:
    project = new_project(tmp_path / "project")
    on_cluster = ClusterProject(project, cluster)
    before = cluster.last_job()

    def trainers() -> list[int]:
        """Return the processes that have stopped half-way."""
        found = [on_cluster.stopped(folder) for folder in (project.folder / RUNS).glob("*/seed-1")]
        return [number for number in found if number]

    with on_cluster.snakemake(*TARGETS, **trap(tmp_path / "trap", *HALF_WAY)) as process:
        wait_for(trainers, "training")
        [first] = trainers()
        [job] = cluster.jobs_after(before)
        assert job["TimeLimit"] == "00:40:00", "the four runs follow each other"
        cluster.call("scontrol", "update", "NodeName=localhost", "State=down", "Reason=test")
        wait_for(lambda: cluster.jobs_after(before)[0]["JobState"] == "PENDING", "a requeued job")
        cluster.call("scontrol", "update", "NodeName=localhost", "State=resume")
        wait_for(lambda: cluster.jobs_after(before)[0]["JobState"] == "RUNNING", "a resumed node")
        wait_for(lambda: not lives(first), "the end of the first trainer")
        wait_for(trainers, "training again")
        process.kill()
        process.wait()
        (tmp_path / "trap").unlink()
        for trainer in trainers():
            os.kill(trainer, signal.SIGCONT)
    # The job lives on, and the new one of the second call follows it from run to run.
    with on_cluster.snakemake(*TARGETS) as process:
        on_cluster.succeed(process)
    cluster.wait_until_idle()

    assert results_of(project) == expected
    assert [job["Restarts"] for job in cluster.jobs_after(before)] == ["1", "0"]
    assert {job["JobState"] for job in cluster.jobs_after(before)} == {"COMPLETED"}
