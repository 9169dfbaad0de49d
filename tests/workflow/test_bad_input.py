"""Bad input stops a call before any job, with the file, the key and the remedy."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

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
    claims = (project.folder / "results/laptop/claims.csv").read_text()
    assert "not comparable" not in claims
    assert "laptop scale, the report's settings" in claims
