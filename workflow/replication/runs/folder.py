"""The files of a run's folder."""

HISTORY = "history.csv"
TIMINGS = "timings.csv"
STEPS = "steps.csv"
PREDICTIONS = "predictions.safetensors"
CLASSES = "classes.safetensors"  # in its place where results were published
RECORD = "record.json"
LOCK = ".lock"
