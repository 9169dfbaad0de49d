"""Signatures of SHA256SUMS, made with ssh-keygen."""

import shutil
import subprocess
from pathlib import Path

import pytest

from replication.audit import signature
from replication.audit.signature import NAMESPACE, check_signature
from replication.errors import ConfigurationError, ResultsError

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen (OpenSSH)")
CONTENT = b"0123  claims.csv\n"


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """Return a signature of CONTENT by the key `key`, beside which `signers` allows it."""
    (tmp_path / "SHA256SUMS").write_bytes(CONTENT)
    keygen("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(tmp_path / "key"))
    keygen("-Y", "sign", "-n", NAMESPACE, "-f", str(tmp_path / "key"), str(tmp_path / "SHA256SUMS"))
    public = (tmp_path / "key.pub").read_text()
    (tmp_path / "signers").write_text(f"someone@example.org {public}")
    return tmp_path / "SHA256SUMS.sig"


def keygen(*arguments: str) -> None:
    subprocess.run(["ssh-keygen", *arguments], check=True, capture_output=True)


def test_a_signature_by_one_who_may_sign_is_named(signed: Path) -> None:
    assert check_signature(signed, CONTENT, str(signed.parent / "signers")) == "signed by someone@example.org"


def test_without_a_list_the_signer_is_unknown(signed: Path) -> None:
    assert "unknown signer" in check_signature(signed, CONTENT, None)


@pytest.mark.parametrize("signers", [None, "signers"])
def test_a_signature_of_something_else_is_refused(signed: Path, signers: str | None) -> None:
    allowed = signers and str(signed.parent / signers)
    with pytest.raises(
        ResultsError, match=r"does not fit the present files.*delete it, audit again, and sign"
    ):
        check_signature(signed, CONTENT + b" ", allowed)


def test_a_damaged_signature_is_refused(signed: Path) -> None:
    text = signed.read_text()
    signed.write_text(text.replace("A", "B"))
    with pytest.raises(ResultsError, match="does not fit"):
        check_signature(signed, CONTENT, None)


def test_one_who_may_not_sign_is_refused(signed: Path) -> None:
    keygen("-q", "-t", "ed25519", "-N", "", "-f", str(signed.parent / "other"))
    signers = signed.parent / "signers"
    signers.write_text(f"other@example.org {(signed.parent / 'other.pub').read_text()}")
    with pytest.raises(ResultsError, match="may not sign"):
        check_signature(signed, CONTENT, str(signers))


def test_one_who_may_sign_only_other_things_is_refused(signed: Path) -> None:
    signers = signed.parent / "signers"
    signers.write_text(signers.read_text().replace("example.org ", 'example.org namespaces="other" '))
    with pytest.raises(ResultsError, match="may not sign"):
        check_signature(signed, CONTENT, str(signers))


def test_a_missing_list_is_named(signed: Path) -> None:
    with pytest.raises(ConfigurationError, match="`allowed_signers`: nowhere does not exist"):
        check_signature(signed, CONTENT, "nowhere")


def test_a_missing_ssh_keygen_is_named(signed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signature, "KEYGEN", "no-such-command")
    with pytest.raises(ResultsError, match=r"is not installed.*install OpenSSH"):
        check_signature(signed, CONTENT, None)
