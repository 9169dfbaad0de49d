"""A user's own images, in a folder or an archive, good and bad."""

import hashlib
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from replication.data import Dataset, prepare, raw_files
from replication.data.image_folder import build_image_folder
from replication.errors import DataError
from replication.settings.sources import DataSources

Files = dict[str, bytes]
CONTAINERS = ("folder", "tar", "tar.gz", "tar.xz", "zip")


def png(pixels: np.ndarray, mode: str | None = None, file_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(buffer, file_format)
    return buffer.getvalue()


def colours(value: int, height: int = 4, width: int = 3) -> np.ndarray:
    return np.arange(value, value + height * width * 3, dtype=np.uint8).reshape(height, width, 3)


# In another order than that of the data set.
PIXELS = {
    "train/dog/1.png": colours(1),
    "test/cat/x.png": colours(2),
    "train/cat/10.png": colours(3),
    "train/cat/9.png": colours(4),
    "test/dog/y.png": colours(5),
}
CLASSES = ["cat", "dog"]
ORDER = {
    split: sorted(
        (name for name in PIXELS if name.startswith(split)),
        key=lambda name: hashlib.sha256(name.encode()).hexdigest(),
    )
    for split in ("train", "test")
}
LABELS = {split: [CLASSES.index(name.split("/")[1]) for name in names] for split, names in ORDER.items()}


@pytest.fixture
def files() -> Files:
    return {name: png(pixels) for name, pixels in PIXELS.items()}


def pack(path: Path, kind: str, files: Files) -> Path:
    path = path / f"images.{kind}"
    match kind:
        case "folder":
            for name, content in files.items():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_bytes(content)
        case "zip":
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in files.items():
                    archive.writestr(name, content)
        case _:
            with tarfile.open(path, f"w:{kind.partition('.')[2]}") as tar:
                for name, content in files.items():
                    add(tar, name, content)
    return path


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def build(path: Path) -> Dataset:
    return build_image_folder("mine", path)


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("top", ["", "./", "animals/"])
def test_the_order_of_images_depends_on_their_paths_alone(
    tmp_path: Path, files: Files, kind: str, top: str
) -> None:
    dataset = build(pack(tmp_path, kind, {top + name: content for name, content in files.items()}))
    assert dataset.classes == ("cat", "dog")
    assert dataset.train_labels.tolist() == LABELS["train"]
    assert dataset.test_labels.tolist() == LABELS["test"]
    np.testing.assert_array_equal(
        dataset.train_images, [PIXELS[name] for name in ORDER["train"]], strict=True
    )
    np.testing.assert_array_equal(dataset.test_images, [PIXELS[name] for name in ORDER["test"]], strict=True)


def test_the_first_images_are_of_many_classes(tmp_path: Path) -> None:
    files = {
        f"{split}/{name}/{i}.png": png(colours(i)) for split in ORDER for name in CLASSES for i in range(40)
    }
    first = build(pack(tmp_path, "zip", files)).train_labels[:20]
    assert 5 <= first.sum() <= 15


def test_grey_images_have_one_channel(tmp_path: Path, files: Files) -> None:
    grey = {name: png(PIXELS[name][..., 0]) for name in files}
    dataset = build(pack(tmp_path, "tar.gz", grey))
    assert dataset.train_images.shape == (3, 4, 3, 1)
    np.testing.assert_array_equal(dataset.train_images[0, ..., 0], PIXELS[ORDER["train"][0]][..., 0])


@pytest.mark.parametrize(
    "beside", ["README.md", "train/cat/.DS_Store", ".git/train/cat/1.png", "__MACOSX/train.txt"]
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_what_lies_beside_the_images_is_passed_over(
    tmp_path: Path, files: Files, kind: str, beside: str
) -> None:
    assert len(build(pack(tmp_path, kind, files | {beside: b"text"})).train_images) == 3


def test_links_in_the_users_own_folder_are_followed(tmp_path: Path, files: Files) -> None:
    real = pack(tmp_path, "folder", files)
    linked = tmp_path / "linked"
    linked.mkdir()
    for split in ("train", "test"):
        (linked / split).symlink_to(real / split)
    assert build(linked).identity == build(real).identity


GOOD = png(colours(9))


@pytest.mark.parametrize("kind", ["folder", "tar.xz", "zip"])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train/cat/9.png": b"no image"}, "train/cat/9.png: not an image that can be read"),
        ({"train/cat/9.png": GOOD[:-30]}, "train/cat/9.png: not an image that can be read"),
        ({"train/cat/9.png": b""}, "train/cat/9.png: not an image that can be read"),
        (
            {"train/cat/9.png": png(colours(1), file_format="PCX")},
            "train/cat/9.png: not an image that can be read",
        ),
        (
            {"train/cat/9.png": png(colours(1, height=5))},
            r"9.png is \(5, 3, 3\) .* but .* \(4, 3, 3\)|\(4, 3, 3\) .* but .*9.png \(5, 3, 3\)",
        ),
        (
            {"train/cat/9.png": png(colours(1)[..., 0])},
            r"9.png is \(4, 3, 1\) .* but .* \(4, 3, 3\)|\(4, 3, 3\) .* but .*9.png \(4, 3, 1\)",
        ),
        ({"train/cat/9.png": png(colours(1), "RGBA")}, "train/cat/9.png: has mode RGBA, .*convert"),
        ({"train/cat/9.png": png(colours(1), "P")}, "train/cat/9.png: has mode P, .*convert"),
        ({"train/emu/1.png": GOOD}, "test has no images of emu, which train has"),
        ({"test/emu/1.png": GOOD}, "train has no images of emu, which test has"),
        ({"train/1.png": GOOD}, "train/1.png should be train/<class>/<image>"),
        ({"train/cat/old/1.png": GOOD}, "train/cat/old/1.png should be train/<class>/<image>"),
        ({"other/train/cat/1.png": GOOD}, "must lie in one folder, not in ., other"),
    ],
)
def test_bad_images_and_layouts_are_named(
    tmp_path: Path, files: Files, kind: str, changes: Files, message: str
) -> None:
    path = pack(tmp_path, kind, files | changes)
    with pytest.raises(DataError, match=f"^{path}.*({message})"):
        build(path)


