"""The verdicts in a terminal, and the command that prints them."""

from pathlib import Path

import pandas as pd
import pytest

from places import ROOT
from replication.__main__ import main
from replication.errors import ResultsError
from replication.report import parts
from replication.report.report_facts import load_reports
from replication.report.verdict_table import SCREEN, WIDTH, verdict_summary, verdict_table
from replication.system.tables import read_table, write_table
from study_results import planned_study, write_results


def test_each_statement_has_a_line(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config"))
    assert verdict_table(tmp_path).splitlines() == [
        "",
        "tiny (000_75a4cf886b356ddd.txt)",
        "  cosine-accuracy  not testable here (conceptual)",
        "  cosine-better    undecided (conceptual), 3 seeds at least are needed",
        "",
        "2 statements: 1 not testable here (conceptual), 1 undecided (conceptual)",
        f"Report: {tmp_path / 'report.html'}",
    ]


def test_another_reading_stands_below_the_plainest_and_is_not_counted(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config"))
    claims = read_table(tmp_path / "claims.csv")
    other = claims.iloc[[1]].assign(id="a-bit-better", plainest=False)
    write_table(pd.concat([other, claims]), tmp_path / "claims.csv")
    lines = verdict_table(tmp_path).splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ["cosine-better", "a-bit-better", "cosine-accuracy"]
    assert lines[3].startswith("    a-bit-better   undecided")
    assert lines[-2].startswith("2 statements:")


def test_the_report_s_own_data_show_the_verdict(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config", scale="laptop", seeds=4))
    assert "2 statements: 2 reproduced (direct)" in verdict_table(tmp_path)


def test_the_summary_counts_statements_by_report_and_evidence(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config"))
    claims = read_table(tmp_path / "claims.csv")
    outcomes = ("contradicted", "supported", "not run", "reproduced")
    kinds = ("conceptual", "conceptual", "reduced", "direct")
    more = [
        claims.iloc[[1]].assign(outcome=outcome, evidence=kind, report="another.txt")
        for outcome, kind in zip(outcomes, kinds, strict=True)
    ]
    other = claims.iloc[[1]].assign(id="a-bit-better", plainest=False, outcome="contradicted")
    write_table(pd.concat([claims, other, *more]), tmp_path / "claims.csv")
    lines = verdict_summary(tmp_path, {}).splitlines()
    assert lines[0].split()[-6:] == ["contradicted", "undecided", "not", "judged", "not", "run"]
    assert [line.split() for line in lines[1:5]] == [
        ["000_75a4cf886b356ddd.txt", "conceptual", "1", "1"],
        ["another.txt", "direct", "1", "1"],
        ["conceptual", "1", "1"],
        ["all", "6", "2", "1", "1", "1", "1"],
    ]
    assert lines[6] == "Contradicted: the report's words, and ours"
    assert lines[7].startswith('  tiny: "')
    assert lines[-2:] == [
        f"Report: {tmp_path / 'report.html'}",
        f"Next: snakemake audit --config scale={tmp_path.name} checks every number of it",
    ]


def test_the_summary_is_one_screen_however_much_is_contradicted(tmp_path: Path) -> None:
    results = tmp_path / "demo"
    write_results(results, planned_study(tmp_path / "config"))
    claims = read_table(results / "claims.csv")
    one = claims.iloc[[1]].assign(outcome="contradicted", quote="many words " * 50)
    rows = [
        one.assign(report=f"00{number % 5}_0123456789abcdef.txt", evidence=kind)
        for number, kind in enumerate(["conceptual"] * 30 + ["direct"])
    ]
    write_table(pd.concat(rows), results / "claims.csv")
    (results / "audit.json").touch()
    lines = verdict_summary(results, {}).splitlines()
    assert len(lines) == SCREEN
    assert max(len(line) for line in lines if str(results) not in line) <= WIDTH
    assert "  and " in lines[-4]
    assert lines[-4].endswith("more: python -m replication verdicts --all")
    assert lines[-1].startswith("Next: snakemake crate")


def test_the_summary_names_reports_as_readers_know_them(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config"))
    known = load_reports(ROOT / "reports" / parts.REPORTS)
    name = known["000_75a4cf886b356ddd.txt"].short
    assert verdict_summary(tmp_path, known).splitlines()[1].startswith(f"{name}  ")
    assert max(len(facts.short) for facts in known.values()) <= 28


def test_a_summary_without_contradictions_says_so(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config"))
    assert "No statement is contradicted." in verdict_summary(tmp_path, {})


def test_without_results_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="run `snakemake --cores all` first"):
        verdict_table(tmp_path)


def test_the_command_prints_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verdicts", "--scale", "laptop"]) == 1
    assert "results/laptop/claims.csv does not exist" in capsys.readouterr().err
    write_results(tmp_path / "results/laptop", planned_study(tmp_path / "config", scale="laptop"))
    assert main(["verdicts", "--scale", "laptop"]) == 0
    assert "all 2 " in capsys.readouterr().out
    assert main(["verdicts", "--scale", "laptop", "--all"]) == 0
    assert "2 statements" in capsys.readouterr().out


def test_the_scale_is_that_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("scale: paper\n")
    assert main(["verdicts"]) == 1
    assert "results/paper/claims.csv" in capsys.readouterr().err
