"""The files of a run's folder."""

HISTORY = "history.csv"
TIMINGS = "timings.csv"
STEPS = "steps.csv"
PREDICTIONS = "predictions.safetensors"
RECORD = "record.json"
LOCK = ".lock"
