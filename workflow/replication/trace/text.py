"""The chain behind a number, for a reader at a terminal."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from replication.analysis.measures import DERIVED
from replication.report.claim_words import our_words
from replication.report.formatting import format_interval, format_value
from replication.report.readings import is_event
from replication.system.missing import or_missing
from replication.trace.evidence import hashes_of

WIDTH = 110
LABEL = 24


def trace_text(chain: Mapping[str, Any]) -> str:
    """Return a chain of `Tracer` as text: the number, how it is computed, and each run behind it."""
    parts = [_head(chain), *(_run(run, chain) for run in chain["runs"]), _conclusion(chain)]
    return "\n\n".join("\n".join(lines) for lines in parts)


def _line(label: str, text: str) -> str:
    """Return a label and a text, whose further lines are indented to its start."""
    indent = " " * (LABEL + 2)
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"  {label:<{LABEL}}",
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _head(chain: Mapping[str, Any]) -> list[str]:
    if "claim" in chain:
        return list(_claim(chain))
    lines = [" : ".join(chain["place"])]
    exact = f"   exactly {chain['value']}" if isinstance(chain["value"], float) else ""
    value = _shown(chain["measure"], chain["value"])
    if "interval" in chain:
        value = f"{value} {_interval(chain['measure'], chain['interval'])}".strip()
    lines += [_line("value", value + exact)]
    lines += [_line("stands in", f"{chain['file']['path']}, line {chain['file']['line']}")]
    lines += [_line("is", chain["formula"])]
    again = "the same" if chain["agrees"] else f"DIFFERS: {or_missing(chain['recomputed'])}"
    return [*lines, _line("from the runs", f"computed again now: {again}")]


def _claim(chain: Mapping[str, Any]) -> Iterator[str]:
    claim = chain["claim"]
    measure = claim["measure"]
    yield f"Claim {claim['study']}/{claim['id']}"
    if "value" in chain:
        yield _line("column", f"{chain['place'][2]}: {or_missing(chain['value'])}")
    yield _line("quote", f"“{claim['quote']}”")
    yield _line("report", f"{claim['report']}, {claim['section']}")
    if claim["reading"]:
        yield _line("read as", claim["reading"])
    yield _line("verdict", claim["verdict"])
    yield _line("estimate", _estimate(claim))
    yield _line("reported", chain["reported"])
    if claim["margin_reason"]:
        yield _line("because", claim["margin_reason"])
    if claim["detail"]:
        yield _line("comparisons", claim["detail"])
    yield _line("is", chain["formula"])
    yield _line("measure", f"{measure}, {claim['n']} of {claim['seeds']} seeds")


def _estimate(claim: Mapping[str, Any]) -> str:
    ours = our_words(claim)
    if is_event(claim) or claim["estimate"] is None:
        return ours
    level = "" if claim["low"] is None else f" at {claim['level']:.2%}"
    return f"{ours}{level}   exactly {claim['estimate']}"


def _shown(measure: str, value: Any, *, sign: bool = False) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    return format_value(measure, value, sign=sign)


def _interval(measure: str, bounds: tuple[float | None, float | None], *, sign: bool = False) -> str:
    low, high = (float("nan") if bound is None else bound for bound in bounds)
    return format_interval(measure, low, high, sign=sign)


def _run(run: Mapping[str, Any], chain: Mapping[str, Any]) -> list[str]:
    if run["outcome"] == "missing":
        return [
            f"Run {run['run_id']}",
            _line("missing", f"{run['folder']} holds no record: not run, or unfinished"),
        ]
    measure = chain["claim"]["measure"] if "claim" in chain else chain["measure"]
    if run["outcome"] == DERIVED:
        exact = "" if run["value"] is None else f" ({run['value']})"
        shown = f"{_shown(measure, run['value'])}{exact}, computed from the runs below"
        return [f"Derived {run['run_id']}", _line("value", shown)]
    return [
        f"Run {run['run_id']}",
        *(_line("value", _value(run, measure)) for _ in run.keys() & {"value"}),
        _line("folder", run["folder"]),
        *(_line(name, _hash(found)) for name, found in hashes_of(run).items()),
        *(_line(label, text) for label, text in _recorded(run)),
    ]


def _value(run: Mapping[str, Any], measure: str) -> str:
    source = run["source"]
    place = [
        source["file"],
        *(f"line {source['line']}" for _ in source.keys() & {"line"}),
        source.get("row", ""),
    ]
    exact = f" ({run['value']})" if isinstance(run["value"], float) else ""
    return (
        f"{_shown(measure, run['value'])}{exact}, from {', '.join(filter(None, place))}, {source['column']}"
    )


def _hash(found: Mapping[str, Any]) -> str:
    if found["agrees"]:
        return f"{found['recorded']} as recorded"
    return f"{found['recorded']} recorded, DIFFERS: now {found['now'] or 'no such file'}"


def _recorded(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the record says and nothing here can compute again."""
    git, machine, study = run["git"], run["machine"], run["study"]
    dirty = ", with uncommitted changes" if git["dirty"] else ""
    yield "code", run["code_sha256"]
    yield "data set", f"{run['dataset']['identity']} {run['dataset']['name']}"
    yield "study file", f"{study['sha256']} {study['file']}"
    yield "its statements", study["statements_sha256"]
    yield "rules of verdicts", study["rules_sha256"]
    yield "commit", f"{git['commit'] or 'unknown: run outside a git repository'}{dirty}"
    yield "lock file", or_missing(run["lock_sha256"])
    yield "installed", or_missing(run["installed_sha256"])
    yield (
        "versions",
        ", ".join(f"{name} {or_missing(version)}" for name, version in sorted(run["versions"].items())),
    )
    driver = f", driver {machine['driver']}" if machine["driver"] else ""
    yield (
        "machine",
        f"{machine['device']}{driver}; {or_missing(machine['processor'])}; {machine['system']} "
        f"{machine['architecture']}; threads: {machine['threads']}",
    )
    yield (
        "determinism",
        ", ".join(f"{name}: {or_missing(value)}" for name, value in sorted(run["determinism"].items())),
    )
    yield (
        "trained",
        f"{run['outcome']} after {run['epochs']} epochs, best epoch {or_missing(run['best_epoch'])}",
    )
    yield "from, to", f"{run['started']}, {run['ended']}"
    for number, part in enumerate(run["sessions"], 1):
        steps = f"steps {part['first_step']} to {part['last_step']}"
        yield f"session {number}", f"{part['started']}, {part['ended']}; {steps}; {part['end']}"
    yield "weights", run["weights_sha256"]


def _conclusion(chain: Mapping[str, Any]) -> list[str]:
    wrong = [
        f"{run['run_id']}: {name}"
        for run in chain["runs"]
        for name, found in hashes_of(run).items()
        if not found["agrees"]
    ]
    if not chain.get("agrees", True):
        wrong.insert(0, "the value in the table is not what the runs give")
    if wrong:
        return ["NOT AS RECORDED", *(f"  {each}" for each in wrong)]
    checked = sum(len(hashes_of(run)) for run in chain["runs"])
    if not checked:
        return ["No hash was computed again: none of these runs is there."]
    return [f"{checked} hashes computed again, all as recorded."]
