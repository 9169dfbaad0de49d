"""Numbers as YAML reads them, and as people do."""

import math
import re

import yaml

# Plain decimal digits, perhaps in groups of three: every reader takes them for the same number.
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*|[1-9][0-9]{0,2}(_[0-9]{3})+)")
FLOAT = re.compile(r"[-+]?([0-9]+|[1-9][0-9]{0,2}(_[0-9]{3})+)?(\.[0-9]*)?([eE][-+]?[0-9]+)?")
# Above, a float no longer tells it from its neighbours; and beyond 4,300 digits Python reads none.
MOST_DIGITS = 15
ZERO = re.compile(r"[^1-9eE]*([eE].*)?")


def fault_of_integer(text: str, value: int) -> str | None:
    """Return what is wrong with an integer, as it is written, that YAML reads as `value`."""
    if sum(map(str.isdigit, text)) > MOST_DIGITS:
        return f"a number of more than {MOST_DIGITS} digits is beyond every setting: write a smaller one"
    return None if INTEGER.fullmatch(text) else _other_base(text, value)


def fault_of_float(text: str, value: float) -> str | None:
    """Return what is wrong with a float, as it is written, that YAML reads as `value`."""
    if not math.isfinite(value):
        return f"`{text}` is not a number here: write a finite one"
    if value == 0 and not ZERO.fullmatch(text):
        return f"`{text}` is too near to zero to be told from it: write 0.0, or a larger number"
    return None if FLOAT.fullmatch(text) else _other_base(text, value)


def fault_of_text(text: str) -> str | None:
    """Return what is wrong with text without quotes, if it is a number to people."""
    number = _as_number(text)
    if number is None:
        return None
    meant = _in_yaml(number) if math.isfinite(number) else "a finite number"
    return f'YAML reads `{text}` as text: write {meant}, or "{text}" for text'


def _other_base(text: str, value: float) -> str:
    # What is meant by 010 only its author knows: eight to YAML and C, ten to most people.
    decimal = _as_number(text)
    meant = {_in_yaml(number) for number in (value, value if decimal is None else decimal)}
    choice = " or ".join(sorted(meant, key=float))
    return f'YAML reads `{text}` as {_in_yaml(value)}: write {choice}, or "{text}" for text'


def _as_number(text: str) -> float | None:
    if len(text) > 4 * MOST_DIGITS:
        return None
    for read in (int, float, _with_prefix):
        try:
            return read(text)
        except ValueError:
            pass
    return None


def _with_prefix(text: str) -> int:
    """Read 0o10, 0b11 and 0x1F."""
    return int(text, base=0)


def _in_yaml(number: float) -> str:
    return str(yaml.safe_dump(number)).partition("\n")[0]
