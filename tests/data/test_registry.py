"""Which data sets there are, and where the workflow looks for their files."""

import gzip
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loopback import Mirrors, whole
from places import WORKFLOW
from replication.data import (
    DATASETS,
    check_names,
    download,
    downloaded_all_the_same,
    inventory,
    known_datasets,
    prepare,
    raw_files,
    read_dataset,
    write_dataset,
)
from replication.errors import ConfigurationError, DataError
from replication.settings.sources import DataSources

MNIST = [file.name for file in DATASETS["mnist"].files]
CIFAR = "cifar-10-python.tar.gz"
BARE = [name.removesuffix(".gz") for name in MNIST]


def fill(folder: Path, names: list[str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    return [folder / name for name in names]


def test_known_are_the_built_in_and_the_users_own() -> None:
    own = {"b-images": "/b", "a-images": "/a"}
    assert known_datasets(DataSources(image_folders=own)) == [*DATASETS, "a-images", "b-images"]


def test_without_a_folder_files_are_downloaded() -> None:
    assert raw_files("mnist", DataSources(), "down") == [Path("down/mnist") / name for name in MNIST]
    assert raw_files("cifar10", DataSources(), Path("down")) == [Path("down/cifar10") / CIFAR]


@pytest.mark.parametrize("name", ["digits", "moved-digits", "photo-digits-10", "photo-digits-100"])
def test_embedded_data_sets_need_no_files(name: str) -> None:
    assert raw_files(name, DataSources(), "down") == []


@pytest.mark.parametrize(
    ("name", "subfolder", "files"),
    [
        ("mnist", "", MNIST),
        ("mnist", "", BARE),
        ("mnist", "mnist", MNIST),
        ("mnist", "MNIST/raw", MNIST),
        ("mnist", "MNIST/raw", BARE),
        ("mnist", "", [*MNIST[:2], *BARE[2:]]),
        ("cifar10", "", [CIFAR]),
        ("cifar10", "cifar10", [CIFAR]),
    ],
)
def test_files_of_the_user_come_first(tmp_path: Path, name: str, subfolder: str, files: list[str]) -> None:
    paths = fill(tmp_path / subfolder, files)
    assert raw_files(name, DataSources(data_dir=str(tmp_path)), "down") == paths


def test_a_folder_with_other_data_sets_does_not_matter(tmp_path: Path) -> None:
    fill(tmp_path, [CIFAR, "cifar-10-python.tar"])
    assert raw_files("mnist", DataSources(data_dir=str(tmp_path)), "down")[0] == Path("down/mnist") / MNIST[0]


DOTTED = [name.replace("-idx", ".idx") for name in MNIST]


@pytest.mark.parametrize("compress", [bytes, gzip.compress], ids=["bare", "gzip"])
@pytest.mark.parametrize(
    "names",
    [
        DOTTED,
        [name.removesuffix(".gz") for name in DOTTED],
        [name.upper() for name in MNIST],
        [f"{name}/{name}" for name in BARE],
        [f"MNIST/raw/{name}" for name in DOTTED],
        ["a", "b.bin", "C.GZ", "deep/er/d"],
    ],
    ids=["dotted", "dotted bare", "upper case", "folders", "raw", "any"],
)
def test_files_are_found_by_their_content(
    tiny_mnist: dict[str, bytes], tmp_path: Path, names: list[str], compress: Callable[[bytes], bytes]
) -> None:
    for name, content in zip(names, tiny_mnist.values(), strict=True):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(compress(gzip.decompress(content)))
    # Of the same size, but something else.
    other = gzip.decompress(tiny_mnist[MNIST[3]])[:-1] + b"\xff"
    (tmp_path / "0-other").write_bytes(compress(other))
    sources = DataSources(data_dir=str(tmp_path))
    raw = raw_files("mnist", sources, "down")
    assert raw == [tmp_path / name for name in names]
    assert downloaded_all_the_same(["mnist", "digits"], sources) == []
    assert prepare("mnist", raw, sources).name == "mnist"


def test_an_archive_is_found_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0.tgz").write_bytes(b"is no published")
    (tmp_path / "cifar.tgz").write_bytes(b"as is published")
    recipe = DATASETS["cifar10"]
    file = replace(recipe.files[0], size=15, sha256=hashlib.sha256(b"as is published").hexdigest())
    monkeypatch.setitem(DATASETS, "cifar10", replace(recipe, files=(file,)))
    assert raw_files("cifar10", DataSources(data_dir=str(tmp_path)), "down") == [tmp_path / "cifar.tgz"]


@pytest.mark.parametrize("place", ["a/b/c/it", ".hidden/it", "full/it"])
def test_what_lies_too_deep_is_hidden_or_among_many_images_is_not_looked_at(
    tiny_mnist: dict[str, bytes], tmp_path: Path, place: str
) -> None:
    fill(tmp_path / "full", [f"{number}.png" for number in range(1000)])
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_bytes(tiny_mnist[MNIST[0]])
    assert raw_files("mnist", DataSources(data_dir=str(tmp_path)), "down")[0] == Path("down/mnist") / MNIST[0]


def test_a_found_file_that_snakemake_cannot_name_is_an_error(
    tiny_mnist: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "{a}").write_bytes(tiny_mnist[MNIST[0]])
    with pytest.raises(ConfigurationError, match=r"`data_dir`: .*\{a\} holds a brace"):
        raw_files("mnist", DataSources(data_dir=str(tmp_path)), "down")


def test_few_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replication.data.own_files.find_fault", lambda path, _: pytest.fail(f"{path} read"))
    fill(tmp_path, ["empty"])
    (tmp_path / "zipped").write_bytes(gzip.compress(b"of another size"))
    (tmp_path / "other").write_bytes(b"of another size, too")
    raw_files("mnist", DataSources(data_dir=str(tmp_path)), "down")


@pytest.mark.parametrize("names", [["mnist"], ["cifar10", "digits"], ["mnist", "cifar10", "cifar100"]])
@pytest.mark.parametrize("held", [[], ["cifar-10-python.tar", "cifar-10-batches-py/data_batch_1"]])
def test_a_folder_that_holds_nothing_is_refused_with_what_was_looked_for(
    tmp_path: Path, names: list[str], held: list[str]
) -> None:
    for name in held:
        fill((tmp_path / name).parent, [Path(name).name])
    with pytest.raises(ConfigurationError, match=f"^`data_dir`: {tmp_path}: holds no file of") as refused:
        downloaded_all_the_same(names, DataSources(data_dir=str(tmp_path)))
    for file in (file for name in names for file in DATASETS[name].files):
        assert f"{file.name} ({file.size:,} bytes" in str(refused.value)


def test_a_folder_may_hold_some_data_sets_and_others_are_downloaded(tmp_path: Path) -> None:
    fill(tmp_path, MNIST)
    own = DataSources(data_dir=str(tmp_path), image_folders={"mine": "nowhere"})
    assert downloaded_all_the_same(["cifar10", "digits", "mine", "mnist"], own) == ["cifar10"]
    assert downloaded_all_the_same(["cifar10"], own) == ["cifar10"]
    assert downloaded_all_the_same(["mnist"], DataSources()) == []


def test_a_folder_is_not_asked_for_what_comes_with_the_packages(tmp_path: Path) -> None:
    own = DataSources(data_dir=str(tmp_path), image_folders={"mine": "nowhere"})
    assert downloaded_all_the_same(["digits", "mine"], own) == []


def test_a_folder_with_some_files_is_an_error(tmp_path: Path) -> None:
    fill(tmp_path, [MNIST[0], BARE[2]])
    with pytest.raises(DataError, match=f"{tmp_path}: holds .* but not {MNIST[1]}, {MNIST[3]}; put all"):
        raw_files("mnist", DataSources(data_dir=str(tmp_path)), "down")


@pytest.mark.parametrize("name", ["mnist", "digits"])
def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"`data_dir`: {tmp_path / 'none'} does not exist"):
        raw_files(name, DataSources(data_dir=str(tmp_path / "none")), "down")


def test_an_image_folder_is_its_path(tmp_path: Path) -> None:
    sources = DataSources(image_folders={"mine": str(tmp_path), "gone": str(tmp_path / "gone")})
    assert raw_files("mine", sources, "down") == [tmp_path]
    with pytest.raises(
        ConfigurationError, match=f"`image_folders`, gone: {tmp_path / 'gone'} does not exist"
    ):
        raw_files("gone", sources, "down")


def test_an_inventory_knows_each_file_of_a_folder_by_name_size_and_time(tmp_path: Path) -> None:
    sources = DataSources(image_folders={"mine": str(tmp_path)})
    [one, two, hidden] = fill(tmp_path / "train/cat", ["1.png", "2.png", ".hidden"])
    seen = [inventory("mine", sources)]

    def changed(change: Callable[[], object]) -> bool:
        change()
        seen.append(inventory("mine", sources))
        return seen[-1] not in seen[:-1]

    assert not changed(lambda: hidden.write_bytes(b"other"))
    assert changed(lambda: fill(tmp_path / "train/cat", ["3.png"]))
    assert changed(lambda: one.write_bytes(b"more"))
    assert changed(lambda: os.utime(one, ns=(1, 1)))
    assert changed(two.unlink)
    assert changed(lambda: one.rename(two))
    assert not changed(lambda: None)


def test_an_inventory_is_of_the_users_own_inputs_only(tmp_path: Path) -> None:
    nothing = inventory("digits", DataSources())
    assert inventory("mnist", DataSources()) == nothing
    fill(tmp_path, MNIST)
    own = DataSources(data_dir=str(tmp_path))
    before = inventory("mnist", own)
    assert inventory("cifar10", own) == nothing != before
    os.utime(tmp_path / MNIST[2], ns=(1, 1))
    assert inventory("mnist", own) != before


@pytest.mark.parametrize(
    "use", [lambda name, own: raw_files(name, own, "down"), lambda name, own: prepare(name, [], own)]
)
def test_unknown_names_are_refused_with_the_valid_ones(use: Callable[[str, DataSources], object]) -> None:
    with pytest.raises(ConfigurationError, match=r"no data set `minst`; valid: mnist, .*, mine$"):
        use("minst", DataSources(image_folders={"mine": "/mine"}))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"mirrors": {"minst": ["https://a.org"]}},
            "`mirrors.minst`: .* downloaded are mnist, cifar10, cifar100",
        ),
        (
            {"mirrors": {"digits": ["https://a.org"]}},
            "`mirrors.digits`: .* downloaded are mnist, cifar10, cifar100",
        ),
        (
            {"image_folders": {"mnist": "/a"}},
            r"`image_folders.mnist`: .* built-in ones \(mnist, .*photo-digits-100\)",
        ),
    ],
)
def test_names_that_mean_other_data_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^the file: {message}"):
        check_names(DataSources(**wrong), "the file")


