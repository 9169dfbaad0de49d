"""What published results say: the page `docs/findings.md`, and the answer in the README with its picture.

All numbers come from the published tables; the words around them stand in `reports/findings.md.j2`, and what was looked
at where a result surprises in `reports/looked-into.yaml`.
"""

import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from pydantic import Field

from replication.analysis import verdicts
from replication.analysis.kinds_of_evidence import KINDS
from replication.errors import ResultsError
from replication.publication import ARCHIVE, CONFIGURATION, COST, FORECAST, unpack
from replication.report import parts
from replication.report.answer import (
    GROUPS,
    HOLDS,
    answer_in_words,
    by_report,
    counts_by_kind,
    outcome_counts,
)
from replication.report.claim_words import our_words, reported_words, what_we_saw, what_would_decide
from replication.report.drawing import COLOURS, own_style
from replication.report.figures import svg_of
from replication.report.practice import budgets
from replication.report.report_facts import ReportFacts, load_reports, report_of
from replication.report.templates import filled_in
from replication.runs.plan import STUDIES, PlannedStudy, plan_of
from replication.settings.base import Section
from replication.settings.validation import validate
from replication.settings.yaml_file import read_yaml
from replication.system.files import write_text
from replication.system.tables import read_table, records

PAGE, README, PICTURE = Path("docs/findings.md"), Path("README.md"), Path("docs/answer.svg")
TEMPLATE, LOOKED_INTO = "findings.md.j2", "looked-into.yaml"
BEGIN, END = "<!-- The answer, by `python -m replication findings`: -->", "<!-- End of the answer. -->"
# Colours of the figures, which the colour-blind tell apart; what was not tested is a frame.
FILLED = {"hold": COLOURS[0], "contradicted": COLOURS[3], "undecided": COLOURS[7], "not tested": "none"}
IN_MARKDOWN = re.compile(r"([\\`*_\[\]<>|])")


class LookedInto(Section):
    """Where our runs contradict a report, or surprise: whether a fault of ours could be the cause."""

    scales: dict[str, dict[str, str]] = Field(
        description="For each scale, from `study/reading` to what was looked at and what it shows."
    )


def write_findings(published: Path) -> list[Path]:
    """Write what published results say, and return the files that say it.

    Raises
    ------
    ResultsError
        Nothing is published there, it is not of today's studies, or the README has no place for the answer.
    """
    texts = findings(published)
    for path, text in texts.items():
        write_text(path, text)
    return list(texts)


def findings(published: Path) -> dict[Path, str]:
    """Return what `write_findings` writes: each file, and its text."""
    config = read_yaml(published / CONFIGURATION)
    # All studies of the scale: a statement whose study was not published is one that was not run.
    everything = plan_of({key: value for key, value in config.items() if key != "only"})
    claims = read_table(published / "claims.csv")
    statements = _statements(claims, everything)
    known = load_reports(Path(parts.FOLDER, parts.REPORTS))
    plan = {name: everything[name] for name in dict.fromkeys(claims["study"])}
    found = looked_into(published.name)
    tables = _tables(published, ("arms", "runs", "recommendations", "explanations"))
    titles = {(row["study"], row["arm"]): row["title"] for row in records(tables["arms"])}
    sentence = answer_in_words(statements)
    page = filled_in(
        Path(parts.FOLDER, TEMPLATE),
        place=published,
        sentence=sentence,
        kinds=counts_by_kind(statements),
        meanings=KINDS,
        reports=[
            _report(report_of(file, known), of_report, claims, plan, titles, found)
            for file, of_report in by_report(statements, known)
        ],
        questions=list(records(tables["explanations"].drop_duplicates(["study", "question"]))),
        studies=[_study(planned, tables["runs"]) for planned in plan.values()],
        left=[planned.study.title for name, planned in everything.items() if name not in plan],
        budgets=budgets(plan, tables["recommendations"], tables["runs"], titles),
        forecast=_forecast(published / FORECAST),
        cost=json.loads((published / COST).read_text(encoding="utf-8")),
        audit=json.loads((published / "audit.json").read_text(encoding="utf-8")),
    )
    readme = README.read_text(encoding="utf-8")
    return {PAGE: page, README: _with_answer(readme, sentence), PICTURE: _picture(statements, known)}


def _statements(claims: pd.DataFrame, plan: Mapping[str, PlannedStudy]) -> pd.DataFrame:
    """Return the plainest reading of every statement, those of studies that were not published as not run."""
    if unknown := [study for study in dict.fromkeys(claims["study"]) if study not in plan]:
        raise ResultsError(f"{STUDIES}: has no study {unknown[0]}, which was published: publish again")
    others = [
        {
            "study": name,
            "report": planned.study.report,
            "statement": statement.id,
            "quote": statement.quote,
            "outcome": verdicts.NOT_RUN,
        }
        for name, planned in plan.items()
        if name not in set(claims["study"])
        for statement in planned.study.statements
    ]
    return pd.concat([claims[claims["plainest"]], pd.DataFrame(others)], ignore_index=True)


def looked_into(scale: str) -> Mapping[str, str]:
    """Return what was looked at where the results of a scale surprise, from `study/reading` to words.

    Raises
    ------
    ConfigurationError
        The file is not valid.
    """
    path = Path(parts.FOLDER, LOOKED_INTO)
    return validate(LookedInto, read_yaml(path), str(path)).scales.get(scale, {})


