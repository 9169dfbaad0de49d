"""Commands: `python -m replication` with one of those that `_parser` lists."""

import argparse
import os
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
        print(options.command(options), flush=True)
    except ReplicationError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m replication",
        description="What stands beside the workflow: reading its results, publishing them, writing its references.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verdicts = commands.add_parser(
        "verdicts", help="print the verdict on each claim, and where the report is"
    )
    verdicts.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    verdicts.set_defaults(command=_verdicts)
    _add_trace(commands)
    new_study = commands.add_parser("new-study", help="write a study and its notebook that run as they are")
    new_study.add_argument("name", metavar="NAME", help="of the study: lower-case letters, digits, hyphens")
    new_study.set_defaults(command=_new_study)
    reference = commands.add_parser("reference", help="print config/README.md: every key and its default")
    reference.set_defaults(command=_reference)
    schema = commands.add_parser(
        "schema", help="print config/study.schema.json: what an editor knows of studies"
    )
    schema.set_defaults(command=_schema)
    _add_publication(commands)
    facts = commands.add_parser(
        "facts", help="print reports/discrepancy-facts.json: the numbers of the known discrepancies"
    )
    facts.set_defaults(command=_facts)
    return parser


def _add_trace(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    trace = commands.add_parser(
        "trace",
        help="print where one number came from, down to the runs",
        description="Print where one number came from, down to the runs, and whether each hash is as recorded.",
    )
    asked = trace.add_mutually_exclusive_group(required=True)
    asked.add_argument(
        "number",
        nargs="?",
        metavar="TABLE:ROW:COLUMN",
        help="a table of a study (table-1, or automated-lr/table-1), or one of summary, runs, claims; an arm, run "
        "or claim; a heading or a measure, with @last, @best or @5 where there are several",
    )
    asked.add_argument("--claim", metavar="ID", help="a claim: id, or study/id")
    trace.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    trace.add_argument("--json", action="store_true", help="print JSON")
    trace.set_defaults(command=_trace)


def _add_publication(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    publish = commands.add_parser(
        "publish", help="pack audited results into published/, to be kept with the code"
    )
    publish.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    publish.set_defaults(command=_publish)
    restore = commands.add_parser("restore", help="make the results folder again of what was published")
    restore.add_argument("scale", choices=get_args(Scale))
    restore.set_defaults(command=_restore)


# Each command imports what it needs, so that the others do not wait for it.


def _verdicts(options: argparse.Namespace) -> str:
    from replication.report.verdict_table import verdict_table

    return verdict_table(_results(options))


def _trace(options: argparse.Namespace) -> str:
    import json

    from replication.runs.plan import STUDIES
    from replication.trace.text import trace_text
    from replication.trace.tracer import Tracer

    tracer = Tracer(_results(options), STUDIES)
    chain = tracer.claim(options.claim) if options.claim else tracer.number(options.number)
    return json.dumps(chain, indent=2, ensure_ascii=False) if options.json else trace_text(chain)


def _publish(options: argparse.Namespace) -> str:
    from replication.publication import publish

    return f"Published: {publish(_results(options))}"


def _restore(options: argparse.Namespace) -> str:
    from replication.publication import CONFIGURATION, PUBLISHED, restore

    published, results = PUBLISHED / options.scale, _results(options)
    restore(published, results)
    return f"Restored: {results}. Next: snakemake audit --cores all --configfile {published / CONFIGURATION}"


def _results(options: argparse.Namespace) -> Path:
    return Path("results") / (options.scale or config_of(read_yaml(CONFIG_FILE)).scale)


def _new_study(options: argparse.Namespace) -> str:
    from replication.report.new_study import new_study

    return new_study(options.name)


def _reference(_options: argparse.Namespace) -> str:
    from replication.settings.reference import reference

    return reference().rstrip("\n")


def _schema(_options: argparse.Namespace) -> str:
    from replication.settings.schema import study_schema

    return study_schema().rstrip("\n")


def _facts(_options: argparse.Namespace) -> str:
    from replication.report.discrepancy_facts import facts_text

    return facts_text().rstrip("\n")


if __name__ == "__main__":
    sys.exit(main())
