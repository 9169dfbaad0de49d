"""Tables on disk: CSV in full precision."""

from pathlib import Path

import pandas as pd

from replication.system.files import whole_file


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write `table` as CSV, whole or not at all; floats as the shortest text that reads back as the same."""
    with whole_file(path) as temporary:
        table.to_csv(temporary, index=False)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV file; floats come back as they were written."""
    return pd.read_csv(path)
