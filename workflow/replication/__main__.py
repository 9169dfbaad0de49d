"""Commands: `python -m replication verdicts` and `python -m replication reference`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from replication.errors import ReplicationError
from replication.settings.config import CONFIG_FILE, config_of
from replication.settings.study import Scale
from replication.settings.yaml_file import read_yaml


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        print(options.command(options))
    except ReplicationError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m replication", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verdicts = commands.add_parser(
        "verdicts", help="print the verdict on each claim, and where the report is"
    )
    verdicts.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    verdicts.set_defaults(command=_verdicts)
    reference = commands.add_parser("reference", help="print config/README.md: every key and its default")
    reference.set_defaults(command=_reference)
    return parser


# What a command needs is imported by it: the other one should not wait for it.


def _verdicts(options: argparse.Namespace) -> str:
    from replication.verdict_table import verdict_table

    scale = options.scale or config_of(read_yaml(CONFIG_FILE)).scale
    return verdict_table(Path("results") / scale)


def _reference(_options: argparse.Namespace) -> str:
    from replication.settings.reference import reference

    return reference().rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
