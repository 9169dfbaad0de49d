"""The sessions of a run: from each start of its process to that process' end."""

from dataclasses import dataclass, field
from typing import Any

from replication.system.clock import now

COMPLETED = "completed"
CUT_OFF = "cut off"  # the end of a session that was killed before it could note how it ended


@dataclass
class Sessions:
    """One row a session: `started`, `ended`, `first_step`, `last_step` and `end`.

    `last_step` counts the steps whose results are kept: those up to the session's last checkpoint. `end` is
    `completed`, the name of the signal that ended it, or `cut off`.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)

    def begin(self, step: int) -> None:
        """Open a session that goes on after `step` steps."""
        time = now()
        self.rows.append(
            {"started": time, "ended": time, "first_step": step, "last_step": step, "end": CUT_OFF}
        )

    def mark(self, step: int, end: str = CUT_OFF) -> None:
        """Note that the session has come to `step`, and how it ends if this is the last that is heard of it."""
        self.rows[-1] |= {"ended": now(), "last_step": step, "end": end}
