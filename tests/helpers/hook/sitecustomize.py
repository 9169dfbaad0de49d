"""Python imports this at its start where a test has put this folder on the path: see traps.py."""

import sys
from pathlib import Path

HELPERS = str(Path(__file__).parents[1])

sys.path.append(HELPERS)
try:
    from traps import fall_into_trap
finally:
    sys.path.remove(HELPERS)

fall_into_trap()
