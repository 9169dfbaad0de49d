"""The report: one HTML file that is read offline, made of tables and executed notebooks only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from replication.analysis import verdicts
from replication.analysis.kinds_of_evidence import KINDS
from replication.analysis.measures import DERIVED
from replication.report import parts
from replication.report.answer import answer
from replication.report.audit_stamp import NOT_AUDITED
from replication.report.charts import chart_library
from replication.report.discrepancies import discrepancies_html
from replication.report.error_rates import error_rates
from replication.report.formatting import counted
from replication.report.inline_svg import Drawings
from replication.report.notebook_html import notebooks_html
from replication.report.practice import Titles, budgets
from replication.report.report_facts import ReportFacts, load_reports, report_of
from replication.report.sparklines import sparkline
from replication.report.statements import statements
from replication.report.studies import (
    COSTS,
    charts_of,
    costs_of,
    derived_arm,
    learning_rates,
    questions_of,
    settings_of,
    tables_of,
    trained_arm,
    with_drawings,
)
from replication.report.templates import filled_in, verbatim
from replication.runs.plan import PlannedStudy
from replication.settings.measures import MEASURES
from replication.system.files import write_text
from replication.system.tables import read_table, records

# The figure to remember, real curves of the main comparison; without it, the first of curves that there is.
MAIN_FIGURE = "automated-lr-schedulers"


@dataclass(frozen=True)
class Tables:
    """The combined tables of a scale."""

    claims: pd.DataFrame
    runs: pd.DataFrame
    history: pd.DataFrame
    summary: pd.DataFrame
    arms: pd.DataFrame
    recommendations: pd.DataFrame
    explanations: pd.DataFrame
    schedules: pd.DataFrame

    @classmethod
    def read(cls, results: str | Path) -> "Tables":
        """Read the tables in `results/<scale>/`."""
        names = (field.name for field in fields(cls) if field.name != "claims")
        tables = {name: read_table(Path(results, "tables", f"{name}.csv")) for name in names}
        return cls(read_table(Path(results, "claims.csv")), **tables)

    def of_study(self, name: str) -> "Tables":
        """Return the rows of one study; the schedules' curves are nobody's."""
        tables = {field.name: getattr(self, field.name) for field in fields(self)}
        return Tables(
            **{
                key: table[table["study"] == name] if "study" in table.columns else table
                for key, table in tables.items()
            }
        )

    @property
    def titles(self) -> Titles:
        """The title of each arm, by study and arm."""
        named = self.arms[["study", "arm", "title"]].to_dict("records")
        return {(row["study"], row["arm"]): row["title"] for row in named}


def render(
    plan: Mapping[str, PlannedStudy],
    results: str | Path,
    folder: str | Path,
    output: str | Path,
) -> None:
    """Write the report of a scale.

    Parameters
    ----------
    plan
        The studies that the report is about, by name.
    results
        The folder `results/<scale>`.
    folder
        The folder `reports`, with the parts of the page.
    """
    tables, folder = Tables.read(results), Path(folder)
    known = load_reports(folder / parts.REPORTS)
    drawings = Drawings()
    folders = [Path(results, "studies", name) for name in plan]
    notebooks = notebooks_html(of_study / "notebook.ipynb" for of_study in folders)
    studies = [
        _study(planned, of_study, notebook, tables.of_study(planned.name), known, drawings)
        for planned, of_study, notebook in zip(plan.values(), folders, notebooks, strict=True)
    ]
    charts = {name: chart for study in studies for name, chart in study["charts"].items()}
    library, library_style = chart_library()
    page = filled_in(
        folder / parts.TEMPLATE,
        style=verbatim(folder / parts.STYLE),
        library_style=library_style,
        library=library,
        scripts=[verbatim(folder / script) for script in parts.SCRIPTS],
        charts=_json(charts),
        definitions=drawings.definitions(),
        scale=next(iter(plan.values())).scale,
        audit=Markup(NOT_AUDITED),
        data=_data(tables),
        answer=answer(plan, tables.claims, tables.titles, known),
        main_figure=MAIN_FIGURE if MAIN_FIGURE in charts else next(iter(charts), None),
        counted=counted,
        kinds=KINDS,
        reports=_reports(plan, known),
        budgets=budgets(plan, tables.recommendations, tables.runs, tables.titles),
        studies=studies,
        discrepancies=discrepancies_html(
            folder / parts.DISCREPANCIES, folder / parts.DISCREPANCIES_TEMPLATE, known
        ),
        gallery=_gallery(tables.schedules),
        cost_headings=[MEASURES[measure].label for measure in COSTS],
        rules=_rules(),
        error_rates=error_rates(folder / parts.ERROR_RATES),
    )
    write_text(output, page)


def _data(tables: Tables) -> dict[str, Any]:
    """Return what the results rest on."""
    kinds = tables.claims.loc[tables.claims["outcome"] != verdicts.NOT_RUN, "evidence"]
    planned = tables.runs[tables.runs["outcome"] != DERIVED]
    missing = planned["outcome"] == "missing"
    return {
        "nothing": bool(missing.all()),
        "sets": sorted(tables.runs["dataset"].dropna().unique()),
        "runs": len(planned),
        "missing": int(missing.sum()),
        "evidence": [kind for kind in KINDS if (kinds == kind).any()],
    }


def _reports(plan: Mapping[str, PlannedStudy], known: Mapping[str, ReportFacts]) -> list[ReportFacts]:
    """Return the reports that the studies are about, in the order of their list."""
    named = {planned.study.report for planned in plan.values()}
    return [report_of(file, known) for file in dict.fromkeys([*known, *sorted(named)]) if file in named]


def _study(
    planned: PlannedStudy,
    folder: Path,
    notebook: str,
    tables: Tables,
    known: Mapping[str, ReportFacts],
    drawings: Drawings,
) -> dict[str, Any]:
    """Return everything about a study; the tables hold only its rows."""
    name = planned.name
    arms = list(records(tables.arms))
    trained = [arm for arm in arms if arm["arm"] in planned.arms]
    titles = {arm["arm"]: arm["title"] for arm in arms}
    rates = learning_rates(tables.history, list(titles))
    shared, own = settings_of(trained)
    stated, different = statements(planned, tables.claims, list(titles), known)
    return {
        "name": name,
        "title": planned.study.title,
        "report": report_of(planned.study.report, known),
        "description": planned.study.description,
        "statements": stated,
        "different": different,
        "shared_settings": shared,
        "own_settings": own,
        "tables": tables_of(planned, tables.summary, tables.claims, titles, rates),
        "questions": questions_of(tables.explanations),
        "notebook": with_drawings(notebook, folder / "figures", name, drawings),
        "charts": dict(charts_of(folder, name, tables.history, titles)),
        "rates": rates,
        "costs": costs_of(trained, tables.summary),
        "arms": [trained_arm(arm, tables.runs) for arm in trained],
        "derived": [derived_arm(arm, tables.runs) for arm in arms if arm not in trained],
    }


def _gallery(schedules: pd.DataFrame) -> list[tuple[str, Markup]]:
    """Return the name and the curve of each schedule over the budget."""
    return [
        (str(name), sparkline(rows["multiplier"].tolist(), width=240, height=64))
        for name, rows in schedules.groupby("schedule", sort=False)
    ]


def _json(charts: Mapping[str, Any]) -> Markup:
    """Return the charts' data for a script element, which a `</script>` in a title would end."""
    text = json.dumps(charts, separators=(",", ":"), ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c"))


def _rules() -> dict[str, str]:
    return {
        "look": f"{verdicts.LOOK_LEVEL:.1%}",
        "least_seeds": str(verdicts.LEAST_SEEDS),
        "prediction": f"{1 - 2 * verdicts.PREDICTION_TAIL:.0%}",
        "widest": f"{verdicts.WIDEST_PREDICTION:g}",
    }
