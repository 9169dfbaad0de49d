"""config/README.md is what the settings say."""

from places import ROOT
from replication.settings.config import Config
from replication.settings.reference import reference
from replication.settings.yaml_file import read_yaml

REMEDY = "run: python -m replication reference > config/README.md"


def test_the_reference_is_up_to_date() -> None:
    assert (ROOT / "config/README.md").read_text(encoding="utf-8") == reference(), REMEDY


def test_every_key_of_the_configuration_is_described() -> None:
    text = reference()
    for key, field in Config.model_fields.items():
        assert f"| `{key}` |" in text
        assert field.description


def test_the_configuration_file_holds_the_defaults() -> None:
    values = read_yaml(ROOT / "config/config.yaml")
    assert Config.model_validate(values) == Config()


def test_defaults_types_and_choices_are_shown() -> None:
    text = reference()
    assert "| `timeout_seconds` | float | `30.0` |" in text
    assert "| `device` | `auto`, `cpu`, `cuda` | `auto` |" in text
    assert "### Cosine (`name: cosine`)" in text
    assert "| `factors` | list of float | required |" in text
