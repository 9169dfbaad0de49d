"""Downloads from a web server that does everything wrong."""

import gzip
import itertools
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from loopback import Answer, Mirrors, chunked, silent, stalling, truncated, whole
from replication.data import download, downloading
from replication.errors import ConfigurationError, DataError
from replication.settings.sources import DataSources
from waiting import PATIENCE_SECONDS, wait_for

NAME = "train-labels-idx1-ubyte.gz"
ATTEMPTS = 2
IMPATIENCE_SECONDS = 0.1  # with a server that says nothing for ever


@pytest.fixture
def body(tiny_mnist: dict[str, bytes]) -> bytes:
    return tiny_mnist[NAME]


def faults(mirrors: Mirrors, body: bytes) -> dict[str, tuple[Answer, str, int]]:
    """Return by name: an answer, what is said of it, and how often it is asked for."""
    return {
        "wrong content": (whole(gzip.compress(b"other")), "SHA-256 of the uncompressed content is", 1),
        "error page": (whole(b"<html>Sign in</html>"), "SHA-256 of the uncompressed content is", 1),
        "corrupt gzip": (whole(body[:10] + b"\xff" * 8 + body[18:]), "cannot be read", 1),
        "gzip cut short": (whole(body[:-9]), "cannot be read", 1),
        "truncated": (truncated(body), r"Incomplete|10 more expected", ATTEMPTS),
        "truncated chunks": (chunked(body, end=b"40\r\nhalf"), "Incomplete", ATTEMPTS),
        "forbidden": (whole(b"no", status=403), "403 Client Error", 1),
        "not found": (whole(b"no", status=404), "404 Client Error", 1),
        "server error": (whole(b"no", status=503), "503 Server Error", ATTEMPTS),
        "silence": (silent(mirrors), "timed out", ATTEMPTS),
        "stall": (stalling(mirrors, body[:1]), "timed out", ATTEMPTS),
        "drip": (stalling(mirrors, body[:1]), "too slow: .* bytes in", ATTEMPTS),
    }


FAULTS = list(faults(None, bytes(40)))  # type: ignore[arg-type]


def sources(*addresses: str) -> DataSources:
    return DataSources(
        mirrors={"mnist": list(addresses)}, timeout_seconds=PATIENCE_SECONDS, attempts=ATTEMPTS
    )


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a fault; those of time come at once, and the machine's speed causes none."""
    monkeypatch.setattr(downloading, "FIRST_PAUSE_SECONDS", 0.0)
    if request.param in ("silence", "stall"):
        get = requests.get

        def impatient(address: str, timeout: tuple[float, float], **options) -> requests.Response:
            assert timeout == (PATIENCE_SECONDS, PATIENCE_SECONDS)
            return get(address, timeout=IMPATIENCE_SECONDS if "/bad/" in address else timeout, **options)

        monkeypatch.setattr(requests, "get", impatient)
    if request.param == "drip":
        passed = itertools.count(step=3600.0)
        clock = SimpleNamespace(
            monotonic=lambda: next(passed) if "/bad/" in mirrors.requests[-1] else 0.0, sleep=lambda _: None
        )
        monkeypatch.setattr(downloading, "time", clock)
    return request.param


def test_a_bad_mirror_gives_an_error_and_no_file(
    mirrors: Mirrors, body: bytes, tmp_path: Path, fault: str
) -> None:
    answer, reason, times = faults(mirrors, body)[fault]
    mirrors.script(f"/bad/{NAME}", answer)
    with pytest.raises(DataError, match=f"{mirrors.address('bad')}/{NAME}: .*({reason})") as error:
        download("mnist", NAME, tmp_path / "new" / NAME, sources(mirrors.address("bad")))
    wait_for(lambda: len(mirrors.requests) == times, "as many requests")
    assert list((tmp_path / "new").iterdir()) == []
    for remedy in ("`data_dir`", "t10k-images-idx3-ubyte.gz", "`mirrors: mnist`"):
        assert remedy in str(error.value)


def test_a_bad_mirror_leaves_a_good_file_alone(
    mirrors: Mirrors, body: bytes, tmp_path: Path, fault: str
) -> None:
    mirrors.script(f"/bad/{NAME}", faults(mirrors, body)[fault][0])
    (tmp_path / NAME).write_bytes(body)
    with pytest.raises(DataError):
        download("mnist", NAME, tmp_path / NAME, sources(mirrors.address("bad")))
    assert (tmp_path / NAME).read_bytes() == body
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_the_next_mirror_is_tried(mirrors: Mirrors, body: bytes, tmp_path: Path, fault: str) -> None:
    mirrors.script(f"/bad/{NAME}", faults(mirrors, body)[fault][0])
    mirrors.script(f"/good/{NAME}", whole(body))
    download("mnist", NAME, tmp_path / NAME, sources(mirrors.address("bad/"), mirrors.address("good/")))
    assert (tmp_path / NAME).read_bytes() == body
    assert mirrors.requests[-1] == f"/good/{NAME}"


