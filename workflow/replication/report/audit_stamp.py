"""What the report says of its own audit: one paragraph, which an audit replaces."""

import re
from collections.abc import Mapping
from typing import Any

from replication.report.formatting import counted

NOT_AUDITED = '<p id="audit" class="audit">Not audited yet: run <code>snakemake audit</code>.</p>'
ELEMENT = re.compile(r'<p id="audit".*?</p>', re.DOTALL)
LINK = '<a href="audit.html">What was checked</a>.'


def stamps_in(page: str) -> list[str]:
    """Return the paragraphs about an audit that a page holds; a report holds one."""
    return ELEMENT.findall(page)


def stamped(page: str, stamp: str) -> str:
    """Replace what a page says of its audit by `stamp`."""
    return ELEMENT.sub(lambda _: stamp, page, count=1)


def stamp_of(audit: Mapping[str, Any]) -> str:
    """Return what the report should say of an audit, given as in `audit.json`."""
    time = readable_time(audit["time"])
    if audit["verdict"] != "passed":
        found = counted(len(audit["failures"]), "failure")
        return (
            f'<p id="audit" class="audit failed"><strong>Audit FAILED</strong> ({time}): {found}. {LINK}</p>'
        )
    runs, files = (counted(audit["counts"][f"{what}s"], what) for what in ("run", "file"))
    fixed = "statements, margins and rules were fixed before the runs"
    if not audit["fixed_before"]:
        fixed = "statements, margins or rules <strong>were edited after</strong> runs"
    return (
        f'<p id="audit" class="audit passed"><strong>Audited</strong> {time}: {runs}, {files}; {fixed}; '
        f"root digest <code>{audit['root_sha256']}</code>. {LINK}</p>"
    )


def readable_time(time: str) -> str:
    """Return a time of a record without its seconds, such as `2026-01-31 12:00 UTC`."""
    return f"{time[:16].replace('T', ' ')} UTC"
