"""What a reader sees: figures, tables, pages."""

import os

# Before anything here imports matplotlib: a user's own settings may be unreadable, or name what is not installed.
os.environ["MATPLOTLIBRC"] = os.devnull
os.environ.pop("MPLBACKEND", None)
