"""Fetching one file from the first mirror that has it."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests
import urllib3

from replication.system.files import whole_file

logger = logging.getLogger(__name__)

PIECE_BYTES = 1 << 16
# A mirror with a lower average counts as down: at this one, CIFAR-10 would take ten hours.
SLOWEST_BYTES_PER_SECOND = 5_000
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 5.0
# Answers of a server that may change within moments: time-out, too many requests, and all of 5xx.
PASSING_STATUS = {408, 429}


class AllMirrorsFailed(Exception):  # noqa: N818 - it is the sum of errors, each in `reasons`
    """No mirror gave the file; `reasons` says for each address why."""

    def __init__(self, reasons: dict[str, str]) -> None:
        super().__init__("; ".join(f"{address}: {reason}" for address, reason in reasons.items()))
        self.reasons = reasons


def fetch(
    addresses: Sequence[str],
    path: Path,
    find_fault: Callable[[Path], str | None],
    timeout_seconds: float,
    attempts: int,
) -> None:
    """Download to `path`, whole or not at all, what the first good one of `addresses` sends.

    A mirror is good if its file has no fault. Temporary faults (no answer, a broken or slow transfer, a
    server's error) are tried again after a short pause; wrong content and refusals are not.

    Parameters
    ----------
    addresses
        Complete URLs, in the order in which to try them.
    path
        File to write.
    find_fault
        Says what is wrong with a complete file, None if nothing is.
    timeout_seconds
        Longest wait for a connection, and for each part of an answer.
    attempts
        How often each mirror is tried.

    Raises
    ------
    AllMirrorsFailed
        No mirror has sent a good file; `path` is unchanged.
    OSError
        `path` cannot be written.
    """
    reasons: dict[str, str] = {}
    with whole_file(path) as temporary:
        for address in addresses:
            fault = _try_mirror(address, temporary, timeout_seconds, attempts) or find_fault(temporary)
            if fault is None:
                return
            logger.warning("%s: %s", address, fault)
            reasons[address] = fault
        raise AllMirrorsFailed(reasons)


def _try_mirror(address: str, path: Path, timeout_seconds: float, attempts: int) -> str | None:
    """Return None when the whole answer is in `path`, or why it is not."""
    for attempt in range(1, attempts + 1):
        try:
            _transfer(address, path, timeout_seconds)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            fault = str(error)
            if not _may_pass(error):
                return fault
            logger.info("%s: attempt %d of %d: %s", address, attempt, attempts, fault)
        else:
            return None
        if attempt < attempts:
            time.sleep(min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS))
    return f"{fault} (tried {attempts} times)"


def _may_pass(error: Exception) -> bool:
    if not isinstance(error, requests.HTTPError) or error.response is None:
        return True
    return error.response.status_code >= 500 or error.response.status_code in PASSING_STATUS


def _transfer(address: str, path: Path, timeout_seconds: float) -> None:
    """Write the answer's bytes as they were sent.

    Not with `iter_content`, which undoes a Content-Encoding (so that a .tar.gz no longer has its hash), and
    waits for each full chunk (so that a server that sends byte by byte holds it for hours without a time-out).
    """
    headers = {"Accept-Encoding": "identity"}
    timeouts = (timeout_seconds, timeout_seconds)
    with requests.get(address, stream=True, timeout=timeouts, headers=headers) as response:
        response.raise_for_status()
        start = time.monotonic()
        with path.open("wb") as file:
            while piece := response.raw.read1(PIECE_BYTES, decode_content=False):
                file.write(piece)
                _refuse_drip(file.tell(), time.monotonic() - start, timeout_seconds)


def _refuse_drip(received_bytes: int, seconds: float, timeout_seconds: float) -> None:
    if seconds > timeout_seconds and received_bytes < seconds * SLOWEST_BYTES_PER_SECOND:
        raise requests.Timeout(f"too slow: {received_bytes} bytes in {seconds:.1f} seconds")
