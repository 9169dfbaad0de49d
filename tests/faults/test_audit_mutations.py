"""A finished project is changed in hundreds of ways, one at a time: the audit names the changed file each time."""

import csv
import io
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edits import edited
from made_project import remember_derivations
from made_runs import change_predictions, change_record
from project import STUDY, Project, inside
from replication.audit.auditor import Audit
from replication.audit.findings import Finding
from replication.data import read_dataset
from replication.runs import same_code
from replication.runs.plan import STUDIES, load_plan
from replication.runs.same_code import code_of_run, present_code
from replication.settings.config import Config
from replication.system import code_digest

pytestmark = [pytest.mark.fault, pytest.mark.workflow]

RESULTS = Path("results/demo")
RUNS = RESULTS / "runs" / STUDY
LEAST = 200
Change = Callable[[Path, np.random.Generator], None]


class Subject:
    """The finished project, with its content as it should be, and what was done to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counts: Counter[str] = Counter()
        self.audit()  # which stamps the report, and leaves its own files to change
        self.content = {path: path.read_bytes() for path in self.files()}
        self.times = {path: path.stat().st_mtime_ns for path in self.content}

    def files(self) -> list[Path]:
        """Return every file that may be changed; Snakemake's empty ones only date a folder."""
        below = [
            path
            for top in ("results", "resources/datasets")
            for path in Path(top).rglob("*")
            if path.is_file()
        ]
        return sorted(path for path in below if path.name != ".snakemake_timestamp")

    def audit(self) -> list[Finding]:
        """Return the failures of an audit."""
        config = Config()
        findings, _ = Audit(config, load_plan(config, STUDIES)).run()
        return findings.failures

    def restore(self) -> None:
        """Put everything back."""
        for path in set(self.files()) - set(self.content):
            path.unlink()
        for path, content in self.content.items():
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def changed(self, kind: str, *paths: Path) -> list[Finding]:
        """Audit after a change of some files, see that each is named, and put everything back."""
        self.counts[kind] += 1
        for path in paths:
            if path in self.times and path.is_file():  # its time says nothing
                os.utime(path, ns=(self.times[path], self.times[path]))
        failures = self.audit()
        self.restore()
        for path in paths:
            assert is_named(path, failures), f"{kind}: {path} is not named by {[str(f) for f in failures]}"
        return failures


def is_named(path: Path, failures: Sequence[Finding]) -> bool:
    """Return whether failures name a file: as theirs, or in what they say of its neighbour."""
    return any(
        failure.file == str(path)
        or str(path) in failure.problem
        or (Path(failure.file).parent == path.parent and path.name in failure.problem)
        for failure in failures
    )


