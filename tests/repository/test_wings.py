"""What may be imported by what: the graph, the tables, the audit and the crate do without PyTorch."""

import subprocess
import sys

import pytest

from places import PACKAGE, WORKFLOW

WITHOUT_PYTORCH = ("settings", "schedules", "data", "system", "analysis", "audit", "trace", "crate")


def modules_of(wing: str) -> list[str]:
    files = sorted((PACKAGE / wing).rglob("*.py"))
    assert files
    return [".".join(file.relative_to(WORKFLOW).with_suffix("").parts) for file in files]


@pytest.mark.parametrize("wing", WITHOUT_PYTORCH)
def test_a_wing_imports_no_pytorch(wing: str) -> None:
    program = f"import {', '.join(modules_of(wing))}, sys; sys.exit('torch' in sys.modules)"
    path = f"import sys; sys.path.insert(0, {str(WORKFLOW)!r}); "
    done = subprocess.run([sys.executable, "-c", path + program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
