"""Settings as text."""

import re
from typing import Any


def to_text(value: Any) -> str:
    """A setting's value as a flag's text, with a backslash before commas in a list's items."""
    if isinstance(value, tuple):
        return ",".join(to_text(item).replace(",", "\\,") for item in value)
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def split_list(text: str) -> list[str]:
    """The items of a list, whose own commas have a backslash before them."""
    return [item.replace("\\,", ",") for item in re.split(r"(?<!\\),", text)]
