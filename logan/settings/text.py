"""Settings as text."""

from typing import Any


def to_text(value: Any) -> str:
    """A setting's value as a flag's text."""
    if isinstance(value, tuple):
        return ",".join(map(to_text, value))
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)
