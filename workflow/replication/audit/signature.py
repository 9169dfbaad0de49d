"""A signature of SHA256SUMS, if someone has made one: `ssh-keygen -Y sign`."""

import subprocess
import tempfile
from pathlib import Path

from replication.errors import ResultsError
from replication.system.user_paths import user_path

NAMESPACE = "learning-rate-replication"
KEYGEN = "ssh-keygen"


def check_signature(signature: Path, content: bytes, allowed_signers: str | None) -> str:
    """Return who has signed `content`, in words.

    Parameters
    ----------
    signature
        The file that `ssh-keygen -Y sign -n learning-rate-replication -f KEY SHA256SUMS` has made.
    allowed_signers
        A file that names those who may sign, in the form of ssh-keygen; None: anyone may.

    Raises
    ------
    ResultsError
        The signature is of something else, or of someone else, or cannot be checked.
    ConfigurationError
        The file of those who may sign is not there, or cannot be read.
    """
    if allowed_signers is None:
        _run(content, "-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(signature))
        return "signed by an unknown signer: set `allowed_signers` to say who may sign"
    signers = str(user_path(allowed_signers, "`allowed_signers`", "file"))
    found = _run(content, "-Y", "find-principals", "-s", str(signature), "-f", signers)
    signer = found.splitlines()[0].split(",")[0] if found else ""
    who = ("-f", signers, "-I", signer, "-n", NAMESPACE)
    _run(content, "-Y", "verify", *who, "-s", str(signature))
    return f"signed by {signer}"


def _run(content: bytes, *arguments: str) -> str:
    """Run ssh-keygen with `content` as its input; return what it prints."""
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.seek(0)
        try:
            done = subprocess.run(
                [KEYGEN, *arguments], stdin=stream, capture_output=True, check=True, timeout=60
            )
        except FileNotFoundError as error:
            raise ResultsError(
                f"{KEYGEN} is not installed, and the signature cannot be checked: install OpenSSH"
            ) from error
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            said = " ".join((error.stderr or b"").decode(errors="replace").split())
            raise ResultsError(
                f"does not fit the present files, or its signer may not sign ({said or error}): "
                "delete it, audit again, and sign the new SHA256SUMS"
            ) from error
    return done.stdout.decode(errors="replace").strip()
