"""How tables, verdicts, audit and dry run grow with the number of runs: `python benchmarks/scaling.py 100 1000`.

A synthetic study of 20 arms, whose run folders are made and not trained. Each stage is a process of its own, start-up
included: its processor time, which a busy machine changes less, and the peak of its resident memory. The dry run takes
turns with that of a bare Snakefile of as many jobs. It is not the first in its folder: bytecode is compiled, and
digests of code are remembered.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from measuring import ROOT, Result, write

ARMS = 20
TURNS = 5
STAGES = ("tables", "claims", "audit")
BARE = """
rule all:
    input: expand("results/{arm}/seed-{seed}/record.json", arm=range(%d), seed=range(%d))
rule train:
    output: "results/{arm}/seed-{seed}/record.json"
    shell: "touch {output}"
"""


@dataclass(frozen=True)
class Spent:
    """What one process took: seconds of processor time, start-up included, and the peak of its memory in MB."""

    seconds: float
    megabytes: float


def main(sizes: Sequence[int]) -> None:
    """Measure each stage for each number of runs, and write a table."""
    ratios, memory, times = [], [], []
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
            project = Path(folder, "project")
            make_project(project, size // ARMS)
            bare = make_bare(Path(folder, "bare"), size // ARMS)
            dry_run(project)
            # In turns, so that what else the machine does concerns both.
            turns = [(dry_run(bare), dry_run(project)) for _ in range(TURNS)]
            spent = dict(
                zip(("dry run of a bare Snakefile", "dry run"), zip(*turns, strict=True), strict=True)
            )
            timed([__file__, "--stage", "make"], project)
            spent |= {stage: (timed([__file__, "--stage", stage], project),) for stage in STAGES}
        ratio = [ours.seconds / bares.seconds for bares, ours in turns]
        ratios.append(
            Result.of("scaling", f"{size} runs: dry run, by a bare Snakefile's", "times", "processor", ratio)
        )
        for stage, each in spent.items():
            what = f"{size} runs: {stage}"
            memory.append(Result.of("scaling", what, "MB", "count", [one.megabytes for one in each]))
            times.append(Result.of("scaling", what, "s", "processor", [one.seconds for one in each]))
        print(f"{size} runs: measured", flush=True)
    write("scaling", [*ratios, *memory, *times])


def copy_project(folder: Path) -> None:
    """Copy what a call of Snakemake needs of the project."""
    for name in ("workflow", "envs", "reports", "config", "profiles", "schedules"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", folder)


def copy_with_one_study(folder: Path, name: str, study: str) -> None:
    """Copy what a call of Snakemake needs of the project, with one study in place of its own."""
    copy_project(folder)
    for other in (folder / "config/studies").glob("*.yaml"):
        other.unlink()
    (folder / f"config/studies/{name}.yaml").write_text(study, encoding="utf-8")


def make_project(folder: Path, seeds: int) -> None:
    """Copy the project, with the synthetic study alone."""
    tiny = (ROOT / "tests/workflow/tiny-study.yaml").read_text(encoding="utf-8")
    more = "".join(
        f"  arm-{n}:\n    title: Arm {n}\n    settings:\n      optimizer: {{learning_rate: {n / 1000}}}\n"
        for n in range(1, ARMS - 1)
    )
    tiny = tiny.replace("tables:\n", f"{more}tables:\n").replace("seeds: 2", f"seeds: {seeds}")
    copy_with_one_study(folder, "tiny", tiny)
    from project import write_notebook

    write_notebook(folder / "reports/tiny.ipynb")


def make_bare(folder: Path, seeds: int) -> Path:
    """Make a folder with a Snakefile of as many jobs and nothing else."""
    folder.mkdir()
    (folder / "Snakefile").write_text(BARE % (ARMS, seeds), encoding="utf-8")
    return folder


def dry_run(folder: Path) -> Spent:
    """Measure a dry run in `folder`."""
    return timed(["-m", "snakemake", "--dry-run", "--quiet", "all", "--cores", "1"], folder)


def timed(arguments: Sequence[str], folder: Path) -> Spent:
    """Run a Python process in `folder`, and return what it took."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)}: failed")
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def run_stage(stage: str) -> None:
    """Do one stage in the current folder."""
    from replication.runs.plan import load_plan
    from replication.settings.config import Config

    planned = load_plan(Config(), "config/studies")["tiny"]
    results = Path("results/demo")
    if stage == "make":
        make_results(planned, results)
    elif stage == "tables":
        from replication.analysis.study_tables import write_study_tables

        write_study_tables(planned, results / "runs", results / "studies/tiny")
    elif stage == "claims":
        from replication.analysis.verdicts import judge
        from replication.system.tables import read_table

        judge(planned, *(read_table(results / f"studies/tiny/{name}.csv") for name in ("runs", "history")))
    else:
        from replication.audit.auditor import run_audit

        if not run_audit({}, sys.stderr, sys.stderr):
            raise SystemExit("the audit should have passed")


def make_results(planned, results: Path) -> None:
    """Make the run folders, without waiting for the disk, and all that is derived from them."""
    from made_runs import made_dataset, make_run, write_made_dataset
    from replication.audit.derivation import derive
    from replication.system import files

    files._synchronise = lambda _path: None
    dataset = made_dataset("digits")
    write_made_dataset(dataset, Path("resources/datasets"))
    for run_id in planned.run_ids:
        make_run(results / "runs", planned, run_id, dataset)
    derived = derive({"tiny": planned}, results, Path.cwd() / "made", {})
    if derived.failed:
        raise SystemExit(str(derived.failed))
    shutil.copytree(derived.folder, results, dirs_exist_ok=True)
    shutil.rmtree("made")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if "--stage" in sys.argv:
        run_stage(sys.argv[2])
    else:
        main([int(argument) for argument in sys.argv[1:]] or [100, 1000])
