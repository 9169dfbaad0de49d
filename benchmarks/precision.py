"""Whether bfloat16 ends with the accuracies of float32: `python benchmarks/precision.py [scale=laptop data_dir=...]`.

The study of `precision.yaml`, trained, paired by seed and judged as every study is: equal where the interval of the
differences lies within the margin. Without arguments on the demo's data; else with the configuration that they give,
whose paths are whole ones.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from jobs import snakemake
from measuring import Result, multiplies_in_bfloat16, write
from scaling import copy_with_one_study

STUDY = Path(__file__).with_name("precision.yaml")


def main(configuration: Sequence[str]) -> None:
    """Train the study, and write the differences of each model with their verdict."""
    if not multiplies_in_bfloat16():
        print("No precision: this processor has no bfloat16 to gain from")
        return
    scale = dict(each.split("=", 1) for each in configuration).get("scale", "demo")
    with tempfile.TemporaryDirectory(prefix="precision-") as scratch:
        project = Path(scratch, "project")
        copy_with_one_study(project, STUDY.stem, STUDY.read_text(encoding="utf-8"))
        results = f"results/{scale}/studies/{STUDY.stem}"
        call = ["--config", *configuration] if configuration else []
        snakemake(project, f"{results}/claims.csv", *call, cores="all")
        claims, runs, history = (
            pd.read_csv(project / results / f"{table}.csv") for table in ("claims", "runs", "history")
        )
    write("precision", [difference(claim, runs, history) for _, claim in claims.iterrows()])


def difference(claim: pd.Series, runs: pd.DataFrame, history: pd.DataFrame) -> Result:
    """Return the points between both precisions at the end, seed by seed, and what the rules say of them."""
    (dataset,) = runs.loc[runs["arm"] == claim["arm"], "dataset"].unique()
    at_the_end = history.groupby(["arm", "seed"])["test_accuracy"].last()
    points = 100 * (at_the_end[claim["arm"]] - at_the_end[claim["minus"]])
    margin = f"{100 * claim['margin']:g}"
    what = (
        f"{claim['statement']} on {dataset}, {len(points)} seeds, equal within {margin}: {claim['outcome']}"
    )
    return Result.of("precision", what, "points", "count", points.tolist())


if __name__ == "__main__":
    main(sys.argv[1:])