@pytest.mark.parametrize("status", [500, 503, 429, 408])
def test_a_passing_fault_is_tried_again(mirrors: Mirrors, body: bytes, tmp_path: Path, status: int) -> None:
    mirrors.script(f"/busy/{NAME}", whole(b"later", status=status), whole(body))
    download("mnist", NAME, tmp_path / NAME, sources(mirrors.address("busy")))
    assert (tmp_path / NAME).read_bytes() == body
    assert mirrors.requests == [f"/busy/{NAME}"] * 2


def test_pauses_grow_up_to_a_limit(mirrors: Mirrors, body: bytes, tmp_path: Path, monkeypatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("replication.data.downloading.FIRST_PAUSE_SECONDS", 0.5)
    monkeypatch.setattr("replication.data.downloading.time.sleep", pauses.append)
    mirrors.script(f"/busy/{NAME}", *[whole(b"later", status=500)] * 6, whole(body))
    patient = DataSources(mirrors={"mnist": [mirrors.address("busy")]}, attempts=7)
    download("mnist", NAME, tmp_path / NAME, patient)
    assert pauses == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


def test_when_all_mirrors_fail_each_is_named_with_its_reason(
    mirrors: Mirrors, tiny_mnist: dict[str, bytes], tmp_path: Path
) -> None:
    mirrors.script(f"/gone/{NAME}", whole(b"", status=404))
    mirrors.script(f"/wrong/{NAME}", whole(b"other"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(DataError) as error:
            download(
                "mnist",
                NAME,
                tmp_path / NAME,
                sources(mirrors.address("gone"), mirrors.address("wrong"), closed),
            )
    lines = str(error.value).splitlines()
    assert NAME in lines[0]
    for line, address, reason in zip(
        lines[1:4],
        (mirrors.address("gone"), mirrors.address("wrong"), closed),
        ("404", "SHA-256", "refused"),
        strict=True,
    ):
        assert f"{address}/{NAME}: " in line
        assert reason in line
    assert all(name in lines[4] for name in tiny_mnist)


@pytest.mark.parametrize("encode", [gzip.decompress, bytes, lambda b: gzip.compress(gzip.decompress(b), 1)])
def test_any_compression_of_the_right_content_is_good(
    mirrors: Mirrors, body: bytes, tmp_path: Path, encode
) -> None:
    mirrors.script(f"/good/{NAME}", whole(encode(body)))
    download("mnist", NAME, tmp_path / NAME, sources(mirrors.address("good")))
    assert (tmp_path / NAME).read_bytes() == encode(body)


@pytest.mark.parametrize(
    "send", [lambda body: whole(body, Content_Encoding="gzip"), chunked], ids=["encoded", "chunked"]
)
def test_bytes_are_kept_as_they_were_sent(mirrors: Mirrors, body: bytes, tmp_path: Path, send) -> None:
    mirrors.script(f"/good/{NAME}", send(body))
    download("mnist", NAME, tmp_path / NAME, sources(mirrors.address("good")))
    assert (tmp_path / NAME).read_bytes() == body


def test_a_folder_that_cannot_be_made_is_named(mirrors: Mirrors, body: bytes, tmp_path: Path) -> None:
    mirrors.script(f"/good/{NAME}", whole(body))
    (tmp_path / "occupied").write_text("a regular file")
    with pytest.raises(DataError, match=f"occupied/{NAME}: cannot be written .*permissions"):
        download("mnist", NAME, tmp_path / "occupied" / NAME, sources(mirrors.address("good")))


def test_a_full_disk_is_not_blamed_on_the_mirror(
    mirrors: Mirrors, body: bytes, tmp_path: Path, monkeypatch
) -> None:
    real_open = Path.open

    def full(path: Path, mode: str = "r"):
        return real_open(Path("/dev/full"), mode) if path.suffix == ".partial" else real_open(path, mode)

    mirrors.script(f"/good/{NAME}", whole(body))
    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(DataError, match=f"{tmp_path / NAME}: cannot be written .*No space left.*make room"):
        download("mnist", NAME, tmp_path / NAME, sources(mirrors.address("good")))
    assert list(tmp_path.iterdir()) == []
    assert len(mirrors.requests) == 1


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        ("minst", NAME, "no data set `minst`; valid: mnist, cifar10"),
        ("mnist", "labels", f"no file `labels`; valid: .*{NAME}"),
        ("digits", "digits.gz", "no file `digits.gz`; valid: none"),
    ],
)
def test_unknown_names_are_refused(tmp_path: Path, name: str, file: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        download(name, file, tmp_path / file, DataSources())
