"""The prepared data sets, read whole."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from made_runs import made_dataset, write_made_dataset
from project import inside
from replication.audit.datasets import FOLDER, check_datasets
from replication.audit.findings import Findings
from replication.data import prepare
from replication.settings.run import DataSettings
from replication.settings.sources import DataSources

DATASET = made_dataset("digits")
PATH, MANIFEST = FOLDER / "digits.safetensors", FOLDER / "digits.json"


@pytest.fixture(autouse=True)
def _datasets(tmp_path: Path) -> Iterator[None]:
    with inside(tmp_path):
        write_made_dataset(DATASET, FOLDER)
        yield


def named() -> list[str]:
    findings = Findings()
    check_datasets(["digits"], DataSources(), findings)
    return [failure.file for failure in findings.failures]


def test_intact_data_give_their_labels() -> None:
    findings = Findings()
    labels = check_datasets(["digits"], DataSources(), findings)["digits"]
    assert findings.failures == []
    assert labels.identity == DATASET.identity
    wanted = DataSettings(
        dataset="digits", train_images=100, test_images=7, validation_fraction=0.2, scaling="unit"
    )
    assert labels.border(wanted) == 80
    assert labels.of_split(wanted, "validation").tolist() == DATASET.train_labels[80:100].tolist()
    assert labels.of_split(wanted, "test").tolist() == DATASET.test_labels[:7].tolist()
    every = wanted.model_copy(update={"train_images": None, "test_images": None})
    assert len(labels.of_split(every, "validation")) == 40
    assert len(labels.of_split(every, "test")) == 50


@pytest.mark.parametrize("place", [0.0, 0.01, 0.5, 0.999])
def test_a_flipped_bit_is_named(place: float) -> None:
    content = bytearray(PATH.read_bytes())
    content[int(place * len(content))] ^= 1
    PATH.write_bytes(content)
    assert named() == [str(PATH)]


def test_another_layout_of_the_same_content_is_named() -> None:
    content = PATH.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + size] + b" " * 8
    PATH.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + size :])
    assert named() == [str(PATH)]


def test_a_missing_file_is_named() -> None:
    PATH.unlink()
    assert named() == [str(PATH)]


@pytest.mark.parametrize("text", ["", "{}", None])
def test_another_description_is_named(text: str | None) -> None:
    MANIFEST.write_text(MANIFEST.read_text() + " ") if text is None else MANIFEST.write_text(text)
    assert named() == [str(MANIFEST)]


def test_data_under_another_name_are_named() -> None:
    write_made_dataset(made_dataset("mnist"), FOLDER)
    (FOLDER / "mnist.safetensors").replace(PATH)
    assert named() == [str(PATH)]


def test_inputs_of_the_user_are_prepared_again(tmp_path: Path) -> None:
    images = tmp_path / "images"
    for number, place in enumerate(["train/a/1", "train/b/1", "test/a/1", "test/b/1"]):
        (images / place).parent.mkdir(parents=True)
        Image.new("L", (2, 2), 40 * number).save(images / f"{place}.png", "PNG")
    sources = DataSources(image_folders={"mine": str(images)})
    write_made_dataset(prepare("mine", [images], sources), FOLDER)

    def found() -> list[str]:
        findings = Findings()
        check_datasets(["mine"], sources, findings)
        assert findings.counts["inputs"] == 1
        return [str(failure) for failure in findings.failures]

    assert found() == []
    picture = images / "train/a/1.png"
    before, status = picture.read_bytes(), picture.stat()
    Image.new("L", (2, 2), 41).save(picture)
    assert picture.stat().st_size == status.st_size
    os.utime(
        picture, ns=(status.st_atime_ns, status.st_mtime_ns)
    )  # as nothing but a look at its content can tell
    assert len(found()) == 1
    assert f"{images}: changed: its content is no longer that of" in found()[0]
    picture.write_bytes(before)
    assert found() == []
    picture.unlink()
    assert f"{images}: no longer gives" in found()[0]
