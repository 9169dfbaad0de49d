"""Tables on disk: CSV in full precision."""

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd

from replication.system.files import whole_file

# Columns of our tables that hold text, whatever it looks like: an arm may be called `16` or `NA`, and a commit may be
# all digits.
TEXT = (
    *("run_id", "study", "arm", "title", "note", "differences", "settings", "outcome", "made_of"),
    *(
        "dataset",
        "dataset_sha256",
        "settings_sha256",
        "code_sha256",
        "weights_sha256",
        "commit",
        "device",
        "torch",
    ),
    *("id", "report", "section", "quote", "kind", "reading", "minus", "measure", "margin_reason", "detail"),
    *(
        "qualifier",
        "verdict",
        "statement",
        "side",
        "evidence",
        "ranking",
        "setting",
        "best",
        "as_good",
        "schedule",
    ),
    *("question", "answer", "choice", "numbers"),
)


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write `table` as CSV, whole or not at all; floats as the shortest text that reads back as the same."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False)


def read_table(path: str | Path | IO[str]) -> pd.DataFrame:
    """Read a CSV file, or one that is open.

    Floats come back as they were written, and so does text, such as `NA` or `null`. Only an
    empty cell is a missing value. No text, and text of no letters, are the same in CSV.
    """
    return pd.read_csv(path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values=[""])


def records(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield each row by column, None where a cell is empty."""
    for row in table.to_dict("records"):
        yield {str(key): None if pd.isna(value) else value for key, value in row.items()}
