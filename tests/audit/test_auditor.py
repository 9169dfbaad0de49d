"""A whole audit: what passes, what is named, and what is left out rather than wrongly blamed."""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from made_project import project_with_results
from made_runs import change_record
from places import ROOT
from project import STUDY, inside
from replication.audit import derivation, layout
from replication.audit.auditor import ON_SCREEN, run_audit
from replication.audit.signature import NAMESPACE
from replication.errors import ConfigurationError, ResultsError
from replication.report.audit_stamp import NOT_AUDITED

pytestmark = pytest.mark.slow

RESULTS = Path("results/demo")
RUN = RESULTS / "runs" / STUDY / "cosine/seed-1"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with project_with_results(tmp_path_factory.mktemp("made") / "project") as folder:
        yield folder


@pytest.fixture(autouse=True)
def _project(made: Path, tmp_path: Path) -> Iterator[None]:
    with inside(Path(shutil.copytree(made, tmp_path / "project"))):
        yield


def audit(**config: object) -> tuple[bool, str, str]:
    """Return the verdict of an audit, what it says on the screen and what in the log."""
    screen, log = io.StringIO(), io.StringIO()
    return run_audit(config, screen, log), screen.getvalue(), log.getvalue()


def failures() -> dict[str, str]:
    """Return the failures of an audit, by file."""
    audit()
    facts = json.loads((RESULTS / layout.AUDIT).read_text())
    return {failure["file"]: failure["problem"] for failure in facts["failures"]}


def edit(name: str, old: str, new: str) -> None:
    path = RESULTS / name
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def test_an_intact_project_passes_in_one_line_again_and_again() -> None:
    for _ in range(2):
        passed, screen, log = audit()
        assert passed, log
        assert screen.startswith("Audit passed: 4 runs, 36 files, 0 warnings; root digest ")
        assert screen.count("\n") == 1
    facts = json.loads((RESULTS / layout.AUDIT).read_text())
    assert facts["verdict"] == "passed"
    counts = {"data sets": 1, "derived files": 21, "files": 36, "runs": 4}
    # Whether its code has been changed since is noted, and depends on workflow/same-code.csv.
    assert facts["counts"].keys() - counts.keys() <= {"runs of changed code"}
    assert facts["counts"] | counts == facts["counts"]
    sums = (RESULTS / layout.SUMS).read_text().splitlines()
    assert len(sums) == 36
    assert not any(line.endswith(name) for line in sums for name in layout.OWN)


def test_several_edits_are_all_named_at_once() -> None:
    edit(f"studies/{STUDY}/runs.csv", "completed", "diverged")
    edit("tables/history.csv", "tiny/probing/seed-2", "tiny/probing/seed-7")
    edit("claims.csv", "0.9", "0.8")
    edit("report.html", "Every statement", "Each statement")
    edit(f"studies/{STUDY}/figures/losses.svg", "<path", "<Path")
    (RESULTS / "tables/arms.csv").unlink()
    found = failures()
    assert sorted(found) == sorted(
        str(RESULTS / name)
        for name in (
            "claims.csv",
            "report.html",
            f"studies/{STUDY}/figures/losses.svg",
            f"studies/{STUDY}/runs.csv",
            "tables/arms.csv",
            "tables/history.csv",
        )
    )
    assert "column outcome: diverged should be completed" in found[str(RESULTS / f"studies/{STUDY}/runs.csv")]
    assert not json.loads((RESULTS / layout.AUDIT).read_text())["not_derived"]


def test_what_depends_on_a_damaged_run_is_left_out_and_not_blamed() -> None:
    path = RUN / "history.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    edit("claims.csv", "0.9", "0.8")
    (RESULTS / f"studies/{STUDY}/summary.csv").unlink()
    assert sorted(failures()) == [str(path), str(RESULTS / f"studies/{STUDY}/summary.csv")]
    skipped = json.loads((RESULTS / layout.AUDIT).read_text())["not_derived"]
    files = {item["file"] for item in skipped}
    assert {str(RESULTS / "claims.csv"), str(RESULTS / "report.html")} <= files
    assert str(RESULTS / "tables/schedules.csv") not in files
    assert {item["problem"] for item in skipped} == {f"{STUDY}/cosine/seed-1 is missing or damaged"}


