"""Settings of where data come from."""

from typing import Any

import pytest
from pydantic import ValidationError

from replication.settings.sources import DataSources


def test_nothing_needs_to_be_said() -> None:
    sources = DataSources()
    assert sources.data_dir is None
    assert sources.mirrors == {}
    assert sources.image_folders == {}
    assert (sources.timeout_seconds, sources.attempts) == (30.0, 3)


def test_all_can_be_said() -> None:
    given = {
        "data_dir": "~/data",
        "mirrors": {"mnist": ["https://example.org/mnist/"], "cifar100": ["http://example.org"]},
        "image_folders": {"cifar10-jpeg": "/data/cifar10-jpeg.tar.xz", "2": "two"},
        "timeout_seconds": 5,
        "attempts": 1,
    }
    assert DataSources(**given).model_dump() == given


def test_every_field_is_described() -> None:
    assert all(field.description for field in DataSources.model_fields.values())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"data_directory": "x"}, "data_directory"),
        ({"data_dir": ""}, "at least 1 character"),
        ({"mirrors": {"mnist": []}}, "at least 1 item"),
        ({"mirrors": {"mnist": "https://a.org"}}, "valid list"),
        ({"mirrors": {"mnist": ["ftp://a.org"]}}, "begins with http:// or https://"),
        ({"mirrors": {"mnist": ["https:///a"]}}, "begins with http:// or https://"),
        ({"image_folders": {"My images": "/a"}}, "lower-case letters, digits and hyphens"),
        ({"image_folders": {"-a": "/a"}}, "lower-case letters, digits and hyphens"),
        ({"image_folders": {"a\n": "/a"}}, "lower-case letters, digits and hyphens"),
        ({"image_folders": {"../a": "/a"}}, "lower-case letters, digits and hyphens"),
        ({"image_folders": {"a": ""}}, "at least 1 character"),
        ({"timeout_seconds": 0}, "greater than 0"),
        ({"timeout_seconds": "30"}, "valid number"),
        ({"attempts": 0}, "greater than or equal to 1"),
        ({"attempts": 1.0}, "valid integer"),
    ],
)
def test_mistakes_are_explained(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataSources(**wrong)
