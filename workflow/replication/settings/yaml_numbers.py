"""Numbers as YAML reads them, and as people do."""

import math
import re

import yaml

# Plain decimal digits, perhaps in groups of three: every reader takes them for the same number.
INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*|[1-9][0-9]{0,2}(_[0-9]{3})+)")
_DIGITS = "([0-9]+|[1-9][0-9]{0,2}(_[0-9]{3})+)"
_EXPONENT = "[eE][-+]?[0-9]+"
FLOAT = re.compile(rf"[-+]?({_DIGITS}?\.[0-9]*({_EXPONENT})?|{_DIGITS}{_EXPONENT})")
# Of an integer: beyond all that is meant, and well within what arrays, clocks and other libraries hold.
MOST_DIGITS = 10
LONGEST_NUMBER = 60  # characters of a text that is looked at as a number
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


def plain_forms(text: str) -> list[str]:
    """Return the numbers, in plain digits, that a text may stand for; none where it is plain, or no number."""
    if len(text) > LONGEST_NUMBER or INTEGER.fullmatch(text) or FLOAT.fullmatch(text):
        return []
    read = [number for number in (_as_number(text), _yaml_number(text)) if number is not None]
    return sorted({_in_yaml(number) for number in read if math.isfinite(number)}, key=float)


def _other_base(text: str, value: float) -> str:
    # What is meant by 010 only its author knows: eight to YAML and C, ten to most people.
    choice = " or ".join(plain_forms(text))
    return f'YAML reads `{text}` as {_in_yaml(value)}: write {choice}, or "{text}" for text'


def _yaml_number(text: str) -> float | None:
    loader = yaml.SafeLoader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]
    number: float | None = None
    if tag.endswith((":int", ":float")):
        number = loader.construct_object(yaml.ScalarNode(tag, text))
    return number


def _as_number(text: str) -> float | None:
    if len(text) > LONGEST_NUMBER:
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
