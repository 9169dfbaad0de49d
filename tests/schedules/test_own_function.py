"""A schedule of the user's own: what it gives, and what is refused before any job, by file, key and remedy."""

import math
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from places import ROOT
from project import inside
from replication import schedules
from replication.errors import ConfigurationError
from replication.schedules.own_function import CHECKED_POINTS, own_function
from replication.settings.schedule import OwnFunction, ScheduleSettings, WarmUp

SCHEDULE = TypeAdapter(ScheduleSettings)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes the file of a schedule, and gives the settings that name it."""
    monkeypatch.chdir(tmp_path)
    Path("schedules").mkdir()

    def write(text, function="own", **keywords):
        Path("schedules/own.py").write_text(text, encoding="utf-8")
        return OwnFunction(name="function", file="schedules/own.py", function=function, **keywords)

    return write


def refused(settings):
    with pytest.raises(ConfigurationError) as caught:
        schedules.checked(settings)
    return str(caught.value)


def wsd(**keywords):
    return OwnFunction(name="function", file="schedules/wsd.py", function="warmup_stable_decay", **keywords)


def test_the_example_of_the_readme_warms_up_holds_and_decays():
    with inside(ROOT):
        rate = schedules.build(
            schedules.checked(wsd(stable=0.8)), steps_per_epoch=10, epochs=10
        ).learning_rate
    assert [rate(step) for step in (0, 4, 5, 50, 80)] == pytest.approx([0, 0.8, 1, 1, 1])
    assert [rate(step) for step in (90, 99, 100, 200)] == pytest.approx([0.5, 0.05, 0, 0])


def test_sampling_warm_up_and_clamping_are_those_of_every_schedule(write):
    settings = write("def own(progress, slope):\n    return 2 - slope * progress\n", slope=1.0)
    changed = settings.model_copy(update={"warm_up": WarmUp(name="constant", epochs=1, start=0.5)})
    rate = schedules.build(changed, steps_per_epoch=10, epochs=11).learning_rate
    assert [rate(step) for step in (0, 9, 10, 60, 110, 500)] == pytest.approx([1, 1, 2, 1.5, 1, 1])


def test_settings_reach_the_function_as_they_are_written(write):
    text = (
        "def own(progress, *, whole, real, word, truth, numbers):\n"
        "    assert (type(whole), type(real), type(word), type(truth)) == (int, float, str, bool)\n"
        "    assert numbers == [1.0, 2.5]\n"
        "    return 1.0\n"
    )
    given = {"whole": 1, "real": 1.0, "word": "a", "truth": True, "numbers": [1, 2.5]}
    settings = schedules.checked(write(text, **given))
    again = SCHEDULE.validate_json(settings.model_dump_json())
    assert again == settings
    assert schedules.checked(again) == settings


def test_the_content_of_the_file_is_part_of_the_settings(write):
    settings = schedules.checked(write("def own(progress):\n    return 1.0\n"))
    assert schedules.is_current(settings)
    write("def own(progress):\n    return 0.5\n")
    assert not schedules.is_current(settings)
    assert "has changed since; start again" in refused(settings)
    with pytest.raises(ConfigurationError, match=r"schedules/own.py has the SHA-256 .* has changed since"):
        own_function(settings)
    assert schedules.checked(settings.model_copy(update={"content_sha256": None})) != settings
    Path("schedules/own.py").unlink()
    assert not schedules.is_current(settings)


REFUSED = [
    ("own = 3\n", {}, "file schedules/own.py: defines no function; define `own`"),
    ("def owl(p): return 1.0\n", {}, "no function `own` (did you mean `owl`?); valid: owl"),
    ("def own(p: return 1\n", {}, "file schedules/own.py, line 1: is not valid Python"),
    ("\0", {}, "file schedules/own.py"),
    ("1 / 0\n", {}, "cannot be run (ZeroDivisionError: division by zero): correct it"),
    ("raise SystemExit(3)\n", {}, "cannot be run (SystemExit: 3): correct it"),
    ("import replication\n", {}, "imports replication, whose changes would go unnoticed"),
    ("from replication.schedules import build\n", {}, "imports replication.schedules"),
    ("import other\n", {}, "imports other, whose changes would go unnoticed: put what it needs into the file"),
    ("from . import other\n", {}, "imports from its own folder"),
    ("def own(): return 1.0\n", {}, "own takes no progress: its first parameter should be that"),
    ("def own(*, progress): return 1.0\n", {}, "own takes no progress"),
    ("own = dict.fromkeys\n", {}, "file schedules/own.py: own"),
    ("def own(p, stable): return 1.0\n", {}, "own needs `stable`: add it"),
    ("def own(p): return 1.0\n", {"stable": 1}, "own: there is no setting `stable`; valid: "),
    ("def own(p, warm=1): return 1.0\n", {"wram": 1}, "no setting `wram` (did you mean `warm`?); valid: warm"),
    ("def own(p, warm_up=1): return 1.0\n", {}, "takes `warm_up`, which is a key of the schedule itself: rename it"),
    ("def own(p): return 1 / (1 - p)\n", {}, "fails at progress 1 (ZeroDivisionError: float division by zero)"),
    ("def own(p): raise SystemExit\n", {}, "fails at progress 0 (SystemExit): correct it"),
    ("def own(p): return 0.5 - p\n", {}, "at progress 0.501: should be finite and not negative"),
    ("def own(p): return float('nan')\n", {}, "gives nan at progress 0: should be finite and not negative"),
    ("def own(p): return float('inf')\n", {}, "gives inf at progress 0: should be finite and not negative"),
    ("def own(p): return None\n", {}, "gives None at progress 0: should be a number, the multiplier"),
    ("def own(p): return True\n", {}, "gives True at progress 0: should be a number"),
    ("def own(p): yield 1.0\n", {}, "should be a number"),
    ("import random\ndef own(p): return random.random()\n", {}, "without random numbers, clocks and memory"),
    ("import random\nr = random.random()\ndef own(p): return r\n", {}, "without random numbers"),
    (
        "n = 0\ndef own(p):\n    global n\n    n += 1\n    return float(n)\n",
        {},
        "should depend on progress and its settings alone",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "keywords", "message"), REFUSED)
def test_what_is_wrong_is_named_before_any_job(write, text, keywords, message):
    settings = write(text, **keywords)
    Path("schedules/other.py").touch()
    said = refused(settings)
    assert message in said
    assert "schedules/own.py" in said


def test_fault_between_the_checked_points_is_named_when_it_is_read(write):
    between = 0.5 / CHECKED_POINTS
    text = f"def own(p): return -1.0 if p == {between!r} else 1.0\n"
    profile = own_function(schedules.checked(write(text)))
    with pytest.raises(ConfigurationError, match=r"gives -1 at progress 0\.0005: should be finite"):
        profile(between)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("schedules/nowhere.py", "file: schedules/nowhere.py does not exist; correct the path"),
        ("schedules", "is not a file, but a folder"),
        ("/etc/passwd", "is outside the project: copy it into the project's folder"),
        ("../own.py", "is outside the project"),
        ("schedules/../../own.py", "is outside the project"),
        ("\0", "NUL"),
    ],
)
def test_a_path_that_leads_nowhere_or_outside_is_refused(write, file, message):
    assert message in refused(write("").model_copy(update={"file": file}))


def test_a_pinned_content_is_that_or_refused(write):
    settings = schedules.checked(write("def own(progress):\n    return 1.0\n"))
    assert schedules.checked(settings) == settings
    other = settings.model_copy(update={"content_sha256": "5f" * 32})
    assert "correct content_sha256 where it is written" in refused(other)


@pytest.mark.parametrize("value", [math.nan, math.inf, None, {"a": 1}, ["a"]])
def test_settings_that_no_study_could_hold_are_refused(write, value):
    with pytest.raises(ValidationError):
        write("", stable=value)