@pytest.fixture(scope="module")
def project(finished: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Return a finished project that these tests may change."""
    return Project(Path(shutil.copytree(finished.folder, tmp_path_factory.mktemp("mutations") / "project")))


@pytest.fixture(scope="module")
def subject(project: Project) -> Iterator[Subject]:
    patch = pytest.MonkeyPatch()
    remember_derivations(patch)
    use_code(patch, project.folder / "workflow")
    with inside(project.folder):
        yield Subject(project.folder)
    patch.undo()


def test_the_untouched_folder_passes(subject: Subject) -> None:
    assert subject.audit() == []
    subject.restore()


# Changes of any file


def flip_bit(path: Path, random: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    content[random.integers(len(content))] ^= 1 << int(random.integers(8))
    path.write_bytes(content)


def replace_byte(path: Path, random: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    place = random.integers(len(content))
    content[place] = (content[place] + int(random.integers(1, 256))) % 256
    path.write_bytes(content)


def truncate(path: Path, random: np.random.Generator) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: random.integers(1, len(content))])


def append(path: Path, random: np.random.Generator) -> None:
    path.write_bytes(path.read_bytes() + bytes([random.integers(256)]))


ANY_FILE: dict[str, tuple[Change, int]] = {
    "a bit flipped": (flip_bit, 1),
    "a byte replaced": (replace_byte, 2),
    "truncated": (truncate, 2),
    "a byte appended": (append, 3),
    "emptied": (lambda path, _: path.write_bytes(b""), 3),
    "deleted": (lambda path, _: path.unlink(), 1),
}


@pytest.mark.parametrize("kind", ANY_FILE)
def test_any_file_changed_anyhow_is_named(subject: Subject, kind: str) -> None:
    change, every = ANY_FILE[kind]
    random = np.random.default_rng(sum(kind.encode()))
    for path in list(subject.content)[sum(kind.encode()) % every :: every]:
        change(path, random)
        subject.changed(kind, path)


def test_a_bit_flipped_at_a_place_of_hypothesis_choice(subject: Subject) -> None:
    files = list(subject.content)

    @settings(
        max_examples=40,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(files), st.floats(0, 1, exclude_max=True), st.integers(0, 7))
    def flipped(path: Path, place: float, bit: int) -> None:
        content = bytearray(subject.content[path])
        content[int(place * len(content))] ^= 1 << bit
        path.write_bytes(content)
        subject.changed("a bit flipped (hypothesis)", path)

    flipped()


# Changes of tables


def tables(subject: Subject) -> list[Path]:
    return [path for path in subject.content if path.suffix == ".csv"]


def write_csv(path: Path, rows: list[list[str]]) -> None:
    stream = io.StringIO(newline="")
    csv.writer(stream, lineterminator="\r\n" if b"\r\n" in path.read_bytes() else "\n").writerows(rows)
    path.write_text(stream.getvalue(), newline="")


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode(), newline="")))


def test_swapped_rows_are_named(subject: Subject) -> None:
    for path in tables(subject):
        rows = read_csv(path)
        if len(rows) > 2 and rows[1] != rows[2]:
            rows[1], rows[2] = rows[2], rows[1]
            write_csv(path, rows)
            subject.changed("rows of a table swapped", path)


def test_an_edited_value_is_named_with_its_row_and_column(subject: Subject) -> None:
    random = np.random.default_rng(3)
    with_rows = [path for path in tables(subject) if len(read_csv(path)) > 1]
    for path in [*with_rows, *with_rows]:
        rows = read_csv(path)
        row = int(random.integers(1, len(rows)))
        column = int(random.choice([number for number, cell in enumerate(rows[row]) if cell]))
        rows[row][column] += "1"
        write_csv(path, rows)
        failures = subject.changed("a value of a table edited", path)
        if "runs" not in path.parts:
            assert any(f"column {rows[0][column]}:" in failure.problem for failure in failures)


# Changes of which file is where


def test_added_files_are_named(subject: Subject) -> None:
    places = sorted({path.parent for path in subject.content if path.parts[0] == "results"})
    for place in places:
        path = place / ("extra.csv" if place.name != "seed-1" else ".history.csv.abc.partial.bak")
        path.write_text("extra")
        subject.changed("a file added", path)


def test_an_added_run_is_named(subject: Subject) -> None:
    extra = RUNS / "cosine/seed-3"
    shutil.copytree(RUNS / "cosine/seed-1", extra)
    failures = subject.changed("a run added")
    shutil.rmtree(extra)
    assert [failure.file for failure in failures] == [str(extra)]


@pytest.mark.parametrize("name", ["history.csv", "timings.csv", "predictions.safetensors", "record.json"])
@pytest.mark.parametrize("other", ["cosine/seed-2", "probing/seed-1"])
def test_files_exchanged_between_runs_are_named(subject: Subject, name: str, other: str) -> None:
    one, two = RUNS / "cosine/seed-1" / name, RUNS / other / name
    one.write_bytes(subject.content[two])
    two.write_bytes(subject.content[one])
    subject.changed("files of two runs exchanged", one, two)


# Changes that hide themselves: the record is sealed again


@pytest.mark.parametrize("split", ["validation", "test"])
@pytest.mark.parametrize("part", ["classes", "losses"])
@pytest.mark.parametrize("run", ["cosine/seed-1", "cosine/seed-2", "probing/seed-1", "probing/seed-2"])
def test_predictions_are_betrayed_by_the_metrics(subject: Subject, run: str, split: str, part: str) -> None:
    dataset = read_dataset("resources/datasets/digits.safetensors")
    change_predictions(RUNS / run, split, part, dataset)
    subject.changed("a prediction edited, resealed", RUNS / run / "predictions.safetensors")


COLUMNS = ("validation_loss", "validation_accuracy", "test_loss", "test_accuracy", "steps", "epoch")


@pytest.mark.parametrize("column", [*COLUMNS, "learning_rate", "momentum", "train_accuracy"])
@pytest.mark.parametrize("run", ["cosine/seed-1", "cosine/seed-2"])
def test_a_metric_is_betrayed_by_what_gives_it(subject: Subject, run: str, column: str) -> None:
    path = RUNS / run / "history.csv"
    rows = read_csv(path)
    place = rows[0].index(column)
    rows[-1][place] = repr(float(rows[-1][place]) * 1.0000001 + 1e-9)
    write_csv(path, rows)
    change_record(path.parent)
    subject.changed("a metric edited, resealed", path)


FIELDS: dict[str, Any] = {
    "run_id": f"{STUDY}/cosine/seed-7",
    "seed": 7,
    "epochs": 3,
    "best_epoch": None,
    "outcome": "stopped early",
    "code_sha256": "0" * 64,
    "settings_sha256": "0" * 64,
    "dataset": {"name": "digits", "identity": "0" * 64, "classes": 10},
    "files": {},
    "sessions": [],
    "started": "2000-01-01T00:00:00+00:00",
    "costs": {"probes": "many"},
    "extra": 1,
}


@pytest.mark.parametrize("resealed", [True, False], ids=["resealed", "not resealed"])
@pytest.mark.parametrize("field", FIELDS)
def test_an_edited_record_is_named(subject: Subject, field: str, resealed: bool) -> None:
    path = RUNS / "probing/seed-2/record.json"
    change_record(path.parent, reseal=resealed, rehash=False, **{field: FIELDS[field]})
    subject.changed(f"a field of a record edited{', resealed' if resealed else ''}", path)


@pytest.mark.parametrize("key", ["epochs", "batch_size"])
def test_edited_settings_of_a_record_are_named(subject: Subject, key: str) -> None:
    path = RUNS / "cosine/seed-2/record.json"
    changed = json.loads(path.read_text())["settings"] | {key: 4}
    change_record(path.parent, settings=changed)
    subject.changed("a field of a record edited, resealed", path)


# Changes of what the results depend on


@pytest.mark.parametrize(
    ("old", "new", "arms"),
    [
        ("batch_size: 32", "batch_size: 16", {"cosine", "probing"}),
        ("epsilon: 1.0e-7", "epsilon: 1.0e-8", {"cosine", "probing"}),
        ("epochs: 2", "epochs: 1", {"cosine", "probing"}),
        ("factors: [2.0, 1.0, 0.5]", "factors: [2.0, 1.0]", {"probing"}),
        ("{name: cosine}", "{name: linear}", {"cosine"}),
        ("test_images: 50", "test_images: 40", {"cosine", "probing"}),
    ],
)
def test_edited_settings_of_a_study_are_named(subject: Subject, old: str, new: str, arms: set[str]) -> None:
    path = Path(f"config/studies/{STUDY}.yaml")
    text = path.read_text()
    path.write_text(edited(text, old, new))
    try:
        failures = subject.changed("settings of a study edited", path)
    finally:
        path.write_text(text)
    assert outdated_arms(failures) == arms


@pytest.mark.parametrize(
    ("file", "old", "new", "arms"),
    [
        ("schedules/profiles.py", "math.cos(", "1.0 * math.cos(", {"cosine"}),
        (
            "training/controllers/loss_probing.py",
            "logarithm / sum(scores)",
            "logarithm / sum(scores) / 1.0",
            {"probing"},
        ),
        ("training/batches.py", "PADDING = 4", "PADDING = 3", {"cosine", "probing"}),
        ("training/models/mnist_cnn.py", "64", "65", {"cosine", "probing"}),
    ],
)
def test_edited_code_is_named(
    subject: Subject,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    file: str,
    old: str,
    new: str,
    arms: set[str],
) -> None:
    package = Path(shutil.copytree(subject.folder / "workflow", tmp_path / "workflow")) / "replication"
    text = (package / file).read_text()
    assert old in text
    (package / file).write_text(text.replace(old, new))
    use_code(monkeypatch, package.parent)
    try:
        failures = subject.changed("code edited")
    finally:
        monkeypatch.undo()
        forget_digests()
    assert outdated_arms(failures) == arms


def test_edited_code_that_was_shown_to_come_to_the_same_bytes_is_noted(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one arm; the other, whose code is not shown to be the same, is outdated."""
    settings = load_plan(Config(), STUDIES)[STUDY].arms
    earlier = code_of_run(settings["cosine"])
    package = Path(shutil.copytree(subject.folder / "workflow", tmp_path / "workflow")) / "replication"
    batches = package / "training/batches.py"
    batches.write_text(edited(batches.read_text(), "PADDING = 4", "PADDING = 2 * 2"))
    use_code(monkeypatch, package.parent)
    try:
        shown = {present_code(settings["cosine"]): earlier}
        assert earlier not in shown
        monkeypatch.setattr(same_code, "_earlier", lambda: shown)
        findings, _ = Audit(Config(), load_plan(Config(), STUDIES)).run()
        subject.restore()
    finally:
        monkeypatch.undo()
        forget_digests()
    assert outdated_arms(findings.failures) == {"probing"}
    [note] = [note for note in findings.notes if note.file == "workflow/same-code.csv"]
    assert note.problem.startswith("2 runs of code that has been changed")


def use_code(patch: pytest.MonkeyPatch, workflow: Path) -> None:
    """Take the digest of the code below `workflow`."""
    patch.setattr(code_digest, "PACKAGE", workflow / "replication")
    patch.setattr(same_code, "TRAINING", workflow / "replication/runs/job.py")
    forget_digests()


def forget_digests() -> None:
    for found in vars(code_digest).values():
        if hasattr(found, "cache_clear"):
            found.cache_clear()


def outdated_arms(failures: Sequence[Finding]) -> set[str]:
    """Return the arms all of whose runs are called outdated."""
    records = [Path(failure.file) for failure in failures if failure.problem.startswith("outdated")]
    return {
        path.parts[-3] for path in records if sum(other.parts[-3] == path.parts[-3] for other in records) == 2
    }


# The page


def test_an_edited_digit_of_the_report_is_named_with_what_it_should_be(subject: Subject) -> None:
    path = RESULTS / "report.html"
    page = subject.content[path].decode()
    places = [number for number in range(page.index("<main>"), len(page)) if page[number].isdigit()]
    for place in places[:: len(places) // 12]:
        changed = page[:place] + str((int(page[place]) + 1) % 10) + page[place + 1 :]
        path.write_text(changed)
        failures = subject.changed("a digit of the report edited", path)
        assert len(failures) == 1
        assert "should be" in failures[0].problem


def test_an_edited_stamp_is_named(subject: Subject) -> None:
    path = RESULTS / "report.html"
    page = subject.content[path].decode()
    for old, new in (("4 runs", "5 runs"), ("Audited", "audited"), ('id="audit"', 'id="audits"')):
        assert old in page
        path.write_text(page.replace(old, new))
        subject.changed("the report's stamp edited", path)


def test_in_the_end_the_untouched_folder_passes(subject: Subject, capsys: pytest.CaptureFixture[str]) -> None:
    assert subject.audit() == []
    total = sum(subject.counts.values())
    with capsys.disabled():
        rows = [*sorted(subject.counts.items()), ("in all", total)]
        print("\n" + "\n".join(f"{count:5d}  {kind}" for kind, count in rows))  # noqa: T201
    assert total >= LEAST


def test_the_command_passes_and_leaves_nothing_to_be_done(project: Project) -> None:
    done = project.snakemake("audit", check=False)
    assert done.returncode == 0, done.stdout
    assert len([line for line in done.stdout.splitlines() if line.startswith("Audit passed: 4 runs")]) == 1
    assert "Nothing to be done" in project.snakemake("--dry-run").stdout


def test_the_command_fails_and_deletes_nothing(project: Project) -> None:
    path = project.folder / RESULTS / "claims.csv"
    content = path.read_bytes()
    path.write_bytes(content.replace(b"0.9", b"0.8", 1))
    done = project.snakemake("audit", check=False)
    path.write_bytes(content)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert f"failure {RESULTS / 'claims.csv'}: " in done.stdout
    assert "Audit FAILED: 1 failure in 4 runs" in done.stdout
    assert "Audit FAILED" in (project.folder / RESULTS / "report.html").read_text()


def test_without_results_the_command_says_what_to_do(project: Project) -> None:
    done = project.snakemake("audit", "--config", "scale=laptop", check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert "results/laptop holds no results: run `snakemake --cores all` first" in done.stdout
