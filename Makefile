# Set-up and shortcuts. The work itself is `snakemake`; see README.md.

PYTHON ?= python3
VENV := .venv
LOCK := envs/requirements.lock
STAMP := $(VENV)/requirements.lock
# So that `python -m replication` finds the package of the checkout in which it is called, whichever set it up:
# an installation would be of one checkout, and would change the list of what is installed that records hold a hash of.
PATH_FILE := envs/replication.pth
ACTIVATE := . $(VENV)/bin/activate &&

# What is compiled is kept, also where the surroundings say otherwise: hundreds of processes import it.
export PYTHONDONTWRITEBYTECODE :=

# In two processes, each test file in one of them: its tests share what is expensive to make. The longest files begin
# (tests/conftest.py), which pytest-xdist would undo.
PYTEST := python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

SCALE ?= demo
# In every call of snakemake below, so that each is about the same results.
AT_SCALE := --cores all --config scale=$(SCALE)

.PHONY: report test check lint lock setup bench published snakemake-report
.DEFAULT_GOAL := report

report: setup  ## Run the demo and show its verdicts.
	@$(ACTIVATE) snakemake --cores all
	@$(ACTIVATE) python -m replication verdicts

test: setup  ## All tests that this machine can run.
	@$(ACTIVATE) $(PYTEST)

check: setup  ## What one runs every few minutes: lint, types, and the tests that take no time. About a minute.
	@$(MAKE) --no-print-directory lint & lint=$$!; \
	$(ACTIVATE) $(PYTEST) -q -m "not (slow or workflow or fault or cluster or browser)"; tests=$$?; \
	wait $$lint && exit $$tests

lint: setup  ## Formatters, linters and the type checker, none of which changes a file.
	@$(ACTIVATE) ruff format --check .
	@$(ACTIVATE) ruff check .
	@$(ACTIVATE) snakefmt --check Snakefile workflow
	@$(ACTIVATE) mypy
	@$(ACTIVATE) lint-imports --no-logo
	@$(ACTIVATE) snakemake --lint

# Snakemake's own report shows today's settings beside results that may be older, without a warning: so only if there
# is nothing to do, and every number can still be followed to its runs.
snakemake-report: setup  ## Snakemake's report of the results at SCALE (demo): results/SCALE.snakemake-report.html.
	@$(ACTIVATE) snakemake --dry-run $(AT_SCALE) 2>&1 | grep -q "Nothing to be done" || { \
	  echo "No report: results/$(SCALE) is not up to date. First run: snakemake $(AT_SCALE)" >&2; exit 1; }
	@$(ACTIVATE) snakemake audit $(AT_SCALE) || { \
	  echo "No report: the audit of results/$(SCALE) has failed, as it says above." >&2; exit 1; }
	@$(ACTIVATE) snakemake --report results/$(SCALE).snakemake-report.html $(AT_SCALE)

# After a change of tables, verdicts, figures or page. Trains nothing, and needs no images.
PUBLISHED := laptop
published: setup  ## Derive what is published again from its runs, audit it, and say what it says.
	@$(ACTIVATE) python -m replication restore $(PUBLISHED)
	@$(ACTIVATE) snakemake figures --forceall --cores all --configfile published/$(PUBLISHED)/config.yaml
	@$(ACTIVATE) snakemake audit --cores all --configfile published/$(PUBLISHED)/config.yaml
	@$(ACTIVATE) python -m replication publish --scale $(PUBLISHED)
	@$(ACTIVATE) python -m replication findings $(PUBLISHED)

# Keras goes into an environment of its own; where it cannot be installed, the others are measured without it.
bench: setup  ## Measure this machine: benchmarks/results/README.md. About half an hour.
	@$(VENV)/bin/python -m venv .venv-peers && \
	  .venv-peers/bin/python -m pip install --quiet --disable-pip-version-check tensorflow-cpu==2.21.0 || \
	  { echo "Keras cannot be installed here: it takes no part" >&2; rm -rf .venv-peers; }
	@$(ACTIVATE) cd benchmarks && export OMP_NUM_THREADS=1 && \
	  python evaluation.py && python training.py && python precision.py && python demo.py && python jobs.py && python scaling.py 100 1000 && python page.py

# The stamp is a copy of the lock, written last: an interrupted or outdated installation is done again,
# a touched but unchanged lock is not. pip would compile on one core; packages hold files that cannot be compiled.
setup:
	@cmp -s $(LOCK) $(STAMP) || { \
	  if [ -L $(VENV) ]; then \
	    echo "$(VENV) is a link and not up to date: renew the environment where it is, for clearing it here would empty it for all who use it" >&2; \
	    exit 1; fi && \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")' && \
	  $(PYTHON) -m venv --clear $(VENV) && \
	  $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r $(LOCK) && \
	  { $(VENV)/bin/python -m compileall -qq -j 0 $(VENV)/lib || true; } && \
	  cp $(LOCK) $(STAMP); }
	@for place in $(VENV)/lib/python*/site-packages; do \
	  cmp -s $(PATH_FILE) $$place/$(notdir $(PATH_FILE)) || cp $(PATH_FILE) $$place/; done

lock:  ## Resolve envs/*.in again (needs uv).
	cd envs && uv pip compile --universal --generate-hashes --python-version 3.11 --no-header requirements.in -o requirements.lock
	cd envs && uv pip compile --universal --generate-hashes --python-version 3.11 --no-header crate-validation.in -o crate-validation.lock
	cd envs && sed -i '/^  - pip:/q' pipeline.yaml && sed -n 's/^\([a-z0-9][^ ]*==.*[^ ]\) \\$$/      - "\1"/p' requirements.lock >> pipeline.yaml
