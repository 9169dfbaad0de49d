"""One page of the last results: `results/README.md`, with a plot for each table."""

import csv
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results"
TITLES = {
    "training": "Training, its evaluation included, on one core",
    "precision": "Test accuracy in bfloat16, less that in float32",
    "evaluation": "Evaluation by the size of the batch, on one core",
    "demo": "The demo beside the work of its runs",
    "jobs": "A run beyond its own work",
    "scaling": "Many runs",
}


def main() -> None:
    """Write the page."""
    mpl.rcParams["svg.hashsalt"] = "replication"
    lines = ["# Benchmarks", "", "Made by `make bench`: medians, first and third quartile.", ""]
    for name, title in TITLES.items():
        path = RESULTS / f"{name}.csv"
        if not path.exists():
            continue
        with path.open(newline="", encoding="utf-8") as stream:
            rows = [*csv.DictReader(stream)]
        machine = path.with_suffix(".machine.txt").read_text(encoding="utf-8").strip()
        lines += [f"## {title}", "", f"{machine}.", "", f"![{title}]({name}.svg)", ""]
        lines += ["| what | median | quartiles | unit | clock |", "| --- | ---: | --- | --- | --- |"]
        lines += [
            f"| {row['what']} | {number(row['median'])} | {number(row['low'])} to {number(row['high'])} "
            f"| {row['unit']} | {row['clock']} |"
            for row in rows
        ]
        lines.append("")
        plot(rows, RESULTS / f"{name}.svg")
    (RESULTS / "README.md").write_text("\n".join(lines), encoding="utf-8")


def number(text: str) -> str:
    """Return a number with four digits at most."""
    value = float(text)
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def plot(rows: list[dict[str, str]], path: Path) -> None:
    """Draw medians with their quartiles, one bar a row; rows of another unit or clock than the last are left out."""
    rows = [row for row in rows if (row["unit"], row["clock"]) == (rows[-1]["unit"], rows[-1]["clock"])]
    medians = [float(row["median"]) for row in rows]
    spread = [[m - float(row["low"]), float(row["high"]) - m] for m, row in zip(medians, rows, strict=True)]
    figure = Figure(figsize=(9, 0.35 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    axes.barh([row["what"] for row in rows], medians, xerr=[*zip(*spread, strict=True)], color="#0173b2")
    axes.invert_yaxis()
    unit, clock = rows[-1]["unit"], rows[-1]["clock"]
    axes.set(
        xlabel=unit if clock == "count" else f"{unit} ({clock} time)",
        xscale="log" if min(medians) > 0 else "linear",
    )
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
