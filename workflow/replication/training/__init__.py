"""One run: a model trained under a schedule, resumable after any step."""
