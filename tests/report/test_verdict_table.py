"""The verdicts in a terminal, and the command that prints them."""

from pathlib import Path

import pytest

from replication.__main__ import main
from replication.errors import ResultsError
from replication.report.verdict_table import verdict_table
from study_results import planned_study, write_results


def test_each_claim_has_a_line(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config"))
    lines = verdict_table(tmp_path).splitlines()
    assert "tiny (000_75a4cf886b356ddd.txt)" in lines
    assert "  cosine-accuracy  not comparable; on these data: inconclusive" in lines
    assert lines[-2:] == ["2 claims: 2 not comparable", f"Report: {tmp_path / 'report.html'}"]


def test_the_report_s_own_data_show_the_verdict(tmp_path: Path) -> None:
    write_results(tmp_path, planned_study(tmp_path / "config", scale="laptop"))
    assert "inconclusive (laptop scale, the report's settings)" in verdict_table(tmp_path)


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
    assert "2 claims" in capsys.readouterr().out


def test_the_scale_is_that_of_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/config.yaml").write_text("scale: paper\n")
    assert main(["verdicts"]) == 1
    assert "results/paper/claims.csv" in capsys.readouterr().err
