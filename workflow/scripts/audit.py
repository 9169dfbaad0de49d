"""Audit the results of a scale."""

import sys

from replication.audit.auditor import run_audit
from replication.system.logs import logged

screen = sys.stdout
with logged(snakemake.log[0]) as log:
    sys.exit(0 if run_audit(snakemake.config, screen, log) else 1)
