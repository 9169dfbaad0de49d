"""Numbers after `--config`, which Snakemake reads in ways of its own."""

import pytest

from replication.errors import ConfigurationError
from replication.settings.command_line import check_arguments


@pytest.mark.parametrize(
    ("value", "forms"),
    [
        ("010", "seeds=8 or seeds=10"),
        ("08", "seeds=8"),
        ("0x1F", "seeds=31"),
        ("0o10", "seeds=8"),
        ("0b11", "seeds=3"),
        ("1:30", "seeds=90"),
        ("1_0", "seeds=10"),
        ("1_0.5", "seeds=10.5"),
        ("１０", "seeds=10"),
        (" 3", "seeds=3"),
    ],
)
@pytest.mark.parametrize(
    "arguments", [["--config", "scale=demo", "{}", "-n"], ["-n", "--config={}"], ["-C", "{}"], ["-C{}"]]
)
def test_numbers_that_are_not_plain_are_refused(value, forms, arguments):
    with pytest.raises(ConfigurationError) as caught:
        check_arguments([part.format(f"seeds={value}") for part in arguments])
    assert str(caught.value).startswith(f"--config: `seeds={value}`: not a plain number: write {forms}, or ")


@pytest.mark.parametrize(
    "value", ["10", "1_000", "1e-3", "0.5", "+3", "demo", "", "a/b", "[1, 2]", "null", "2024", "nan"]
)
def test_other_values_are_left_to_the_settings(value):
    check_arguments(["all", "--cores", "2", "--config", f"key={value}"])


def test_what_is_no_configuration_is_not_looked_at():
    check_arguments(["--cores", "010", "results/010"])
