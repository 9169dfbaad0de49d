"""What a user writes after `--config`, before Snakemake makes numbers of it."""

import argparse
from collections.abc import Sequence
from typing import Any

import yaml

from replication.errors import ConfigurationError
from replication.settings.yaml_numbers import plain_forms
from replication.system.user_paths import shown


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse numbers on Snakemake's command line that it reads in another way than a file or a person does.

    Snakemake hands on 10 for `seeds=010`, which is 8 in a file, and the text for `seeds=0x1F`.

    Parameters
    ----------
    arguments
        Of the call of Snakemake, without its name.

    Raises
    ------
    ConfigurationError
        It names the entry and what to write instead.
    """
    for entry in _entries(arguments):
        key, _, value = entry.partition("=")
        if forms := plain_forms(value):
            numbers = " or ".join(f"{key}={form}" for form in forms)
            raise ConfigurationError(
                f"--config: `{shown(entry)}`: not a plain number: write {numbers}, or '{key}=\"{value}\"' for text"
            )


def read_entries(entries: Sequence[str]) -> dict[str, Any]:
    """Return what `--config` of one of our own commands says, entries `key=value`, as Snakemake reads them.

    Raises
    ------
    ConfigurationError
        An entry has no key, or a value that is not valid YAML or no plain number.
    """
    check_arguments(["--config", *entries])
    values = {}
    for entry in entries:
        key, equals, value = entry.partition("=")
        if not (key and equals):
            raise ConfigurationError(f"--config: `{shown(entry)}`: write key=value, such as seeds=3")
        try:
            values[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise ConfigurationError(f"--config: `{shown(entry)}`: not valid YAML ({reason})") from None
    return values


def _entries(arguments: Sequence[str]) -> list[str]:
    # Snakemake's own parser takes half a second to make.
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--config", "-C", nargs="*", default=[])
    entries: list[str] = parser.parse_known_args(arguments)[0].config
    return entries