@pytest.mark.parametrize("kind", CONTAINERS)
@pytest.mark.parametrize("files", [{}, {"cat/1.png": GOOD, "README": b"text"}], ids=["empty", "elsewhere"])
def test_no_images_is_an_error(tmp_path: Path, kind: str, files: Files) -> None:
    path = pack(tmp_path, kind, files)
    if kind == "folder":
        path.mkdir(exist_ok=True)
    with pytest.raises(DataError, match=f"^{path}: has no images"):
        build(path)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
@pytest.mark.parametrize(
    "name", ["../train/cat/1.png", "train/cat/../../../1.png", "/train/cat/1.png", "train\\cat\\1.png"]
)
def test_paths_that_lead_out_are_refused(tmp_path: Path, files: Files, kind: str, name: str) -> None:
    path = pack(tmp_path, kind, files | {name: GOOD})
    with pytest.raises(DataError, match=f"^{path}: refused, since .* leads out of the archive"):
        build(path)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, files: Files, kind: bytes) -> None:
    path = pack(tmp_path, "tar", files)
    with tarfile.open(path, "a") as tar:
        member = tarfile.TarInfo("train/cat/link.png")
        member.type, member.linkname = kind, "train/cat/9.png"
        tar.addfile(member)
    with pytest.raises(DataError, match=f"^{path}: refused, since train/cat/link.png is a link or a device"):
        build(path)


def test_links_in_a_zip_are_refused(tmp_path: Path, files: Files) -> None:
    path = pack(tmp_path, "zip", files)
    link = zipfile.ZipInfo("train/cat/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "9.png")
    with pytest.raises(DataError, match=f"^{path}: refused, since train/cat/link.png is a link"):
        build(path)


def test_a_path_that_comes_twice_is_refused(tmp_path: Path, files: Files) -> None:
    path = pack(tmp_path, "tar", files)
    with tarfile.open(path, "a") as tar:
        add(tar, "./train/cat/9.png", GOOD)
    with pytest.raises(DataError, match=f"^{path}: refused, since it holds train/cat/9.png twice"):
        build(path)


@pytest.mark.parametrize("kind", ["tar.gz", "tar.xz", "zip"])
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_shortened_archive_is_named(tmp_path: Path, files: Files, kind: str, part: float) -> None:
    # Noise, so that the images do not compress into a few bytes.
    noise = png(np.random.default_rng(4).integers(0, 256, (40, 40, 3), np.uint8))
    path = pack(tmp_path, kind, dict.fromkeys(files, noise))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    with pytest.raises(DataError, match=f"^{path}: (damaged|neither)"):
        build(path)


@pytest.mark.parametrize("kind", ["tar.gz", "tar.xz", "zip"])
def test_a_damaged_archive_is_named(tmp_path: Path, files: Files, kind: str) -> None:
    noise = png(np.random.default_rng(4).integers(0, 256, (40, 40, 3), np.uint8))
    path = pack(tmp_path, kind, dict.fromkeys(files, noise))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"^{path}"):
        build(path)


@pytest.mark.parametrize("content", [b"", b"plain text, for too long to be a header" * 30])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "images").write_bytes(content)
    with pytest.raises(DataError, match=f"^{tmp_path / 'images'}: neither a folder nor a tar or zip"):
        build(tmp_path / "images")


