"""What a paper takes from the results."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edits import edited
from places import ROOT
from project import write_notebook
from replication.__main__ import main
from replication.errors import ResultsError
from replication.runs.plan import STUDIES
from replication.settings.study import Study
from replication.settings.validation import validate
from replication.settings.yaml_file import read_yaml
from replication.system.tables import read_table, records, write_table
from replication.trace.latex import escaped, macro, numbers, write_latex
from replication.trace.tracer import Tracer

MACRO = re.compile(r"% python -m replication trace (.+) --scale demo\n\\newcommand{\\([A-Za-z]+)}{(.*)}\n")
FOLDER = Path("results/demo.latex")


def tracer() -> Tracer:
    return Tracer("results/demo", STUDIES)


def macros() -> dict[str, str]:
    """Return the value of each macro, as it is printed."""
    found = MACRO.findall(numbers(tracer()))
    assert len({name for _, name, _ in found}) == len(found) == numbers(tracer()).count(r"\newcommand")
    return {
        name: value.replace(r"\,\%", " %").replace(r"\%", "%").replace("$-$", "-") for _, name, value in found
    }


@pytest.mark.usefixtures("project")
def test_the_macros_hold_what_the_tables_hold() -> None:
    shown = macros()
    summary = read_table("results/demo/tables/summary.csv").set_index(["arm", "measure", "epoch"])
    for arm in ("cosine", "probing"):
        row, name = summary.loc[(arm, "test_accuracy", "last")], f"tiny{arm.title()}TestAccuracyLast"
        for end, column in (("", "mean"), ("Low", "low"), ("High", "high")):
            assert shown[name + end] == f"{100 * row[column]:.2f} %"
    claims = {row["id"]: row for row in records(read_table("results/demo/claims.csv"))}
    better = claims["cosine-better"]["estimate"]
    assert shown["tinyClaimCosineBetterEstimate"] == f"{100 * better:+.2f} %"
    assert shown["tinyClaimCosineAccuracyEstimate"] == "91.00 %"
    assert shown["tinyClaimCosineAccuracyExpected"] == "90.00 %"
    assert shown["tinyClaimCosineAccuracyMargin"] == "5.00 %"
    for name, row in claims.items():
        assert shown[macro("tiny", "claim", name, "verdict")] == row["verdict"]


@pytest.mark.usefixtures("project")
def test_each_macro_is_traced_by_the_command_above_it() -> None:
    for asked, name, value in MACRO.findall(numbers(tracer())):
        if name.endswith("Last"):
            assert f"{100 * tracer().number(asked)['value']:.2f}\\,\\%" == value
        elif "Claim" in name:
            assert (
                macro("tiny", "claim", tracer().claim(asked.removeprefix("--claim "))["claim"]["id"]) in name
            )


@pytest.mark.usefixtures("project")
def test_a_table_shows_numbers_as_the_page_does(capsys: pytest.CaptureFixture[str]) -> None:
    FOLDER.mkdir()
    (FOLDER / "old.tex").touch()
    assert main(["latex", "--scale", "demo"]) == 0
    assert capsys.readouterr().out == f"Written: {FOLDER}\n"
    assert sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.*")) == [
        "numbers.tex",
        "tables/tiny-results.tex",
    ]
    lines = (FOLDER / "tables/tiny-results.tex").read_text(encoding="utf-8").splitlines()
    row = read_table("results/demo/tables/summary.csv").query(
        "arm == 'cosine' and measure == 'test_accuracy'"
    )
    last = row[row["epoch"] == "last"].iloc[0]
    interval = f"[{100 * last['low']:.2f}, {100 * last['high']:.2f}]"
    assert lines[4] == r"Arm & Test accuracy & reported \\"
    assert lines[6] == rf"Cosine & 91.00\,\% {interval} & 90.00\,\% \\"
    assert lines[7].startswith("Loss probing & ")
    assert lines[7].endswith(r" &  \\")


@pytest.mark.usefixtures("project")
def test_what_has_no_value_has_no_macro() -> None:
    path = Path("results/demo/tables/summary.csv")
    table = read_table(path)
    table.loc[table["arm"] == "probing", ["mean", "low", "high"]] = float("nan")
    write_table(table[table["arm"] != "cosine"], path)
    shown = macros()
    assert not [name for name in shown if name.startswith(("tinyProbing", "tinyCosine"))]
    assert "tinyClaimCosineAccuracyEstimate" in shown


@pytest.mark.usefixtures("project")
def test_a_table_that_the_results_do_not_have_is_named() -> None:
    study = Path(STUDIES, "tiny.yaml")
    study.write_text(edited(study.read_text(), "measure: test_accuracy}", "measure: seconds, epoch: 1}"))
    with pytest.raises(ResultsError, match=r"no seconds@1 of tiny/cosine.*run `snakemake"):
        write_latex(tracer())
    assert not FOLDER.exists()


@pytest.mark.usefixtures("project")
def test_two_numbers_of_one_name_are_refused() -> None:
    claims = read_table("results/demo/claims.csv")
    write_table(claims.assign(id=["cosine-1", "cosine-one"]), "results/demo/claims.csv")
    with pytest.raises(ResultsError, match=r"claim/cosine-1/.* and .*/cosine-one/.*\\tinyClaimCosineOne"):
        numbers(tracer())


def test_names_differ_in_the_studies_of_the_project() -> None:
    names = []
    for file in sorted((ROOT / "config/studies").glob("*.yaml")):
        study = validate(Study, read_yaml(file), str(file))
        names += [macro(file.stem, arm) for arm in (*study.arms, *study.derived_arms)]
        names += [macro(file.stem, "claim", claim.id) for claim in study.claims]
    assert len(set(names)) == len(names) > 100


def test_the_example_of_the_page_has_its_name() -> None:
    page = (ROOT / "docs/paper.md").read_text(encoding="utf-8")
    [asked, name] = re.findall(r"trace summary:(\S+) .*\n\\newcommand{\\(\w+)}", page)[0]
    assert macro(*re.split("[/:@]", asked)) == name


def test_special_characters_are_escaped() -> None:
    assert escaped(r"50 % of a_b & c \ {d} $1 #2 ~ ^ – -3 a-4") == (
        r"50\,\% of a\_b \& c \textbackslash{} \{d\} \$1 \#2 \textasciitilde{} \textasciicircum{} -- $-$3 a-4"
    )


@pytest.mark.slow
def test_figures_are_drawn_as_pdf_and_results_stay_as_they_are(project: Path) -> None:
    (project / "reports").mkdir()
    write_notebook(project / "reports/tiny.ipynb")
    before = {path: path.read_bytes() for path in Path("results/demo").rglob("*.*")}
    pictures = []
    for _ in range(2):
        assert main(["latex", "--scale", "demo", "--figures"]) == 0
        pictures.append((FOLDER / "figures/tiny-losses.pdf").read_bytes())
    assert pictures[0].startswith(b"%PDF-")
    assert pictures[0] == pictures[1]
    assert {path: path.read_bytes() for path in Path("results/demo").rglob("*.*")} == before


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.usefixtures("project")
def test_a_paper_compiles(tmp_path: Path) -> None:
    write_latex(tracer())
    words = r"\input{numbers} \tinyCosineTestAccuracyLast \input{tables/tiny-results}"
    (tmp_path / FOLDER / "paper.tex").write_text(
        rf"\documentclass{{article}}\usepackage{{booktabs}}\begin{{document}}{words}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper"]
    subprocess.run(command, cwd=tmp_path / FOLDER, check=True)
