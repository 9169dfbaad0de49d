"""Typed settings, built from the YAML files in `config/` and checked before any job starts."""
