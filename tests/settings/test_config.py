"""The knobs of config/config.yaml."""

import pytest
from pydantic import ValidationError

from places import ROOT
from replication.errors import ConfigurationError
from replication.settings.config import Config, config_of, load_config
from replication.settings.yaml_file import read_yaml

REAL = ROOT / "config" / "config.yaml"


def test_nothing_needs_to_be_said():
    config = Config()
    assert (config.scale, config.seeds, config.only, config.substitute) == ("demo", None, None, {})
    assert config.device == "auto"
    assert config.selected is None


def test_the_file_of_the_project_says_the_defaults():
    assert load_config(read_yaml(REAL), [REAL]) == Config()


def test_all_can_be_said():
    given = {
        "scale": "paper",
        "seeds": 3,
        "only": ["a/b", "c"],
        "substitute": {"mnist": "mine"},
        "image_folders": {"mine": "/data/mine"},
        "device": "cuda",
    }
    assert config_of(given).model_dump(include=set(given)) == given


@pytest.mark.parametrize(
    ("seeds", "of_a"), [(None, None), (3, 3), ({"a": 3}, 3), ({"b": 3}, None), ({"a": "3"}, 3)]
)
def test_seeds_are_of_all_studies_or_of_some(seeds, of_a):
    assert Config(seeds=seeds).seeds_of("a") == of_a


@pytest.mark.parametrize(("only", "selected"), [(None, None), ("a", ["a"]), (["a", "b/c"], ["a", "b/c"])])
def test_what_is_selected_is_a_list_or_everything(only, selected):
    assert Config(only=only).selected == selected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scale": "huge"}, "'demo', 'laptop' or 'paper'"),
        ({"seeds": 0}, "greater than or equal to 1"),
        ({"seeds": 2.0}, "valid integer"),
        ({"seeds": {"a": 0}}, "greater than or equal to 1"),
        ({"seeds": {"a": "many"}}, "valid integer"),
        ({"only": []}, "at least 1 item"),
        ({"only": {"a": "b"}}, "valid string"),
        ({"substitute": "digits"}, "valid dictionary"),
        ({"device": "gpu"}, "'auto', 'cpu' or 'cuda'"),
    ],
)
def test_impossible_values_are_refused(wrong, message):
    with pytest.raises(ValidationError, match=message):
        Config(**wrong)


def test_a_mistake_names_the_place_the_key_and_the_nearest_one():
    with pytest.raises(ConfigurationError) as caught:
        config_of({"scael": "demo"})
    start = (
        "config/config.yaml or --config: `scael` is not a key here (did you mean `scale`?); valid: allowed_"
    )
    assert str(caught.value).startswith(start)


def test_what_snakemake_merged_counts_and_not_the_files(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("scale: paper\nseeds: 7\n")
    assert load_config({"scale": "laptop"}, [file]) == Config(scale="laptop")


@pytest.mark.parametrize("wrong", [0, 1])
def test_each_file_is_read_for_what_snakemake_passes_over(tmp_path, wrong):
    files = [tmp_path / "config.yaml", tmp_path / "mine.yaml"]
    for number, file in enumerate(files):
        file.write_text("scale: demo\nscale: paper\n" if number == wrong else "scale: demo\n")
    with pytest.raises(ConfigurationError, match=f"{files[wrong]}, line 2: the key `scale` is there twice"):
        load_config({"scale": "paper"}, files)


def test_every_key_is_described():
    assert all(field.description for field in Config.model_fields.values())
