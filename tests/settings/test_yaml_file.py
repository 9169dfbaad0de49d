"""YAML: what it would misread is refused, with file, line and remedy."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from replication.errors import ConfigurationError
from replication.settings.yaml_file import read_yaml


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("yaml") / "some study.yaml"


def read(file, text):
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_yaml(file)


def refused(file, text):
    with pytest.raises(ConfigurationError) as caught:
        read(file, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("a: 1\nb: 2\na: 3", 3, "a"),
        ("a: 1\na: 1", 2, "a"),
        ('a: 1\n"a": 2', 2, "a"),
        ("x:\n  b: 1\n  c: 2\n\n  b: 3\ny: 4", 5, "b"),
        ("x: {b: 1, b: 2}", 1, "b"),
        ("x:\n- b: 1\n  b: 2", 3, "b"),
        ("1: a\n1: b", 2, "1"),
        ("base: &base {a: 1}\nx:\n  <<: *base\n  b: 1\n  b: 2", 5, "b"),
    ],
)
def test_a_key_that_is_there_twice_is_refused(file, text, line, key):
    assert refused(file, text) == f"{file}, line {line}: the key `{key}` is there twice: delete one"


@pytest.mark.parametrize("written", [".nan", ".NaN", ".inf", "-.inf", "+.INF"])
@pytest.mark.parametrize("text", ["a: 1\nb: {}", "a: 1\nb: [2.5, {}]", "a: 1\n{}: b"])
def test_numbers_that_are_not_finite_are_refused(file, text, written):
    expected = f"{file}, line 2: `{written}` is not a number here: write a finite one"
    assert refused(file, text.format(written)) == expected


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-3", "0.001"),
        ("1e-7", "1.0e-07"),
        ("-1E-3", "-0.001"),
        ("+1e3", "1000.0"),
        ("1e22", "1.0e+22"),
        ("1.5e3", "1500.0"),
        ("08", "8"),
        ("-09", "-9"),
        ("0o10", "8"),
        ("0O17", "15"),
        ("0B11", "3"),
        ("0X1F", "31"),
        ("１０", "10"),
        ("nan", "a finite number"),
        ("inf", "a finite number"),
        ("-Infinity", "a finite number"),
    ],
)
@pytest.mark.parametrize("text", ["a: 1\nb: {}", "a: 1\nb: [2.5, {}]", "a: 1\n{}: b"])
def test_numbers_that_yaml_reads_as_text_are_refused(file, text, written, meant):
    expected = f'{file}, line 2: YAML reads `{written}` as text: write {meant}, or "{written}" for text'
    assert refused(file, text.format(written)) == expected


@settings(max_examples=50)
@given(number=some.floats(allow_nan=False, allow_infinity=False), form=some.sampled_from(["r", "e", "g"]))
def test_a_number_is_read_as_it_is_or_refused_with_a_form_that_is(file, number, form):
    text = repr(number) if form == "r" else f"{number:{form}}"
    try:
        found = read(file, f"x: {text}")["x"]
    except ConfigurationError as error:
        remedy, as_text = re.search(r"write (\S+), or (\S+) for text", str(error)).groups()
        found = read(file, f"x: {remedy}")["x"]
        assert read(file, f"x: {as_text}") == {"x": text}
    assert isinstance(found, float | int)
    assert found == float(text)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("1.0e-3", 0.001),
        ("1.0e-07", 1e-7),
        ("-2.5E+3", -2500.0),
        (".5", 0.5),
        ("0.001", 0.001),
        ("3", 3),
        ("10_000", 10_000),
        ('"1e-3"', "1e-3"),
        ("'1e-3'", "1e-3"),
        ("'.nan'", ".nan"),
        ("|-\n  1e-3", "1e-3"),
        (">-\n  1e-3", "1e-3"),
        ("1e-3 of it", "1e-3 of it"),
        ("3.2.1, Table 1", "3.2.1, Table 1"),
        ("null", None),
        ("true", True),
        ("é", "é"),
        ("{}", {}),
    ],
)
def test_good_forms_are_read_as_they_are_meant(file, written, value):
    found = read(file, f"x: {written}")["x"]
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x {b: 1, c: [2]}\nd: *x", {"a": {"b": 1, "c": [2]}, "d": {"b": 1, "c": [2]}}),
        ("a: &x [1, 2]\nd: {e: *x}", {"a": [1, 2], "d": {"e": [1, 2]}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("a: &x {b: 1}\nd: &y {c: 2}\ne: {<<: [*x, *y]}", {"a": {"b": 1}, "d": {"c": 2}, "e": {"b": 1, "c": 2}}),
        (  # the inner mapping, itself merged, is merged again before it is built
            "a: &x {b: 1}\nd: {in: &y {<<: *x, b: 2}}\ne: {<<: *y, c: 3}",
            {"a": {"b": 1}, "d": {"in": {"b": 2}}, "e": {"b": 2, "c": 3}},
        ),
    ],
)  # fmt: skip
def test_anchors_are_read_right(file, text, expected):
    assert read(file, text) == expected


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a: 1", "3", "text", "null"])
def test_what_is_not_a_mapping_is_refused(file, text):
    assert refused(file, text) == f"{file}: should hold a mapping of keys to values"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: [1, 2", "line 2"),
        ("a: 1\nb: c: d", "line 2"),
        ("a: 1\nb: {{ c }}", "line 2"),
        ("a: 1\n? [b, c]\n: 2", "line 2"),
        ("a: *nowhere", "line 1"),
        ("a: 1\n---\nb: 2", "line 2"),
        ("a: \x00", "position 3"),
        (b"a: \xff", "position 3"),
    ],
)
def test_what_is_not_yaml_is_refused(file, text, place):
    message = refused(file, text)
    assert message.startswith(f"{file}: not valid YAML, correct it: ")
    assert place in message


@pytest.mark.parametrize("text", ["a: 1\nb: {}", "a: 1\nb: [2.5, {}]", "a: 1\n{}: b"])
@pytest.mark.parametrize(
    ("written", "value", "meant"),
    [
        ("010", "8", "8 or 10"),
        ("-010", "-8", "-10 or -8"),
        ("0_7", "7", "7"),
        ("0x1F", "31", "31"),
        ("0b11", "3", "3"),
        ("1:30", "90", "90"),
        ("1:30:00", "5400", "5400"),
        ("1:30.5", "90.5", "90.5"),
        ("1_0", "10", "10"),
        ("1_0000", "10000", "10000"),
        ("10_", "10", "10"),
        ("1__000", "1000", "1000"),
        ("1_0.5", "10.5", "10.5"),
        ("1.0_5", "1.05", "1.05"),
        ("yes", "true", "true"),
        ("No", "false", "false"),
        ("on", "true", "true"),
        ("OFF", "false", "false"),
    ],
)
def test_what_yaml_reads_as_another_value_is_refused(file, text, written, value, meant):
    expected = f'{file}, line 2: YAML reads `{written}` as {value}: write {meant}, or "{written}" for text'
    assert refused(file, text.format(written)) == expected
    for right in (*meant.split(" or "), f'"{written}"'):
        read(file, text.format(right))


@pytest.mark.parametrize("written", ["2024-01-31", "2024-02-30", "2001-12-14t21:59:43.10-05:00"])
def test_a_date_is_refused(file, written):
    assert refused(file, f"a: 1\nb: {written}").startswith(
        f"{file}, line 2: YAML reads `{written}` as a date"
    )
    assert read(file, f'b: "{written}"') == {"b": written}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: &x [*x]", 2, "has no end"),
        ("a: 1\nb: &x\n  b: {c: *x}", 2, "has no end"),
        ("a: 1\nb: " + "[" * 40 + "]" * 40, 2, "levels deep"),
        ("a: 1\nb: " + "9" * 5000, 2, "no int that can be used"),
        ("a: 1\nb: " + "9" * 11, 2, "more than 10 digits"),
        ("a: 1\nb: 1.0e+400", 2, "write a finite one"),
        ("a: 1\nb: 1.0e-400", 2, "too near to zero"),
        ("a: 1\nb: !!int text", 2, "no int"),
        ("a: 1\nb: !!float ''", 2, "no float"),
        ("a: 1\nb: !!bool maybe", 2, "true or false"),
        ("a: 1\nb: !!int '010'", 2, "8 or 10"),
        ("a: 1\nb: !!set {c, d}", 2, "`!!set` has no place here"),
        ("a: 1\nb: !mine 3", 2, "`!mine` has no place here"),
        ("a: 1\nb: !!binary YQ==", 2, "`!!binary` has no place here"),
        ("a: 1\nb: !!python/object/apply:os.getcwd []", 2, "has no place here"),
        ("a: 1\nb: =", 2, "`!!value` has no place here"),
        ('a: 1\nb: "c\\0d"', 2, r'"c\x00d" holds a character that cannot be printed'),
        ('a: 1\n"c\\x1b": 2', 2, r'"c\x1b" holds a character that cannot be printed'),
    ],
)
def test_what_no_setting_can_hold_is_refused(file, text, line, words):
    message = refused(file, text)
    assert message.startswith(f"{file}, line {line}: ")
    assert words in message
    assert len(message) < 1000


def test_what_is_nested_without_end_is_refused(file):
    assert "levels deep" in refused(
        file, "a: " + "[" * 100_000
    )  # without its end: libyaml's recursion comes first
    chain = ["a0: &a0 [1]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 5000))]
    assert "levels deep" in refused(file, "\n".join(chain))


def test_aliases_that_stand_for_billions_are_refused(file):
    lines = ["a0: &a0 [1, 2]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
    assert "stands for more than 200000 values" in refused(file, "\n".join(lines))


def test_windows_files_are_read(file):
    assert read(file, b"\xef\xbb\xbfa: 1\r\nb: text\r\n") == {"a": 1, "b": "text"}
    assert read(file, "a: 1\nb: é".encode("utf-16")) == {"a": 1, "b": "é"}


def test_what_cannot_be_read_is_refused(tmp_path):
    for path, reason in (
        (tmp_path / "none.yaml", "does not exist"),
        (tmp_path, "is not a file, but a folder"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            read_yaml(path)
        assert str(caught.value) == f"{path} {reason}; correct the path"
