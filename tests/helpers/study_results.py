"""Made-up results of a small study, for the tests of what is drawn and written from tables."""

from pathlib import Path

import pandas as pd

from places import TESTS
from replication.analysis.likelihoods import explanation_table
from replication.analysis.range_tests import range_tests
from replication.analysis.recommendations import recommendations
from replication.analysis.study_tables import describe_arms, summarise, summary_columns
from replication.analysis.verdicts import judge
from replication.runs.plan import PlannedStudy, load_plan
from replication.settings.config import Config
from replication.system.tables import write_table

TINY_STUDY = TESTS / "workflow" / "tiny-study.yaml"
ACCURACY = {("cosine", 1): 0.90, ("cosine", 2): 0.92, ("probing", 1): 0.80, ("probing", 2): 0.84}
MORE_SEEDS = {("cosine", 3): 0.91, ("cosine", 4): 0.91, ("probing", 3): 0.82, ("probing", 4): 0.82}
HASH = "ab" * 32


def planned_study(folder: Path, **config: object) -> PlannedStudy:
    """Return the plan of the tiny study."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tiny.yaml").write_text(TINY_STUDY.read_text(encoding="utf-8"), encoding="utf-8")
    return load_plan(Config.model_validate(config), folder)["tiny"]


def made_tables(planned: PlannedStudy) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return tables of runs and of history, two epochs per run, with accuracies that are known."""
    runs, history = [], []
    known = {key: value for key, value in (ACCURACY | MORE_SEEDS).items() if key[1] in planned.seeds}
    for (arm, seed), accuracy in sorted(known.items()):
        key = {"run_id": f"tiny/{arm}/seed-{seed}", "study": "tiny", "arm": arm, "seed": seed}
        facts = {"outcome": "completed", "epochs": 2, "best_epoch": 1, "share_of_epochs_saved": 0.0}
        names = ("dataset_sha256", "settings_sha256", "code_sha256", "commit", "weights_sha256")
        hashes = dict.fromkeys(names, HASH) | {"dataset": planned.arms[arm].data.dataset, "dirty": False}
        runs.append(key | facts | hashes | {"seconds": 3.0, "share_of_seconds_probing": 0.1})
        for epoch in (1, 2):
            values = {
                f"{s}_{k}": accuracy / epoch
                for s in ("train", "validation", "test")
                for k in ("loss", "accuracy")
            }
            counts = {"epoch": epoch, "steps": 10 * epoch}
            history.append(key | counts | values | {"test_accuracy": accuracy, "learning_rate": 0.001})
    return pd.DataFrame(runs), pd.DataFrame(history)


def write_results(folder: Path, planned: PlannedStudy) -> Path:
    """Write the tables of the study as the workflow does; return the study's folder."""
    runs, history = made_tables(planned)
    tables = {
        "runs": runs,
        "history": history,
        "summary": summarise(runs, history, summary_columns(planned.study)),
        "arms": describe_arms(planned),
        "recommendations": recommendations(planned, runs, history),
        "explanations": explanation_table(planned, runs, history),
        "range_tests": range_tests(planned, folder / "runs"),
    }
    claims = judge(planned, runs, history)
    for name, table in (tables | {"claims": claims}).items():
        write_table(table, folder / "studies" / "tiny" / f"{name}.csv")
        write_table(table, folder / (f"tables/{name}.csv" if name != "claims" else "claims.csv"))
    return folder / "studies" / "tiny"
