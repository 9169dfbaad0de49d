"""What the runs were made with and on: differences between runs, and from the present state."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from replication.audit.findings import Findings, shown
from replication.report.formatting import counted
from replication.runs.plan import PlannedStudy
from replication.runs.provenance import study_facts
from replication.runs.record import Record
from replication.system.digests import canonical_json

SAME: Mapping[str, Callable[[Record], Any]] = {
    "versions": lambda record: canonical_json(record.versions),
    "lock files (envs/requirements.lock)": lambda record: record.lock_sha256,
    "lists of installed packages": lambda record: record.installed_sha256,
    "machines": lambda record: (
        f"{record.machine.processor}, {record.machine.system}, {record.machine.architecture}"
    ),
    "devices": lambda record: f"{record.machine.device}, driver {record.machine.driver}",
    "kinds of determinism": lambda record: canonical_json(record.determinism),
}


Kinds = Mapping[str, Callable[[Record], bool | None]]
WARNED: Kinds = {"with uncommitted changes": lambda record: record.git.dirty}
NOTED: Kinds = {
    "outside a git repository: no commit is known": lambda record: record.git.commit is None,
    "in more than one session: interrupted, and resumed": lambda record: len(record.sessions) > 1,
}


def check_environments(
    records: Sequence[Record], git: Mapping[str, Any], folder: Path, findings: Findings
) -> None:
    """Warn if runs were made with different code or versions, or on different machines.

    Parameters
    ----------
    git
        The present state of the working tree, as returned by `git_state`.
    folder
        Where the runs are, for the messages.
    """
    for what, value_of in SAME.items():
        values = Counter(value_of(record) for record in records)
        if len(values) > 1:
            each = "; ".join(
                f"{counted(count, 'run')}: {shown(value)}" for value, count in values.most_common()
            )
            findings.warn(folder, f"the runs were made with {len(values)} different {what} ({each})")
    present = git["commit"]
    elsewhere = f"at another commit than the present one ({str(present)[:12]})"
    warned = {
        **WARNED,
        elsewhere: lambda record: record.git.commit not in (None, present or record.git.commit),
    }
    for say, kinds in ((findings.warn, warned), (findings.note, NOTED)):
        for what, is_so in kinds.items():
            chosen = [record.run_id for record in records if is_so(record)]
            if chosen:
                of = f"{len(chosen)} of {counted(len(records), 'run')}"
                say(folder, f"{of} made {what} (the first: {chosen[0]})")


def check_fixed_before(planned: PlannedStudy, records: Sequence[Record], findings: Findings) -> bool:
    """Say whether the statements of a study and the rules that judge them are those of all its runs; warn if not."""
    present = study_facts(planned.name)
    edited = []
    for what, key in (("statements", "statements_sha256"), ("rules of verdicts", "rules_sha256")):
        others = [record for record in records if getattr(record.study, key) != present[key]]
        edited += others
        if others:
            findings.warn(
                planned.file,
                f"its {what} are not those of {len(others)} of {counted(len(records), 'run')} "
                f"(the first: {others[0].run_id}): they were edited after the runs",
            )
    changed = [record for record in records if record.study.sha256 != present["sha256"]]
    if changed and not edited:
        findings.note(
            planned.file,
            f"edited after {counted(len(changed), 'run')}, but neither its statements nor the rules of verdicts",
        )
    return not edited
