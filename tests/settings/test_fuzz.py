"""Wrong input of every kind: it works, or the message names the file and says what to do; nothing else is raised."""

import contextlib
import copy
import json
import os
import random
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from places import ROOT
from project import inside
from replication import __main__ as command
from replication import schedules
from replication.data import raw_files
from replication.errors import ReplicationError
from replication.runs.plan import load_plan
from replication.settings.command_line import check_arguments
from replication.settings.config import Config, load_config
from replication.settings.schedule import OwnFunction
from replication.settings.yaml_file import read_yaml

SEED = 20261125
MUTATED = {"study": 350, "configuration": 250, "function": 200}
STUDY = ROOT / "tests" / "workflow" / "tiny-study.yaml"
EVERYTHING = {
    **{name: field.get_default() for name, field in Config.model_fields.items()},
    "only": ["tiny"],
    "seeds": 2,
    "substitute": {"digits": "mnist"},
    "mirrors": {"mnist": ["http://127.0.0.1:9/"]},
    "budget_hours": 3.5,
}
# What takes the place of a value, as YAML writes it.
TEXTS = [
    *("null", "true", "no", "[]", "{}", "''", '"x"', "-1", "0", "1", "2", "3.5", "-0.0", "1.0e-300", "1.0e+308"),
    *(".nan", "-.inf", "1.0e+400", "1.0e-400", "1e-3", "010", "0o10", "0x1F", "0b11", "1:30", "1_0", "1:30.5"),
    *("999999999", "9" * 11, "9" * 5000, "2024-01-31", "2024-02-30", "!!set {a}", "!!binary YQ==", "!x y", "="),
    *("[1, 2, 3]", "[[[]]]", "{a: {b: {c: 1}}}", "&x [*x]", "*nowhere", "[" * 40 + "]" * 40, "- a", "a: b: c"),
    *('"a\\nb"', '"a\\0b"', '"\\ud800"', '"\\x1b[31m"', "'{x}'", "'{'", "'../..'", "'/'", "'~nosuchuser/x'", "'~'"),
    *("'" + "x" * 3000 + "'", "'é'", "'%s'", "'*'", "'a b'", "'-x'", "'tiny/cosine'", "'tiny/'", "mnist", "digits"),
    *("/dev/zero", "/dev/null", "[mnist, mnist]", "{mnist: digits}", "{digits: digits}", "last", "best", "higher"),
]  # fmt: skip
BYTES = [
    b"\xff",
    b"\0",
    b"\t",
    b"\r",
    b"\xef\xbb\xbf",
    b"{",
    b"]",
    b":",
    b"'",
    b'"',
    b"&a ",
    b"*a",
    b"#",
    b"\x85",
    b"\n",
]


def dumped(content: Any) -> str:
    return str(yaml.dump(content, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value within a value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*path, key)
        yield from places(part, (*path, key))


def holder(content: Any, path: tuple[Any, ...]) -> Any:
    for key in path[:-1]:
        content = content[key]
    return content


def with_text(content: Any, rng: random.Random) -> bytes:
    """Replace a value by another text of YAML."""
    path = rng.choice([*places(content)])
    holder(content, path)[path[-1]] = "REPLACED"
    return dumped(content).replace("REPLACED", rng.choice(TEXTS), 1).encode("utf-8", "surrogatepass")


def without_key(content: Any, rng: random.Random) -> bytes:
    path = rng.choice([*places(content)])
    del holder(content, path)[path[-1]]
    return dumped(content).encode()


def renamed_key(content: Any, rng: random.Random) -> bytes:
    path = rng.choice([path for path in places(content) if isinstance(path[-1], str)])
    name = rng.choice(
        [path[-1][:-1], path[-1].upper(), "", "{x}", "x" * 3000, "a\nb", 3, None, True, 1.5, "name", "kind"]
    )
    holder(content, path)[name] = holder(content, path).pop(path[-1])
    return dumped(content).encode()


def swapped_values(content: Any, rng: random.Random) -> bytes:
    one, other = (rng.choice([*places(content)]) for _ in range(2))
    values = [copy.deepcopy(holder(content, path)[path[-1]]) for path in (one, other)]
    with contextlib.suppress(KeyError, IndexError, TypeError):  # one lies within the other
        holder(content, one)[one[-1]] = values[1]
        holder(content, other)[other[-1]] = values[0]
    return dumped(content).encode()


def wrapped_value(content: Any, rng: random.Random) -> bytes:
    path = rng.choice([*places(content)])
    value = holder(content, path)[path[-1]]
    holder(content, path)[path[-1]] = rng.choice([[value], {"settings": value}, [value] * 300, str(value)])
    return dumped(content).encode()


def cut_short(content: Any, rng: random.Random) -> bytes:
    text = dumped(content).encode()
    return text[: rng.randrange(len(text))]


def with_bytes(content: Any, rng: random.Random) -> bytes:
    text = dumped(content).encode()
    place = rng.randrange(len(text))
    return text[:place] + rng.choice(BYTES) + text[place:]


def line_moved(content: Any, rng: random.Random) -> bytes:
    """Double, delete or indent a line."""
    lines = dumped(content).encode().splitlines(keepends=True)
    place = rng.randrange(len(lines))
    lines[place : place + 1] = rng.choice(
        [[lines[place]] * 2, [], [b"  " + lines[place]], [lines[place].lstrip()]]
    )
    return b"".join(lines)


def another_content(_content: Any, rng: random.Random) -> bytes:
    wholes = [
        b"",
        b"null",
        b"- a",
        b"3",
        b"text",
        b"\0",
        b"\xff\xfe",
        b"a: " + b"[" * 100_000,
        b"--- a\n--- b",
        b"{}",
        b"? [a]\n: b",
    ]
    return rng.choice(wholes)


MUTATIONS: list[Callable[[Any, random.Random], bytes]] = [
    *[with_text] * 4,
    *(without_key, renamed_key, swapped_values, wrapped_value, cut_short, with_bytes, line_moved, another_content),
]  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "config/studies").mkdir(parents=True)
    shutil.copy(STUDY, folder / "config/studies/tiny.yaml")
    (folder / "config/config.yaml").write_text(dumped(EVERYTHING))
    return folder