def test_tables_of_outdated_runs_are_still_compared() -> None:
    change_record(RUN, code_sha256="0" * 64)
    found = failures()
    assert "outdated" in found[str(RUN / "record.json")]
    assert "column code_sha256" in found[str(RESULTS / f"studies/{STUDY}/runs.csv")]
    assert "column test_accuracy" not in " ".join(found.values())


def test_a_notebook_that_fails_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_notebook: Path, output: Path, *_: object) -> None:
        (output.parent / "figures").mkdir()
        (output.parent / "figures/half.svg").write_text("half")
        raise RuntimeError("A cell has failed.\nNameError: no such name\n")

    monkeypatch.setattr(derivation, "execute", fail)
    found = failures()
    assert list(found) == [str(RESULTS / f"studies/{STUDY}/notebook.ipynb")]
    assert "cannot be derived again (RuntimeError: NameError: no such name)" in next(iter(found.values()))


def test_the_report_is_stamped_and_a_failure_too() -> None:
    page = RESULTS / layout.REPORT
    assert NOT_AUDITED in page.read_text()
    audit()
    assert NOT_AUDITED not in page.read_text()
    edit("claims.csv", "0.9", "0.8")
    passed, screen, log = audit()
    assert not passed
    assert screen.splitlines()[-1].startswith("Audit FAILED: 1 failure in 4 runs")
    assert screen.splitlines()[0] in log
    assert "Audit FAILED" in page.read_text()


def test_an_edit_of_the_audits_own_files_is_named_and_then_mended() -> None:
    audit()
    edit(layout.PAGE, "Audit", "audit")
    assert list(failures()) == [str(RESULTS / layout.PAGE)]
    assert failures() == {}


def test_what_has_changed_since_the_last_audit_is_a_note() -> None:
    audit()
    change_record(RUN, weights_sha256="0" * 64)
    assert failures()
    notes = json.loads((RESULTS / layout.AUDIT).read_text())["notes"]
    assert any(str(Path(*RUN.parts[2:]) / "record.json") in note["problem"] for note in notes)


def test_many_failures_do_not_fill_the_screen() -> None:
    for number in range(ON_SCREEN + 5):
        (RESULTS / f"stray-{number}").touch()
    _, screen, log = audit()
    assert len(screen.splitlines()) == ON_SCREEN + 2
    assert "… and 5 more" in screen
    assert log.count("failure ") >= ON_SCREEN + 5


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen (OpenSSH)")
def test_a_signature_is_checked_against_the_present_files() -> None:
    audit()
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "key"], check=True)
    sums = str(RESULTS / layout.SUMS)
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", "key", sums], check=True, capture_output=True
    )
    Path("signers").write_text(f"me@example.org {Path('key.pub').read_text()}")
    assert audit(allowed_signers="signers")[0]
    assert json.loads((RESULTS / layout.AUDIT).read_text())["signature"] == "signed by me@example.org"
    change_record(RUN, weights_sha256="0" * 64)
    assert str(RESULTS / layout.SIGNATURE) in failures()


@pytest.mark.parametrize("config", [{"scale": "laptop"}, {}])
def test_without_results_it_says_what_to_do(config: dict[str, str]) -> None:
    shutil.rmtree(RESULTS)
    RESULTS.mkdir()
    (RESULTS / layout.AUDIT).touch()
    screen = io.StringIO()
    with pytest.raises(ResultsError, match="holds no results: run `snakemake --cores all` first"):
        run_audit(config, screen, io.StringIO())
    assert screen.getvalue().startswith("Audit impossible: results/")


def test_a_wrong_configuration_is_said_on_the_screen() -> None:
    screen = io.StringIO()
    with pytest.raises(ConfigurationError):
        run_audit({"scael": "demo"}, screen, io.StringIO())
    assert "did you mean `scale`" in screen.getvalue()


def test_it_does_without_pytorch() -> None:
    code = "import sys, replication.audit.auditor; sys.exit('torch' in sys.modules)"
    environment = {"PYTHONPATH": str(ROOT / "workflow"), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
