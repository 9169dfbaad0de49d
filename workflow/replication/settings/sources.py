"""Where data sets come from."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from replication.settings.base import MOST, Section


def _file_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise ValueError("a name is made of lower-case letters, digits and hyphens")
    return name


def _web_address(address: str) -> str:
    if not re.fullmatch(r"https?://[^/][!-~]*", address):
        raise ValueError(
            "a mirror is an address that begins with http:// or https://, without spaces, in ASCII"
        )
    try:
        named = urlsplit(address).hostname and urlsplit(address).port != 0
    except ValueError:  # a port or an IPv6 address that is none
        named = False
    if not named:
        raise ValueError("a mirror is the address of a host, perhaps with a port of 1 to 65535")
    return address


PathText = Annotated[str, Field(min_length=1)]
Mirrors = Annotated[list[Annotated[str, AfterValidator(_web_address)]], Field(min_length=1)]


class DataSources(Section):
    """Where data sets come from, and how patiently they are downloaded."""

    data_dir: PathText | None = Field(
        default=None,
        description="Folder with files that you already have: they are verified and used instead of a "
        "download. They may have any names, for their content tells (bare or .gz for MNIST, the archive for "
        "CIFAR), and lie in it or up to two folders below it. A data set of which it holds nothing is downloaded; "
        "if it holds nothing of any, it is refused.",
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
        le=86_400,  # a day; the system's own limit ends in an OverflowError
        description="Seconds to wait for a connection and for each next part of a download.",
    )
    attempts: int = Field(
        default=3,
        ge=1,
        le=MOST,
        description="How often a mirror is tried, after temporary faults, before the next one is.",
    )
