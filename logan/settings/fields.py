"""The fields of `Experiment`: help texts, and what they accept."""

import dataclasses
import math
from collections.abc import Collection
from typing import Any, get_args, get_origin

from logan.errors import UserError
from logan.registry import Registry, parse_part


def setting(
    default: Any,
    text: str,
    *,
    choices: Collection[str] | None = None,
    parts: Registry | None = None,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    names_the_run: bool = True,
    is_path: bool = False,
    words: Collection[str] = (),
) -> Any:
    """A field with its help text and what it accepts: words, parts by name, or bounds.

    A path may also be one of `words`, which then is none.
    """
    return dataclasses.field(
        default=default,
        metadata={
            "help": text,
            "choices": choices,
            "parts": parts,
            "at_least": at_least,
            "above": above,
            "below": below,
            "names_the_run": names_the_run,
            "is_path": is_path,
            "words": words,
        },
    )


def refusal(name: str, expected: str, received: Any) -> UserError:
    """What is raised for the flag of that name."""
    return UserError(f"--{name}: expected {expected}. Received: {received}")


def check_kind(name: str, kind: Any, value: Any) -> None:
    """Refuses a value that is not of a field's type, a plain one or a tuple of such.

    Raises:
        UserError: naming the flag.
    """
    items = (value,)
    if get_origin(kind) is tuple:
        if not isinstance(value, tuple):
            raise refusal(name, "a tuple", repr(value))
        kind, items = get_args(kind)[0], value
    for item in items:
        # bool is a kind of int in Python, but not in a flag; a whole number serves as a decimal.
        if type(item) is not kind and not (kind is float and type(item) is int):
            raise refusal(name, kind.__name__, repr(item))


def check_rules(field: dataclasses.Field, value: Any) -> None:
    """Refuses a value that a field does not accept.

    Raises:
        UserError: naming the flag.
    """
    rules = field.metadata
    choices, at_least, parts = rules["choices"], rules["at_least"], rules["parts"]
    above, below = rules["above"], rules["below"]
    for item in value if isinstance(value, tuple) else (value,):
        if parts is not None:
            parts.check(parse_part(item, field.name).name)
        for is_wrong, expected in (
            (choices is not None and item not in choices, f"one of {', '.join(choices or ())}"),
            (isinstance(item, float) and not math.isfinite(item), "a finite number"),
            (at_least is not None and item < at_least, f"a number >= {at_least}"),
            (above is not None and item <= above, f"a number > {above}"),
            (below is not None and item >= below, f"a number < {below}"),
        ):
            if is_wrong:
                raise refusal(field.name, expected, repr(item))
