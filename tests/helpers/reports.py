"""The texts of the reports, where this machine has them."""

import os
import re

FOLDER = os.environ.get("REPLICATION_TEST_REPORTS")
MISSING = "REPLICATION_TEST_REPORTS is not set: the folder of the reports"


def plain(text: str) -> str:
    """Return text without Markdown's signs and HTML's tags, every run of white space being one space."""
    return " ".join(re.sub(r"<[^>]*>|[*`]", " ", text.replace("\\", "")).split())
