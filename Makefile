# Set-up and shortcuts. The work itself is `snakemake`; see README.md.

PYTHON ?= python3
VENV := .venv
LOCK := envs/requirements.lock
STAMP := $(VENV)/requirements.lock
ACTIVATE := . $(VENV)/bin/activate &&

.PHONY: report test lint lock setup
.DEFAULT_GOAL := report

report: setup  ## Run the demo and show its verdicts.
	@$(ACTIVATE) snakemake --cores all
	@$(ACTIVATE) PYTHONPATH=workflow python -m replication verdicts

test: setup  ## All tests that this machine can run.
	@$(ACTIVATE) python -m pytest

lint: setup  ## Formatters, linters and the type checker, none of which changes a file.
	@$(ACTIVATE) ruff format --check .
	@$(ACTIVATE) ruff check .
	@$(ACTIVATE) snakefmt --check Snakefile workflow
	@$(ACTIVATE) mypy
	@$(ACTIVATE) snakemake --lint

# The stamp is a copy of the lock, written last: an interrupted or outdated installation is done again,
# a touched but unchanged lock is not.
setup:
	@cmp -s $(LOCK) $(STAMP) || { \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")' && \
	  $(PYTHON) -m venv --clear $(VENV) && \
	  $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK) && \
	  cp $(LOCK) $(STAMP); }

lock:  ## Resolve envs/requirements.in again (needs uv).
	cd envs && uv pip compile --universal --generate-hashes --python-version 3.11 --no-header requirements.in -o requirements.lock
