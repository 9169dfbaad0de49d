"""Edits of a text, for tests of what they concern."""


def edited(text: str, old: str, new: str) -> str:
    """Replace the one occurrence of `old`."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)