def load(config_file: Path, studies: Path) -> None:
    """Do what the Snakefile does."""
    config = load_config(read_yaml(config_file), [])
    plan = load_plan(config, studies)
    for name in {name for study in plan.values() for name in study.datasets}:
        raw_files(name, config, "resources/downloads")
    json.dumps([study.digest for study in plan.values()]).encode()


def judged(work: Callable[[], Any], *named: str) -> str:
    """Return whether some work was done or refused, after a look at the message."""
    try:
        work()
    except ReplicationError as error:
        message = str(error)
        message.encode()
        assert any(name in message for name in named), message
        assert len(message) < 20_000, message[:500]
        assert not re.search(r"Traceback|<[a-z]+ object at |Errno", message), message
        assert len(message) > len("config/config.yaml: "), message
        return "refused"
    return "worked"


def test_there_are_enough_mutations() -> None:
    assert sum(MUTATED.values()) >= 500


@pytest.mark.slow
@pytest.mark.parametrize("what", ["study", "configuration"])
def test_mutated_files_are_refused_by_name_or_work(project: Path, what: str) -> None:
    rng = random.Random(f"{SEED} {what}")
    with inside(project):
        config, study = Path("config/config.yaml"), Path("config/studies/tiny.yaml")
        changed = study if what == "study" else config
        before = changed.read_bytes()
        content = yaml.safe_load(before)
        found: Counter[str] = Counter()
        for number in range(MUTATED[what]):
            mutation = rng.choice(MUTATIONS)
            text = mutation(copy.deepcopy(content), rng)
            changed.write_bytes(text)
            try:
                # A whole that is changed in part may mention what is no longer there: in either file.
                found[
                    judged(lambda: load(config, study.parent), "config/", "`data_dir`", "`image_folders`")
                ] += 1
            except BaseException as error:
                error.add_note(f"number {number}, {mutation.__name__}: {text[:3000]!r}")
                raise
            finally:
                changed.write_bytes(before)
    assert found.total() == MUTATED[what]
    assert min(found["refused"], found["worked"]) >= 20


def test_mutated_functions_are_refused_by_name_or_work(tmp_path: Path) -> None:
    """A schedule of the user's own is code: whatever stands in its file is a curve, or is refused by its name."""
    rng = random.Random(f"{SEED} function")
    lines = (ROOT / "schedules/wsd.py").read_bytes().splitlines(keepends=True)
    code = lines.index(next(line for line in lines if line.startswith(b"def ")))
    schedule = OwnFunction(name="function", file="own.py", function="warmup_stable_decay", stable=0.8)
    found: Counter[str] = Counter()
    with inside(tmp_path):
        for _ in range(MUTATED["function"]):
            changed = lines.copy()
            place = rng.randrange(code, len(lines))
            at = rng.randrange(len(changed[place]))
            word = rng.choice([*BYTES, b"-", b"1", b"None ", b"progress", b" if x else ", b"import os;", b""])
            changed[place] = changed[place][:at] + word + changed[place][at + rng.randrange(4) :]
            Path("own.py").write_bytes(b"".join(changed))
            found[judged(lambda: schedules.checked(schedule), "own.py")] += 1
    assert min(found["refused"], found["worked"]) >= 20


def test_commands_with_odd_arguments_end_without_a_traceback(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(SEED)
    words = [
        "",
        "a",
        "a:b",
        "a:b:c",
        "table-1:x:y@last",
        ":::",
        "{}",
        "\n",
        "tiny/results:cosine:Test accuracy",
        "é",
        "x" * 3000,
    ]
    with inside(project):
        for _ in range(30):
            arguments = rng.choice(
                [["trace"], ["trace", "--json"], ["trace", "--claim"], ["verdicts"]]
            ).copy()
            arguments += [rng.choice(words)] * (arguments[0] == "trace")
            arguments += rng.choice([[], ["--scale", "laptop"]])
            assert command.main(arguments) == 1
            assert re.match(r"[A-Z]\w+Error: .", capsys.readouterr().err)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("key", ["seeds", "data_dir", "forecast_places"])
def test_odd_values_on_the_command_line(key: str, text: str) -> None:
    judged(lambda: check_arguments(["--cores", "1", "--config", f"{key}={text}", "-n"]), f"--config: `{key}=")


ODDITIES: dict[str, Callable[[Path], Any]] = {
    "a folder": Path.mkdir,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a FIFO": os.mkfifo,
    "nothing in it": Path.touch,
}


@pytest.mark.parametrize("oddity", ODDITIES)
@pytest.mark.parametrize("name", ["config/config.yaml", "config/studies/tiny.yaml"])
def test_what_is_no_file_is_named(
    project: Path, tmp_path: Path, oddity: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(project, tmp_path / "project")
    (folder / name).unlink()
    ODDITIES[oddity](folder / name)
    with inside(folder):
        assert judged(lambda: load(Path("config/config.yaml"), Path("config/studies")), name) == "refused"
        if name == "config/config.yaml":
            assert command.main(["verdicts"]) == 1
            assert name in capsys.readouterr().err
