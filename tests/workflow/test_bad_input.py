"""Bad input stops a call before any job, with the file, the key and the remedy."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from project import STUDY, Project

pytestmark = pytest.mark.workflow

Copy = Callable[[Project], Project]
FILE = f"config/studies/{STUDY}.yaml"


def refused(project: Project, *arguments: str) -> str:
    """Return what a call that must not start a job printed."""
    done = project.snakemake(*arguments, check=False)
    assert done.returncode != 0
    assert "Traceback" not in done.stdout
    assert not (project.folder / "results").exists()
    assert not (project.folder / "resources").exists()
    return done.stdout


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("batch_size: 32", "batchsize: 32", ["`batchsize`", "did you mean `batch_size`"]),
        ("epochs: 2", 'epochs: "2"', ["`epochs`", "valid integer"]),
        ("epochs: 2", "epochs: 2\n  epochs: 3", ["`epochs` is there twice"]),
        ("learning_rate: 0.001", "learning_rate: .nan", ["`.nan`", "finite"]),
        ("learning_rate: 0.001", "learning_rate: 1e-3", ["`1e-3` as text", "0.001"]),
        ("{name: cosine}", "{name: cosinus}", ["`cosinus`", "did you mean `cosine`"]),
        (
            "batch_size: 32",
            "batch_size: 32\n  early_stopping: {monitor: validation_loss, patience: 0}",
            ["patience"],
        ),
        ("factors: [2.0, 1.0, 0.5]", "factors: []", ["factors", "at least 1"]),
        ("dataset: mnist", "dataset: minst", ["`minst`", "did you mean `mnist`"]),
        ("train_images: 200", "train_images: 60001", ["train_images", "60001", "60000"]),
        ("than: [probing]", "than: [probling]", ["`probling`", "cosine"]),
        ("epochs: 2", "epochs: 010", ["line 11", "YAML reads `010` as 8", "write 8 or 10"]),
        ("title: Cosine", "title: no", ["YAML reads `no` as false", '"no" for text']),
        ("epochs: 2", "epochs: &x [*x]", ["has no end"]),
    ],
)
def test_a_wrong_study_file(fresh: Project, copy_of: Copy, old: str, new: str, words: Sequence[str]) -> None:
    project = copy_of(fresh)
    project.edit(FILE, old, new)
    printed = refused(project)
    for word in [FILE, *words]:
        assert word in printed


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("scael=demo", ["`scael`", "did you mean `scale`"]),
        ("scale=huge", ["scale", "demo"]),
        ("seeds=0", ["seeds", "greater than or equal to 1"]),
        ("device=gpu", ["device", "cuda"]),
        ("only=tinny", ["`tinny`", "did you mean `tiny`"]),
        ("data_dir=nowhere", ["data_dir", "nowhere"]),
        ("substitute={digits: mist}", ["`mist`", "mnist"]),
        ("substitute={digist: mnist}", ["`digist`", "did you mean `digits`"]),
        ("seeds=010", ["`seeds=010`", "write seeds=8 or seeds=10"]),
        ("seeds=1000000000", ["`seeds`", "less than or equal to 10000"]),
        ("data_dir=~nosuchuser/x", ["`data_dir`: ~nosuchuser/x", "home folder is not known"]),
        ("allowed_signers=/", ["`allowed_signers`", "is not a file, but a folder"]),
        ("forecast_places=[4, many]", ["`forecast_places.1`", "'many'"]),
    ],
)
def test_a_wrong_configuration(fresh: Project, setting: str, words: Sequence[str]) -> None:
    printed = refused(fresh, "--config", setting)
    for word in words:
        assert word in printed


def test_a_duplicate_key_in_the_configuration(fresh: Project, copy_of: Copy) -> None:
    project = copy_of(fresh)
    project.edit("config/config.yaml", "scale: demo", "scale: demo\nscale: paper")
    printed = refused(project)
    assert "config/config.yaml, line" in printed
    assert "`scale` is there twice" in printed


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"scale: \xff", "not valid YAML"),
        (b"scale: " + b"[" * 100_000, "levels deep"),
        (b"scale: 2024-02-30", "as a date"),
        (b"- scale", "should hold a mapping"),
        (None, "does not exist; correct the path"),
    ],
    ids=["bytes", "deep", "date", "list", "none"],
)
def test_a_configuration_that_snakemake_cannot_read(
    fresh: Project, copy_of: Copy, content: bytes | None, words: str
) -> None:
    project = copy_of(fresh)
    file = project.folder / "config/config.yaml"
    file.unlink() if content is None else file.write_bytes(content)
    printed = refused(project)
    assert "config/config.yaml" in printed
    assert words in printed


def test_hidden_files_beside_the_studies_are_passed_over(fresh: Project, copy_of: Copy) -> None:
    project = copy_of(fresh)
    studies = project.folder / "config/studies"
    (studies / f".#{STUDY}.yaml").symlink_to("me@host.4711:1700000000")
    (studies / f"._{STUDY}.yaml").write_bytes(b"\0\5\x16\7")
    (studies / f"{STUDY}.yaml~").write_text("a: [")
    (project.folder / "workflow/replication/.#errors.py").symlink_to("me@host.4711:1700000000")
    project.snakemake("--dry-run")


def test_a_substitute_that_takes_no_place_is_told(fresh: Project) -> None:
    told = "`substitute`: no run uses mnist, so moved-digits takes no place: runs use digits"
    done = fresh.snakemake("--dry-run", "--config", "substitute={mnist: moved-digits}")
    assert told in done.stdout
    done = fresh.snakemake("--dry-run", "--config", "substitute={digits: moved-digits}")
    assert "takes no place" not in done.stdout


@pytest.mark.parametrize("braces", ["{x} y", "a}b"])
def test_a_place_in_which_snakemake_fails(fresh: Project, tmp_path: Path, braces: str) -> None:
    project = Project(Path(shutil.copytree(fresh.folder, tmp_path / braces / "project")))
    printed = refused(project)
    assert "the path of the project holds" in printed
    assert "rename that folder, or move the project" in printed


def test_a_data_folder_that_holds_nothing(fresh: Project) -> None:
    printed = refused(fresh, "--config", "scale=laptop", "data_dir=config")
    assert "`data_dir`: config: holds no file of mnist" in printed
    assert "t10k-labels-idx1-ubyte.gz (10,008 bytes" in printed


def test_a_data_folder_that_holds_other_data_sets(fresh: Project, copy_of: Copy) -> None:
    project = copy_of(fresh)
    (project.folder / "cifar-10-python.tar.gz").touch()
    done = project.snakemake("--dry-run", "data", "--config", "scale=laptop", "data_dir=.")
    assert "`data_dir` (.) holds no file of mnist: it is downloaded" in done.stdout


def test_a_download_that_fails_says_how_to_go_on(fresh: Project, copy_of: Copy) -> None:
    project = copy_of(fresh)
    settings = ("scale=laptop", "mirrors={mnist: ['http://127.0.0.1:9/']}", "attempts=1")
    done = project.snakemake("data", "--config", *settings, check=False)
    assert done.returncode != 0
    assert "set `data_dir` to it" in done.stdout
    assert not list((project.folder / "resources").glob("**/*ubyte*"))


def test_real_mnist_from_a_folder(fresh: Project, copy_of: Copy) -> None:
    data = os.environ.get("REPLICATION_TEST_DATA")
    if not data or not Path(data, "mnist").is_dir():
        pytest.skip("REPLICATION_TEST_DATA does not name a folder with mnist/")
    project = copy_of(fresh)
    project.snakemake(
        "--config",
        "scale=laptop",
        f"data_dir={Path(data, 'mnist')}",
        "mirrors={mnist: ['http://127.0.0.1:9/']}",
    )
    claims = pd.read_csv(project.folder / "results/laptop/claims.csv")
    assert list(claims["evidence"]) == ["direct", "direct"]
    assert "not testable here" not in set(claims["outcome"])
