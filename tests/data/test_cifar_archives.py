"""Small archives in CIFAR's own format, of Python 2 and 3, and ones that are not what they seem."""

import hashlib
import io
import os
import pickle
import struct
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from replication.data import prepare
from replication.data.cifar import CIFAR10, CIFAR100, ArchiveLayout, build_cifar
from replication.data.registry import DATASETS
from replication.data.restricted_pickle import read_pickle
from replication.errors import DataError
from replication.settings.sources import DataSources

IMAGES_PER_BATCH = 3


def python2_pickle(value: Any) -> bytes:
    """Write the opcodes that Python 2 wrote: text as byte strings, and numpy's module by its old name."""
    return b"\x80\x02" + _python2(value) + b"."


def _python2(value: Any) -> bytes:
    if isinstance(value, str):
        return b"T" + struct.pack("<i", len(value)) + value.encode("latin1")
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(_python2, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(_python2(part) for item in value.items() for part in item) + b"u"
    dtype = b"cnumpy\ndtype\n" + _python2(value.dtype.str[1:]) + b"K\x00K\x01\x87R"
    dtype += b"(K\x03U\x01" + value.dtype.str[:1].encode() + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"(" + b"".join(map(_python2, value.shape)) + b"t"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    return array + b"(K\x01" + shape + dtype + b"\x89" + _python2(value.tobytes().decode("latin1")) + b"tb"


WRITERS: dict[str, Callable[[Any], bytes]] = {
    "python 2": python2_pickle,
    "protocol 2": lambda value: pickle.dumps(value, protocol=2),
    "protocol 4": lambda value: pickle.dumps(value, protocol=4),
}


def batches(layout: ArchiveLayout) -> dict[str, Any]:
    """Return what each member holds."""
    random = np.random.default_rng(2)
    classes = [f"class {number}" for number in range(10)]
    members: dict[str, Any] = {layout.classes: {layout.classes_key: classes, "num_vis": 3072}}
    for number, member in enumerate((*layout.train, layout.test)):
        members[member] = {
            "batch_label": f"batch {number}",
            layout.labels_key: random.integers(0, 10, IMAGES_PER_BATCH).tolist(),
            "data": random.integers(0, 256, (IMAGES_PER_BATCH, 3072), np.uint8),
        }
    return members


def write_archive(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def pickled(members: dict[str, Any]) -> dict[str, bytes]:
    return {name: pickle.dumps(value, protocol=2) for name, value in members.items()}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("layout", [CIFAR10, CIFAR100], ids=lambda layout: layout.name)
def test_rows_become_images(tmp_path: Path, layout: ArchiveLayout, writer: str) -> None:
    values = batches(layout)
    files = {"readme.html": b"<html>"} | {name: WRITERS[writer](value) for name, value in values.items()}
    dataset = build_cifar(layout, [write_archive(tmp_path / "archive", files)])
    rows = np.concatenate([values[member]["data"] for member in layout.train])
    assert dataset.train_images.shape == (len(rows), 32, 32, 3)
    for image, row, column, channel in [(0, 0, 0, 0), (1, 5, 9, 1), (len(rows) - 1, 31, 30, 2)]:
        expected = rows[image][channel * 1024 + row * 32 + column]
        assert dataset.train_images[image, row, column, channel] == expected
    labels = [label for member in layout.train for label in values[member][layout.labels_key]]
    assert dataset.train_labels.tolist() == labels
    assert dataset.test_labels.tolist() == values[layout.test][layout.labels_key]
    assert dataset.classes == tuple(values[layout.classes][layout.classes_key])


def with_batch(**changes: Any) -> dict[str, bytes]:
    members = batches(CIFAR100)
    members[CIFAR100.test] |= changes
    return pickled(members)


ROWS = batches(CIFAR100)[CIFAR100.test]["data"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": ROWS.astype(np.int64)}, "cifar-100-python/test: data is int64 of"),
        ({"data": ROWS[:, :-1]}, r"data is uint8 of \(3, 3071\)"),
        ({"data": ROWS.reshape(-1)}, r"data is uint8 of \(9216,\)"),
        ({"data": ROWS.tolist()}, "has no data that is a ndarray"),
        ({"data": ROWS[:2]}, r"cifar100, test: 2 images have \(3,\) labels"),
        ({"fine_labels": None}, "has no fine_labels that is a list"),
        ({"fine_labels": [0, 1, 10]}, "cifar100, test: label 10 exceeds the 10 classes"),
        ({"fine_labels": [0, 1, -1]}, "fine_labels are not whole numbers"),
        ({"fine_labels": [0, 1, 2**16]}, "fine_labels are not whole numbers"),
        ({"fine_labels": [0, 1, 0.5]}, "fine_labels are not whole numbers"),
    ],
)
def test_other_content_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    archive = write_archive(tmp_path / "archive", with_batch(**changes))
    with pytest.raises(DataError, match=message):
        build_cifar(CIFAR100, [archive])


def test_a_batch_that_is_no_dictionary_is_refused(tmp_path: Path) -> None:
    files = pickled(batches(CIFAR100)) | {CIFAR100.test: pickle.dumps([1, 2])}
    with pytest.raises(DataError, match="cifar-100-python/test: has no data"):
        build_cifar(CIFAR100, [write_archive(tmp_path / "archive", files)])


@pytest.mark.parametrize("member", [CIFAR100.classes, CIFAR100.test, *CIFAR100.train])
def test_a_missing_member_is_named(tmp_path: Path, member: str) -> None:
    files = pickled(batches(CIFAR100))
    del files[member]
    with pytest.raises(DataError, match=f"archive: lacks {member}"):
        build_cifar(CIFAR100, [write_archive(tmp_path / "archive", files)])


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(pickled(batches(CIFAR100))[CIFAR100.test])
    with tarfile.open(tmp_path / "archive", "w:gz") as tar:
        link = tarfile.TarInfo(CIFAR100.test)
        link.type, link.linkname = tarfile.SYMTYPE, str(outside)
        tar.addfile(link)
    with pytest.raises(DataError, match=f"lacks .*{CIFAR100.test}"):
        build_cifar(CIFAR100, [tmp_path / "archive"])


@pytest.mark.parametrize("damage", [slice(0, 0), slice(50), slice(5000), slice(5000, None)])
def test_a_damaged_archive_is_named(tmp_path: Path, damage: slice) -> None:
    archive = write_archive(tmp_path / "archive", pickled(batches(CIFAR100)))
    archive.write_bytes(archive.read_bytes()[damage])
    with pytest.raises(DataError, match=f"{archive}: cannot be read as a .tar.gz|{archive}: lacks"):
        build_cifar(CIFAR100, [archive])


class Attack:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_the_attack_is_real(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Attack(tmp_path / "harmed")))
    assert (tmp_path / "harmed").exists()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_attack_is_refused_by_name_and_not_run(tmp_path: Path, protocol: int) -> None:
    attack = {"data": Attack(tmp_path / "harmed")}
    files = pickled(batches(CIFAR100)) | {CIFAR100.test: pickle.dumps(attack, protocol)}
    archive = write_archive(tmp_path / "archive", files)
    with pytest.raises(DataError, match=f"{archive}, cifar-100-python/test: .*refuses posix.mkdir"):
        build_cifar(CIFAR100, [archive])
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"cbuiltins\neval\n(S'1'\ntR.", "builtins.eval"),
        (b"cnumpy\nload\n.", "numpy.load"),
        (b"cnumpy.core\nmultiarray._reconstruct\n.", "numpy.core.multiarray._reconstruct"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "os.system"),
        (b"c_codecs\nencode\n(V1\nVhex\ntR.", "the encoding 'hex'"),
        (b"\x80\x02}U\x04data", ""),
        (b"", ""),
        (b"Pname\n.", ""),
    ],
)
def test_anything_else_is_refused(content: bytes, name: str) -> None:
    with pytest.raises(DataError, match=f"a member: cannot be read safely .*{name}"):
        read_pickle(content, "a member")


@pytest.fixture
def expect(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Return a function that makes an archive the one that `cifar100` expects."""

    def set_hash(archive: Path) -> None:
        recipe = DATASETS["cifar100"]
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
        monkeypatch.setitem(
            DATASETS, "cifar100", replace(recipe, files=(replace(recipe.files[0], sha256=sha256),))
        )

    return set_hash


def test_prepare_reads_the_expected_archive(tmp_path: Path, expect: Callable[[Path], None]) -> None:
    archive = write_archive(tmp_path / "archive", pickled(batches(CIFAR100)))
    expect(archive)
    assert prepare("cifar100", [archive], DataSources()).name == "cifar100"


def test_another_archive_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = write_archive(tmp_path / "archive", pickled(batches(CIFAR100)))
    monkeypatch.setattr(tarfile, "open", lambda *_: pytest.fail("opened before its hash was checked"))
    with pytest.raises(
        DataError, match=f"{archive}: SHA-256 of the file is .* put a good cifar-100-python.tar.gz"
    ):
        prepare("cifar100", [archive], DataSources())
