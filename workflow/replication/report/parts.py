"""The files that the report is made of besides tables and notebooks: one list, for rules, audit and crate."""

FOLDER = "reports"
TEMPLATE = "report.html.j2"
STYLE = "report.css"
SCRIPTS = ("page/statements.js", "page/charts.js")
REPORTS = "reports.yaml"
DISCREPANCIES, DISCREPANCIES_TEMPLATE = "discrepancies.yaml", "discrepancies.html.j2"
FACTS = "discrepancy-facts.json"
ERROR_RATES = "verdict-errors.csv"
SECTIONS = tuple(
    f"page/{name}.html.j2"
    for name in ("macros", "answer", "statements", "studies", "practice", "costs", "verdicts", "evidence")
)
PARTS = (
    TEMPLATE,
    STYLE,
    *SCRIPTS,
    REPORTS,
    DISCREPANCIES,
    DISCREPANCIES_TEMPLATE,
    FACTS,
    ERROR_RATES,
    *SECTIONS,
)
PAGE_FILES = tuple(f"{FOLDER}/{part}" for part in PARTS)  # relative to the project
