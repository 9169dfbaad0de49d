"""Code that goes on by the name of earlier code which trains to the same bytes."""

from pathlib import Path

import pytest

from replication.runs import same_code
from replication.runs.provenance import registry_choices
from replication.runs.same_code import COLUMNS, TRAINING, code_of_run, read_same_code
from replication.system.code_digest import code_digest
from support import run_settings, schedule_of


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a table of the test's own, in the place of the project's."""
    path = tmp_path / "same-code.csv"
    monkeypatch.setattr(same_code, "FILE", path)
    monkeypatch.setattr(same_code, "_earlier", same_code._earlier.__wrapped__)
    return path


def test_code_is_named_by_its_digest(table: Path) -> None:
    settings = run_settings()
    assert not table.exists()
    assert code_of_run(settings) == code_digest(TRAINING, registry_choices(settings))


def test_code_that_was_shown_to_be_the_same_has_the_earlier_name(table: Path) -> None:
    settings, other = run_settings(), run_settings(schedule=schedule_of("loss_probing"))
    table.write_text(f"{','.join(COLUMNS)}\n{code_of_run(settings)},earlier,study/arm/seed-1,weights\n")
    assert code_of_run(settings) == "earlier"
    assert code_of_run(other) == code_digest(TRAINING, registry_choices(other))


def test_a_digest_may_come_from_who_remembers_it(table: Path) -> None:
    table.write_text(f"{','.join(COLUMNS)}\nremembered,earlier,study/arm/seed-1,weights\n")
    assert code_of_run(run_settings(), lambda *_: "remembered") == "earlier"
    assert code_of_run(run_settings(), lambda *_: "another") == "another"


def test_the_table_of_the_project_leads_from_todays_code_to_one_earlier_code_each() -> None:
    lines = read_same_code(same_code.FILE)
    for column in ("code_sha256", "same_as"):
        assert len({line[column] for line in lines}) == len(lines)
    assert not {line["code_sha256"] for line in lines} & {line["same_as"] for line in lines}
