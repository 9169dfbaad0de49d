"""The knobs that a user turns, in config/config.yaml or with `--config`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from replication.settings.base import MOST
from replication.settings.sources import DataSources, PathText
from replication.settings.study import MOST_SEEDS, Scale
from replication.settings.validation import validate
from replication.settings.yaml_file import read_yaml
from replication.settings.yaml_numbers import INTEGER
from replication.system.user_paths import user_path

CONFIG_FILE = Path("config/config.yaml")
CONFIG_PLACE = f"{CONFIG_FILE} or --config"


def _whole_number(value: object) -> object:
    """Make a number of the text that Snakemake hands on for one in a list, as in `--config forecast_places=[4,16]`."""
    plain = isinstance(value, str) and INTEGER.fullmatch(value)
    return int(str(value)) if plain else value


Seeds = Annotated[int, Field(ge=1, le=MOST_SEEDS)]


class Config(DataSources):
    """All keys of config/config.yaml."""

    scale: Scale = Field(
        default="demo", description="How much of the reports' budget is spent; each study file states what."
    )
    seeds: Seeds | dict[str, Annotated[Seeds, BeforeValidator(_whole_number)]] | None = Field(
        default=None,
        description="Runs of each arm, instead of the number that the study gives for the scale; "
        "`{study: number}` for some studies only.",
    )
    only: str | Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="Part of the work: a study, or study/arm, or a list of these; `*` and `?` in the name of an arm "
        "stand for any. null: everything.",
    )
    substitute: dict[str, str] = Field(
        default={},
        description="Data set that runs of the scale use: data set used instead, such as one of `image_folders`. "
        "The evidence for claims about the first is then conceptual.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where to train; auto: on a GPU if PyTorch sees one."
    )
    runs_per_gpu: int = Field(
        default=1,
        ge=1,
        le=MOST,
        description="How many runs share a GPU; runs are spread over all visible GPUs.",
    )
    checkpoint_seconds: float = Field(
        default=30.0,
        ge=0,
        le=MOST,
        description="How often a run saves its state, between two steps: a run that is killed loses little more; "
        "0: before each step.",
    )
    recheck_runs: int = Field(
        default=3,
        ge=1,
        le=MOST,
        description="How many runs `snakemake recheck` executes again, chosen at random.",
    )
    budget_hours: Annotated[float, Field(gt=0, le=MOST)] | None = Field(
        default=None,
        description="Hours on this machine; `snakemake forecast` then says which scales, seeds and arms fit.",
    )
    forecast_places: list[Annotated[int, Field(ge=1, le=MOST), BeforeValidator(_whole_number)]] = Field(
        default=[4, 16],
        description="Cores, GPUs or SLURM jobs at a time; `snakemake forecast` says the wall time for each number.",
    )
    allowed_signers: PathText | None = Field(
        default=None,
        description="File of those who may sign SHA256SUMS, in the form of `ssh-keygen`; "
        "null: a signature by anyone is accepted, and its signer called unknown.",
    )

    def seeds_of(self, study: str) -> int | None:
        """Return the runs of each arm that `seeds` asks for; None: as the study says."""
        return self.seeds.get(study) if isinstance(self.seeds, dict) else self.seeds

    @property
    def selected(self) -> list[str] | None:
        """What `only` names, as a list."""
        return [self.only] if isinstance(self.only, str) else self.only


def load_config(raw: Mapping[str, Any], files: Iterable[str | Path] = (CONFIG_FILE,)) -> Config:
    """Check the configuration that Snakemake merged from `files` and the command line.

    Raises
    ------
    ConfigurationError
        With the file, the key and the remedy. The files are read again, since Snakemake keeps the last of
        duplicate keys without a warning.
    """
    for file in files:
        read_yaml(file)
    config = config_of(raw)
    if (
        config.allowed_signers is not None
    ):  # used only at the end of an audit; those of data are checked with the data
        user_path(config.allowed_signers, f"{CONFIG_PLACE}: `allowed_signers`", "file")
    return config


def config_of(raw: Mapping[str, Any]) -> Config:
    """Build the configuration from what Snakemake has merged, and hands to its scripts."""
    return validate(Config, raw, CONFIG_PLACE)