def test_an_unreadable_subfolder_is_not_passed_over(tmp_path: Path, files: Files, monkeypatch) -> None:
    path = pack(tmp_path, "folder", files)
    real_scandir = os.scandir

    def scandir(folder: object):
        if str(folder).endswith("cat"):
            raise PermissionError(13, "Permission denied", str(folder))
        return real_scandir(folder)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(DataError, match=f"^{path}: .*Permission denied"):
        build(path)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_are_upright(tmp_path: Path, files: Files, orientation: int) -> None:
    """The pixels are those that a viewer shows; sideways, this image would have another size than the others."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    shape = (4, 3) if orientation <= 4 else (3, 4)
    stored = Image.fromarray(colours(7, *shape))
    content = encoded(stored, "PNG", exif=exif)
    dataset = build(pack(tmp_path, "zip", files | {"train/cat/9.png": content}))
    turned = {
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        6: lambda a: np.rot90(a, -1),
        8: np.rot90,
    }
    turned |= {5: lambda a: a.transpose(1, 0, 2), 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2)}
    expected = turned.get(orientation, lambda a: a)(colours(7, *shape))
    place = ORDER["train"].index("train/cat/9.png")
    np.testing.assert_array_equal(dataset.train_images[place], expected, strict=True)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF"])
def test_an_image_of_several_frames_is_refused(tmp_path: Path, files: Files, file_format: str) -> None:
    first, second = (Image.fromarray(colours(value)) for value in (1, 9))
    moving = encoded(first, file_format, save_all=True, append_images=[second])
    path = pack(tmp_path, "zip", files | {"train/cat/9.png": moving})
    with pytest.raises(DataError, match=f"^{path}, train/cat/9.png: has 2 frames, .* choose one"):
        build(path)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (encoded(Image.fromarray(colours(1)), "PNG", transparency=(1, 2, 3)), "has a transparent colour"),
        (encoded(Image.fromarray(np.ones((4, 3), np.uint16)), "PNG"), "has mode I;16"),
        (encoded(Image.fromarray(colours(1)).convert("CMYK"), "TIFF"), "has mode CMYK"),
        (encoded(Image.fromarray(colours(1)).convert("1"), "PNG"), "has mode 1"),
    ],
    ids=["transparent colour", "16 bits", "CMYK", "1 bit"],
)
def test_what_a_pixel_of_three_bytes_cannot_hold_is_refused(
    tmp_path: Path, files: Files, image: bytes, message: str
) -> None:
    path = pack(tmp_path, "zip", files | {"train/cat/9.png": image})
    with pytest.raises(DataError, match=f"^{path}, train/cat/9.png: {message}"):
        build(path)


COMPOSED, DECOMPOSED = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize("kind", ["folder", "tar", "zip"])
def test_a_class_is_the_same_however_its_name_is_composed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "other").mkdir()
    names = ["train/{}/1.png", "train/b/1.png", "test/{}/1.png", "test/b/1.png"]
    made = [
        build(
            pack(
                folder,
                kind,
                {n.format(COMPOSED if i < 2 else test): png(colours(i)) for i, n in enumerate(names)},
            )
        )
        for folder, test in ((tmp_path, COMPOSED), (tmp_path / "other", DECOMPOSED))
    ]
    assert made[0].classes == made[1].classes == ("b", COMPOSED)
    assert made[0].identity == made[1].identity


def test_two_folders_of_one_class_are_refused(tmp_path: Path, files: Files) -> None:
    path = pack(tmp_path, "zip", files | {f"train/{name}/1.png": GOOD for name in (COMPOSED, DECOMPOSED)})
    with pytest.raises(
        DataError, match=r"train has two folders whose names look the same, .*put their images"
    ):
        build(path)


@pytest.mark.parametrize("place", ["train/cat/{}.png", "train/{}/1.png", "{}/1.png"])
@pytest.mark.parametrize("kind", ["folder", "tar"])
def test_a_name_that_is_not_unicode_is_refused(tmp_path: Path, files: Files, kind: str, place: str) -> None:
    path = pack(tmp_path, kind, files | {place.format("caf\udce9"): GOOD})
    with pytest.raises(
        DataError, match=rf"^{path}: the name .*caf\\xe9.* is not Unicode \(UTF-8\); rename it"
    ):
        build(path)


def test_a_class_without_images_is_no_class(tmp_path: Path, files: Files) -> None:
    path = pack(tmp_path, "folder", files)
    for split in ("train", "test"):
        (path / split / "emu").mkdir()
    assert build(path).classes == ("cat", "dog")


@pytest.mark.slow
def test_real_images() -> None:
    folder = os.environ.get("REPLICATION_TEST_DATA")
    if not folder:
        pytest.skip("REPLICATION_TEST_DATA does not name a folder with cifar10-jpeg.tar.xz")
    sources = DataSources(image_folders={"cifar10-jpeg": f"{folder}/cifar10-jpeg.tar.xz"})
    dataset = prepare("cifar10-jpeg", raw_files("cifar10-jpeg", sources, "unused"), sources)
    assert dataset.train_images.shape == (50_000, 32, 32, 3)
    assert np.bincount(dataset.train_labels).tolist() == [5000] * 10
    assert np.bincount(dataset.test_labels).tolist() == [1000] * 10
    assert dataset.mean == pytest.approx((0.4913, 0.4821, 0.4465), abs=5e-5)
    assert dataset.standard_deviation == pytest.approx((0.2452, 0.2428, 0.2606), abs=5e-5)
