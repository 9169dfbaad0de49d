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

MOST_SECONDS = 86400.0  # between two looks


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    try:
        answer = options.command(options)
        text, status = answer if isinstance(answer, tuple) else (answer, 0)
        print(text, flush=True)
    except ReplicationError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return int(options.error_status)
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m replication",
        description="What stands beside the workflow: reading its results, publishing them, writing its references.",
    )
    parser.set_defaults(error_status=1)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    verdicts = commands.add_parser(
        "verdicts", help="print how many statements hold, which do not, and where the report is"
    )
    verdicts.add_argument("--all", action="store_true", help="the verdict on each reading, a line each")
    verdicts.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    verdicts.set_defaults(command=_verdicts)
    _add_progress(commands)
    _add_trace(commands)
    _add_latex(commands)
    _add_compare(commands)
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


def _add_progress(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    progress = commands.add_parser(
        "progress",
        help="print how far the runs are, from their folders",
        description="Print how far the runs are, from their folders alone: from another terminal, or on a cluster. "
        "Nothing is written, and no run is disturbed.",
    )
    progress.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    progress.add_argument(
        "--config",
        nargs="+",
        default=[],
        metavar="KEY=VALUE",
        help="as in the call of snakemake, such as seeds=3",
    )
    progress.add_argument(
        "--all", action="store_true", help="every arm, and every run that is under way or failed"
    )
    progress.add_argument(
        "--watch",
        nargs="?",
        type=_seconds,
        const=5.0,
        metavar="SECONDS",
        help="again every so many seconds (5), until all runs are finished",
    )
    progress.set_defaults(command=_progress)


def _seconds(text: str) -> float:
    if not 0.1 <= (seconds := float(text)) <= MOST_SECONDS:
        raise ValueError
    return seconds


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


def _add_latex(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    latex = commands.add_parser(
        "latex",
        help="write numbers, tables and figures for a paper",
        description="Write results/SCALE.latex: numbers.tex, a macro for each number of a table or a verdict, and the "
        "tables of all studies. The folder is replaced whole.",
    )
    latex.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    latex.add_argument("--figures", action="store_true", help="draw all figures too, as PDF")
    latex.set_defaults(command=_latex)


def _add_compare(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    compare = commands.add_parser(
        "compare",
        help="print what differs between two results folders",
        description="Print what differs between two results folders: one's own and published ones, those of two "
        "machines or versions. Exit status: 0 if nothing differs beyond chance, 1 if something does, 2 for bad input.",
    )
    compare.add_argument("first", metavar="A", type=Path, help="a results folder, such as results/demo")
    compare.add_argument("second", metavar="B", type=Path, help="another one")
    compare.add_argument("--json", action="store_true", help="print JSON")
    compare.set_defaults(command=_compare, error_status=2)
    same = commands.add_parser(
        "same-code",
        help="show that changed code trains to the same bytes",
        description="With two results folders, of runs by the code before and after a change: check that they are the "
        "same, bit for bit, and note it in workflow/same-code.csv, so that results on record stay valid. With one: "
        "print the runs to execute with both, the shortest of each code.",
    )
    same.add_argument("before", metavar="BEFORE", type=Path, help="a results folder, such as results/laptop")
    same.add_argument("after", metavar="AFTER", type=Path, nargs="?", help="that of the changed code")
    same.set_defaults(command=_same_code)


def _add_publication(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    publish = commands.add_parser(
        "publish", help="pack audited results into published/, to be kept with the code"
    )
    publish.add_argument("--scale", choices=get_args(Scale), help="default: that of config/config.yaml")
    publish.set_defaults(command=_publish)
    findings = commands.add_parser(
        "findings", help="write docs/findings.md and the README's answer, from what was published"
    )
    findings.add_argument("scale", choices=get_args(Scale))
    findings.set_defaults(command=_findings)
    restore = commands.add_parser("restore", help="make the results folder again of what was published")
    restore.add_argument("scale", choices=get_args(Scale))
    restore.set_defaults(command=_restore)


# Each command imports what it needs, so that the others do not wait for it.


def _verdicts(options: argparse.Namespace) -> str:
    from replication.report import parts
    from replication.report.report_facts import load_reports
    from replication.report.verdict_table import verdict_summary, verdict_table

    results = _results(options)
    if options.all:
        return verdict_table(results)
    listed = Path(parts.FOLDER) / parts.REPORTS
    return verdict_summary(results, load_reports(listed) if listed.is_file() else {})


def _progress(options: argparse.Namespace) -> str:
    from datetime import datetime

    from replication.progress.survey import survey
    from replication.progress.text import progress_text
    from replication.progress.watch import watch
    from replication.runs.plan import STUDIES, load_plan
    from replication.settings.command_line import read_entries

    raw = {**read_yaml(CONFIG_FILE), **read_entries(options.config)}
    config = config_of(raw | ({"scale": options.scale} if options.scale else {}))
    plan = load_plan(config, STUDIES)

    def look() -> tuple[str, bool]:
        found = survey(plan, config.scale)
        text = progress_text(found, datetime.now().astimezone(), every_arm=options.all)
        return text, found.all_finished

    return watch(look, options.watch) if options.watch else look()[0]


def _trace(options: argparse.Namespace) -> str:
    import json

    from replication.runs.plan import STUDIES
    from replication.trace.text import trace_text
    from replication.trace.tracer import Tracer

    tracer = Tracer(_results(options), STUDIES)
    chain = tracer.claim(options.claim) if options.claim else tracer.number(options.number)
    return json.dumps(chain, indent=2, ensure_ascii=False) if options.json else trace_text(chain)


def _latex(options: argparse.Namespace) -> str:
    from replication.report import parts
    from replication.runs.plan import STUDIES
    from replication.trace.latex import write_latex
    from replication.trace.tracer import Tracer

    tracer = Tracer(_results(options), STUDIES)
    return f"Written: {write_latex(tracer, Path(parts.FOLDER) if options.figures else None)}"


def _compare(options: argparse.Namespace) -> tuple[str, int]:
    import json

    from replication.compare.comparison import compare
    from replication.compare.results import read_results
    from replication.compare.text import comparison_json, comparison_text

    found = compare(read_results(options.first), read_results(options.second))
    text = json.dumps(comparison_json(found), indent=2) if options.json else comparison_text(found)
    return text, int(found.differs)


def _same_code(options: argparse.Namespace) -> str:
    from replication.compare.same_code import cheapest_runs, note_same_code
    from replication.runs.same_code import FILE

    if options.after is None:
        return "\n".join(map(str, cheapest_runs(options.before)))
    count = note_same_code(options.before, options.after, FILE)
    return f"Written: {FILE} ({count} new)"


def _publish(options: argparse.Namespace) -> str:
    from replication.publication import publish

    folder = publish(_results(options))
    return f"Published: {folder}. Next: python -m replication findings {folder.name}"


def _findings(options: argparse.Namespace) -> str:
    from replication.publication import PUBLISHED
    from replication.publication.findings import write_findings

    return f"Written: {', '.join(map(str, write_findings(PUBLISHED / options.scale)))}"


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
