"""What a paper takes from the results: tables and figures for LaTeX, and a macro for each number."""

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from replication.errors import ResultsError
from replication.report.claim_words import our_number
from replication.report.formatting import format_value
from replication.report.notebooks import draw_pdfs
from replication.report.readings import is_event
from replication.report.studies import shown_table
from replication.system.files import replace_folder
from replication.system.missing import MISSING
from replication.system.tables import records
from replication.trace.tracer import Tracer, titles_of

NUMBERS = "numbers.tex"
TRACE = "python -m replication trace"
ENDS = ("low", "high")  # of an interval
# Of what stands in a name beside letters; 2-5 and 25 are two names.
_WORDS = dict(
    zip(
        "0123456789",
        ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"),
        strict=True,
    ),
    **{"-": "Dash"},
)
_SPECIAL = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    MISSING: "--",
}


def write_latex(tracer: Tracer, notebooks: Path | None = None) -> Path:
    """Write the folder `<results>.latex`, which it replaces whole, and return it.

    Parameters
    ----------
    notebooks
        The folder with the notebook of each study, whose figures are drawn; None: no figures.

    Raises
    ------
    ResultsError
        The study files ask for a number that the results do not have, or two numbers would have one name.
    """
    target = tracer.results.with_name(f"{tracer.results.name}.latex")
    with tempfile.TemporaryDirectory(prefix="latex-") as scratch:
        folder = Path(scratch, "latex")
        (folder / "tables").mkdir(parents=True)
        (folder / NUMBERS).write_text(numbers(tracer), encoding="utf-8")
        for name, text in _tables(tracer):
            (folder / "tables" / f"{name}.tex").write_text(text, encoding="utf-8")
        if notebooks:
            for study in tracer.studies:
                tables = tracer.results / "studies" / study
                draw_pdfs(notebooks / f"{study}.ipynb", tables, folder / "figures")
        replace_folder(target, folder)
    return target


def escaped(text: str) -> str:
    """Return text as LaTeX prints it, with a thin space before a percent sign, and a minus that is no hyphen."""
    plain = "".join(_SPECIAL.get(character, character) for character in text)
    return re.sub(r"(?<![\w-])-(?=\d)", "$-$", plain).replace(r" \%", r"\,\%")


def macro(*parts: str) -> str:
    """Return the name of a macro, which is of letters only: `budgets`, `linear-5` give `budgetsLinearFive`."""
    words = re.findall(r"[A-Za-z]+|[0-9]|(?<=[0-9])-(?=[0-9])", "-".join(parts))
    joined = "".join(_WORDS.get(word, word[0].upper() + word[1:]) for word in words)
    return joined[0].lower() + joined[1:]


def numbers(tracer: Tracer) -> str:
    """Return a macro for each number that a table or a verdict shows, with the command that traces it.

    What has no value has no macro: a paper that asks for it does not compile.
    """
    lines, known = [], dict[str, str]()
    for parts, value, asked in (*_means(tracer), *_verdicts(tracer)):
        if value == MISSING:
            continue
        name = macro(*parts)
        if known.setdefault(name, "/".join(parts)) != "/".join(parts):
            raise ResultsError(
                f"{known[name]} and {'/'.join(parts)} would both be called \\{name}: rename an arm or a reading"
            )
        lines += [f"% {TRACE} {asked} --scale {tracer.scale}", rf"\newcommand{{\{name}}}{{{escaped(value)}}}"]
    return "\n".join([f"% From {tracer.results.as_posix()}. Written by a program: do not edit.", *lines, ""])


def _means(tracer: Tracer) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield what is in the tables, once: parts of the name, value as shown, what traces it."""
    shown = {
        (study, arm, column.measure, str(column.epoch)): None
        for study, settings in tracer.studies.items()
        for table in settings.tables
        for arm in _rows(tracer, study, table.arms)
        for column in table.columns
    }
    for study, arm, measure, epoch in shown:
        row = tracer.summary.loc[tracer.summary_row(study, arm, measure, epoch)]
        for key in ("mean", *ENDS):
            name = (study, arm, measure, epoch, *([key] if key in ENDS else []))
            yield name, format_value(measure, row[key]), f"summary:{study}/{arm}:{measure}@{epoch}"


def _rows(tracer: Tracer, study: str, arms: list[str]) -> list[str]:
    """Return those of the arms that the results have."""
    known = set(tracer.summary.loc[tracer.summary["study"] == study, "arm"])
    return [arm for arm in arms if arm in known]


def _verdicts(tracer: Tracer) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Yield what the verdicts show: our estimate and interval, the reported value, its margin, and the verdict."""
    for row in records(tracer.claims):
        ends = () if is_event(row) else ENDS
        shown = {key: our_number(row, key) for key in ("estimate", *ends)}
        shown |= {key: format_value(row["measure"], row[key]) for key in ("expected", "margin")}
        for key, value in (shown | {"verdict": row["verdict"]}).items():
            yield (row["study"], "claim", row["id"], key), value, f"--claim {row['study']}/{row['id']}"


def _tables(tracer: Tracer) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each table."""
    for study, settings in tracer.studies.items():
        summary, claims = (each[each["study"] == study] for each in (tracer.summary, tracer.claims))
        for table in settings.tables:
            shown = shown_table(table, titles_of(settings), summary, claims)
            asked = f"{TRACE} {study}/{table.id}:ROW:COLUMN --scale {tracer.scale}"
            yield f"{study}-{table.id}", _tabular(shown, asked)


def _tabular(table: dict[str, Any], asked: str) -> str:
    """Return a table for the package booktabs; what is reported stands in columns of its own."""
    reported = [
        any(row["cells"][n]["reported"] for row in table["rows"]) for n in range(len(table["headings"]))
    ]
    heads = ["Arm"]
    for heading, beside in zip(table["headings"], reported, strict=True):
        heads += [heading, "reported"] if beside else [heading]
    rows = []
    for row in table["rows"]:
        cells = [row["title"]]
        for cell, beside in zip(row["cells"], reported, strict=True):
            ours = " ".join(filter(None, (cell["mean"], cell["interval"], cell["seeds"])))
            cells += [ours, cell["reported"]] if beside else [ours]
        rows.append(cells)
    return "\n".join(
        [
            f"% {table['title']}. Means over seeds with 95 % t intervals. Needs the package booktabs.",
            f"% Where a number comes from: {asked}",
            rf"\begin{{tabular}}{{@{{}}l{'r' * (len(heads) - 1)}@{{}}}}",
            r"\toprule",
            _line(heads),
            r"\midrule",
            *map(_line, rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _line(cells: list[str]) -> str:
    return rf"{' & '.join(map(escaped, cells))} \\"
