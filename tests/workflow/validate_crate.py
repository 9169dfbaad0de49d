"""Validate an RO-Crate without the network, in the environment of envs/crate-validation.lock.

Usage: python validate_crate.py CRATE CACHE PROFILE. Prints how many checks passed, and each issue, as JSON.
"""

import io
import json
import sys
from pathlib import Path
from typing import Any

import requests
import rocrate
import urllib3
from requests_cache import CachedSession
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


class Copy(requests.adapters.HTTPAdapter):
    """Answers with the copy of the RO-Crate 1.1 context that comes with the library `rocrate`."""

    def send(self, request: requests.PreparedRequest, *_arguments: Any, **_named: Any) -> requests.Response:
        """Answer one request."""
        content = (Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes()
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(content),
            headers={"Content-Type": "application/ld+json"},
            status=200,
            preload_content=False,
        )
        return self.build_response(request, raw)


def main(crate: str, cache: str, profile: str) -> None:
    """Fill the validator's cache, and validate."""
    with CachedSession(cache, backend="sqlite", expire_after=-1) as session:
        session.mount("https://", Copy())
        session.get(CONTEXT, headers={"Accept": "application/ld+json"})
    settings = ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=profile,
        requirement_severity=Severity.REQUIRED,
        offline=True,
        cache_path=cache,
    )
    result = services.validate(settings)
    issues = [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues(Severity.REQUIRED)]
    counts = result.statistics
    numbers = {"checks": counts.total_checks, "passed": len(counts.passed_checks)}
    sys.stdout.write(json.dumps(numbers | {"issues": issues}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
