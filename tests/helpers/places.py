"""Where the project's own files are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKFLOW = ROOT / "workflow"
SCRIPTS = WORKFLOW / "scripts"
PACKAGE = WORKFLOW / "replication"
REPORTS = ROOT / "reports"
TESTS = ROOT / "tests"
