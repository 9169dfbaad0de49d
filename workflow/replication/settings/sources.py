"""Where data sets come from."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from replication.settings.base import Section


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise ValueError("a name is made of lower-case letters, digits and hyphens")
    return name


def _web_address(address: str) -> str:
    if not re.match(r"https?://[^/]", address):
        raise ValueError("a mirror is an address that begins with http:// or https://")
    return address


PathText = Annotated[str, Field(min_length=1)]
Mirrors = Annotated[list[Annotated[str, AfterValidator(_web_address)]], Field(min_length=1)]


class DataSources(Section):
    """Where data sets come from, and how patiently they are downloaded."""

    data_dir: PathText | None = Field(
        default=None,
        description="Folder with files that you already have: they are verified and used instead of a "
        "download. They may lie in it, in a folder named after the data set, or in torchvision's MNIST/raw.",
    )
    mirrors: dict[str, Mirrors] = Field(
        default={},
        description="Data set: addresses of the folders that hold its files, tried in this order instead of "
        "the built-in ones. What they send is verified too.",
    )
    image_folders: dict[Annotated[str, AfterValidator(_file_name)], PathText] = Field(
        default={},
        description="Name: your own data set, a folder, tar or zip of train/<class>/* and test/<class>/*, "
        "with images of one size, grey or RGB.",
    )
    timeout_seconds: float = Field(
        default=30.0,
        gt=0,
        description="Seconds to wait for a connection and for each next part of a download.",
    )
    attempts: int = Field(
        default=3,
        ge=1,
        description="How often a mirror is tried, after temporary faults, before the next one is.",
    )