def _tables(published: Path, names: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return some of the combined tables."""
    with tempfile.TemporaryDirectory(prefix="findings-") as folder:
        unpack(published / f"tables{ARCHIVE}", Path(folder))
        return {name: read_table(Path(folder, "tables", f"{name}.csv")) for name in names}


def _forecast(path: Path) -> dict[str, float]:
    """Return the hours of a core that were forecast for each study; none without a forecast."""
    if not path.is_file():
        return {}
    hours = read_table(path).groupby("study")["hours"].sum()
    return {str(study): float(sum_of_arms) for study, sum_of_arms in hours.items()}


def _report(
    facts: ReportFacts,
    statements: pd.DataFrame,
    claims: pd.DataFrame,
    plan: Mapping[str, PlannedStudy],
    titles: Mapping[tuple[str, str], str],
    found: Mapping[str, str],
) -> dict[str, Any]:
    """Return what the runs say about one report: counts by kind of evidence, and each statement that they concern."""
    groups = {
        "Hold": HOLDS,
        "Do not hold": (verdicts.CONTRADICTED,),
        "Undecided": (verdicts.UNDECIDED,),
        "Cannot be told apart: the runs are identical": (verdicts.IDENTICAL,),
    }
    return {
        "facts": facts,
        "kinds": counts_by_kind(statements),
        "groups": {
            title: [
                {
                    **_statement(row, plan[row["study"]], titles),
                    "others": _other_readings(claims, row["study"], row["statement"]),
                    "found": found.get(f"{row['study']}/{row['id']}"),
                }
                for row in records(statements[statements["outcome"].isin(outcomes)])
            ]
            for title, outcomes in groups.items()
        },
    }


def _statement(
    row: Mapping[str, Any], planned: PlannedStudy, titles: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    claim = next((claim for claim in planned.study.claims if claim.id == row["id"]), None)
    if claim is None:
        raise ResultsError(
            f"{planned.file}: has no {planned.name}/{row['id']}, which was published: publish again"
        )
    own = {arm: f"*{_plain(title)}*" for (study, arm), title in titles.items() if study == planned.name}
    return {
        **row,
        "quote": _plain(" ".join(str(row["quote"]).split())),
        "seen": "" if row["estimate"] is None else what_we_saw(row, claim, own),
        "ours": our_words(row),
        "reported": reported_words(row, claim),
        "more": what_would_decide(row),
    }


def _other_readings(claims: pd.DataFrame, study: str, statement: str) -> str:
    """Return what became of a statement's other readings, such as `1 holds, 2 undecided`; empty if none is judged."""
    others = claims[(claims["study"] == study) & (claims["statement"] == statement) & ~claims["plainest"]]
    counts = {name: int(others["outcome"].isin(outcomes).sum()) for name, outcomes in GROUPS.items()}
    words = {name: "holds" if (name, count) == ("hold", 1) else name for name, count in counts.items()}
    return ", ".join(
        f"{count} {words[name]}" for name, count in counts.items() if count and name != "not tested"
    )


def _plain(text: str) -> str:
    """Return text as Markdown that shows it as it is."""
    return IN_MARKDOWN.sub(r"\\\1", text)


def _study(planned: PlannedStudy, runs: pd.DataFrame) -> dict[str, Any]:
    own = runs[(runs["study"] == planned.name) & runs["arm"].isin(planned.arms)]
    differences = [planned.differences(arm) for arm in own["arm"].unique()]
    return {
        "name": planned.name,
        "title": planned.study.title,
        "arms": own["arm"].nunique(),
        "seeds": own["seed"].nunique(),
        "runs": len(own),
        "data": ", ".join(sorted(own["dataset"].dropna().unique())),
        "differences": [
            one
            for one in min(differences, key=len, default=[])
            if all(one in others for others in differences)
        ],
    }


def _with_answer(readme: str, sentence: str) -> str:
    """Return the README with another answer between its marks."""
    before, begun, rest = readme.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        raise ResultsError(
            f"{README}: has no place for the answer: put the lines {BEGIN!r} and {END!r} into it"
        )
    picture = f"[![How many statements of each report hold]({PICTURE})]({PAGE})"
    text = f"**{sentence}** [What was found, by report]({PAGE})."
    return f"{before}{BEGIN}\n{text}\n\n{picture}\n{END}{after}"


def _picture(statements: pd.DataFrame, known: Mapping[str, ReportFacts]) -> str:
    """Draw how many statements of each report hold, as SVG."""
    rows: list[tuple[str, dict[str, int]]] = []
    for file, of_report in by_report(statements, known):
        name = report_of(file, known).short
        is_run = of_report["outcome"] != verdicts.NOT_RUN
        rows += [
            (f"{name}, {kind}", counts) for kind, counts in counts_by_kind(of_report[is_run]).items() if kind
        ]
        if not is_run.all():
            rows.append((f"{name}, not run", outcome_counts(of_report[~is_run])))
    with own_style():
        figure = Figure(figsize=(8, 0.42 * len(rows) + 0.9), layout="constrained")
        axis = figure.subplots()
        left = [0] * len(rows)
        for name, outcomes in GROUPS.items():
            widths = [sum(counts[outcome] for outcome in outcomes) for _, counts in rows]
            bars = axis.barh(
                range(len(rows)),
                widths,
                left=left,
                color=FILLED[name],
                edgecolor="#5b6470",
                lw=0.6,
                label=name,
            )
            axis.bar_label(bars, [width or "" for width in widths], label_type="center", fontsize=8)
            left = [start + width for start, width in zip(left, widths, strict=True)]
        axis.set_yticks(range(len(rows)), [name for name, _ in rows])
        axis.invert_yaxis()
        axis.grid(False)
        axis.spines[["top", "right"]].set_visible(False)
        axis.set_xlabel("statements")
        figure.legend(loc="outside upper center", ncols=len(GROUPS), frameon=False)
    return svg_of(figure)
