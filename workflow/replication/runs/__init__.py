"""Runs as jobs: what is planned, one run in its folder, its record and where it came from."""
