"""The files of a run's folder."""

HISTORY = "history.csv"
TIMINGS = "timings.csv"
STEPS = "steps.csv"
RECORD = "record.json"
