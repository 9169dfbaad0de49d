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


@pytest.mark.slow
def test_no_wing_of_these_imports_pytorch() -> None:
    lines = ["import sys", f"sys.path.insert(0, {str(WORKFLOW)!r})"]
    for module in (module for wing in WITHOUT_PYTORCH for module in modules_of(wing)):
        lines += [f"import {module}", f"'torch' in sys.modules and sys.exit('{module} imports PyTorch')"]
    program = "\n".join(lines)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
