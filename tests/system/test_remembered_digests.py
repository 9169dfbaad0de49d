import json

import pytest

from replication.system import code_digest as computing
from replication.system import remembered_digests
from replication.system.code_digest import code_digest
from replication.system.remembered_digests import RememberedDigests

CHOSEN = {"rates.RATES": "low"}


@pytest.fixture
def code(tmp_path, monkeypatch):
    """Return the folder of a package and a script."""
    package = tmp_path / "replication"
    package.mkdir()
    (package / "rates.py").write_text("RATES = {'low': 0.1, 'high': 1.0}\n")
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "train.py").write_text("from replication.rates import RATES\nprint(RATES)\n")
    monkeypatch.setattr(computing, "PACKAGE", package)
    return tmp_path


@pytest.fixture
def computed(monkeypatch):
    """Return a list of what is computed, to which each computation is added."""
    calls = []

    def counted(entry, chosen):
        calls.append(entry.name)
        for known in (computing._digest, computing._read, computing._file, computing._written):
            known.cache_clear()  # as in a new process
        computing.reached_definitions.cache_clear()
        return code_digest(entry, chosen)

    monkeypatch.setattr(remembered_digests, "code_digest", counted)
    return calls


def digest(code, chosen=None):
    """Return what a new call of the workflow is told."""
    remembered = RememberedDigests(code / "memory.json", code / "scripts", code / "replication")
    return remembered.of("train.py", chosen)


def test_what_is_remembered_is_what_is_computed_once(code, computed):
    expected = [code_digest(code / "scripts/train.py", chosen) for chosen in (None, CHOSEN)]
    for _call in range(3):
        assert [digest(code), digest(code, CHOSEN)] == expected
    assert len(computed) == 2
    assert expected[0] != expected[1]


@pytest.mark.parametrize("edited", ["replication/rates.py", "scripts/train.py"])
def test_an_edit_is_never_missed(code, computed, edited):
    before = digest(code)
    text = (code / edited).read_text()
    (code / edited).write_text(text.replace("0.1", "0.2").replace("print", "repr"))
    assert digest(code) != before
    (code / edited).write_text(text)
    assert digest(code) == before
    assert len(computed) == 3


def test_a_new_module_is_an_edit_as_well(code, computed):
    digest(code)
    (code / "replication/new.py").touch()
    digest(code)
    assert len(computed) == 2


def test_what_an_editor_leaves_beside_a_module_is_not_read(code, computed):
    expected = digest(code)
    (code / "replication/.#rates.py").symlink_to("me@host.4711:1700000000")
    assert digest(code) == expected
    assert len(computed) == 1


def test_another_python_may_read_the_same_text_differently(code, computed, monkeypatch):
    digest(code)
    monkeypatch.setattr(remembered_digests.sys, "version", "4.0")
    digest(code)
    assert len(computed) == 2


@pytest.mark.parametrize("garbled", ["", "{", "[]", "1", "{}", '{"sources": 1}', b"\xff"])
def test_what_is_not_as_it_was_written_is_computed_again(code, computed, garbled):
    expected = digest(code)
    (code / "memory.json").write_bytes(garbled if isinstance(garbled, bytes) else garbled.encode())
    assert digest(code) == expected
    assert digest(code) == expected
    assert len(computed) == 2


@pytest.mark.parametrize("digests", [1, [1], None])
def test_so_are_digests_that_are_none(code, computed, digests):
    expected = digest(code)
    kept = json.loads((code / "memory.json").read_text())
    (code / "memory.json").write_text(json.dumps({**kept, "digests": digests}))
    assert digest(code) == expected
    assert len(computed) == 2


def test_without_a_place_to_remember_them_they_are_computed(code, computed):
    (code / "memory.json").mkdir()
    assert digest(code) == digest(code)
    assert len(computed) == 2