def test_from_mirror_to_prepared_file(mirrors: Mirrors, tiny_mnist: dict[str, bytes], tmp_path: Path) -> None:
    sources = DataSources(mirrors={"mnist": [mirrors.address("data/")]})
    raw = raw_files("mnist", sources, tmp_path)
    for path in raw:
        mirrors.script(f"/data/{path.name}", whole(tiny_mnist[path.name]))
        download("mnist", path.name, path, sources)
    dataset = prepare("mnist", [str(path) for path in raw], sources)
    write_dataset(dataset, tmp_path / "mnist.safetensors")
    assert read_dataset(tmp_path / "mnist.safetensors").identity == dataset.identity
    assert dataset.source.kind == "downloaded"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(gzip.compress(b"other")), "SHA-256 of the uncompressed content is"),
        (lambda path: path.write_bytes(path.read_bytes()[:-5]), "cannot be read"),
        (lambda path: path.unlink(), "cannot be read .*No such file"),
    ],
)
def test_files_of_the_user_are_verified(
    tiny_mnist: dict[str, bytes], tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    for name, content in tiny_mnist.items():
        (tmp_path / name).write_bytes(content)
    sources = DataSources(data_dir=str(tmp_path))
    raw = raw_files("mnist", sources, "down")
    assert prepare("mnist", raw, sources).name == "mnist"
    spoil(raw[3])
    with pytest.raises(DataError, match=f"^{raw[3]}: {message}.* put a good {MNIST[3]} there"):
        prepare("mnist", raw, sources)


@pytest.mark.slow
def test_importing_is_light() -> None:
    heavy = ("sklearn", "pooch", "requests", "PIL", "torch", "scipy", "pandas")
    script = f"import replication.data, sys; print([name for name in {heavy} if name in sys.modules])"
    path = str(WORKFLOW)
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path}, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == "[]"
