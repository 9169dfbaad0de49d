"""What all settings have in common."""

from pydantic import BaseModel, ConfigDict

# Of any count. Beyond all that is meant, and well within what a machine's integers hold.
MOST = 1_000_000_000


class Section(BaseModel):
    """One mapping of a configuration file.

    Unknown keys, values of another type, NaN and infinity are errors; a whole number is accepted where a
    float is wanted, and nothing else is converted. Sections do not change once built.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
