"""What is where in the results of a scale, `results/<scale>/`."""

RUNS = "runs"  # below it, a folder for each run, named by its identity
RUN_ID = "{study}/{arm}/seed-{seed}"
# The tables of each study, in `studies/<study>/`, and of all together, in `tables/`: what a row of each is.
STUDY_TABLES = {
    "runs": "One row per run.",
    "history": "One row per epoch: losses, accuracies, learning rate.",
    "summary": "One row per arm and measure: mean over seeds with its 95 % t interval.",
    "arms": "One row per arm: title, settings and how they differ from the report's.",
    "range_tests": "One row per step of each learning-rate range test, with the range that it suggests.",
    "recommendations": "The best schedule of each budget, and those that the runs cannot tell from it.",
    "explanations": "One row per choice of what a report leaves unsaid: how likely it makes the report's numbers.",
}


def run_identity(study: str, arm: str, seed: int) -> str:
    """Return the identity of a run, which is also the path of its folder below `RUNS`."""
    return RUN_ID.format(study=study, arm=arm, seed=seed)


def parts_of_run(run_id: str) -> tuple[str, str, int]:
    """Return study, arm and seed of a run's identity."""
    study, arm, seed = run_id.split("/")
    return study, arm, int(seed.removeprefix("seed-"))
