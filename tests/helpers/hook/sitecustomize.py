"""Python imports this at its start where a test has put this folder on the path: see moments.py."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))
try:
    from moments import VARIABLE, Trap
finally:
    sys.path.pop()

path = Path(os.environ.get(VARIABLE, "none"))
if path.exists():
    sys.setprofile(Trap(path))
