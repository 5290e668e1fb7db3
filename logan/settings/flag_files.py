"""An experiment as flags, the content of a run's flags.txt, and back."""

import dataclasses
from collections.abc import Iterable
from typing import Any, get_args, get_origin

from logan.errors import UserError
from logan.settings.experiment import KINDS, Experiment
from logan.settings.text import split_list, to_text


def from_text(name: str, text: str) -> Any:
    """The inverse of `to_text` for the field of that name.

    Raises:
        UserError: if the text is not of the field's kind.
    """
    kind = KINDS[name]
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return tuple(_item_from_text(name, item, part) for part in split_list(text) if part)
    return _item_from_text(name, kind, text)


def _item_from_text(name: str, kind: type, text: str) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise UserError(f"--{name}: expected true or false. Received: {text!r}")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        wanted = {int: "a whole number", float: "a number"}[kind]
        raise UserError(f"--{name}: expected {wanted}. Received: {text!r}") from None


def to_flags(experiment: Experiment) -> list[str]:
    """One `--flag=value` for each field: the content of a run's flags.txt."""
    values = dataclasses.asdict(experiment)
    lines = [f"--experiment={values.pop('name')}"]
    return lines + [f"--{name}={to_text(value)}" for name, value in values.items()]


def from_flags(lines: Iterable[str]) -> Experiment:
    """The inverse of `to_flags`.

    Raises:
        UserError: on a line that is not a flag of ours.
    """
    settings = {}
    for line in filter(None, map(str.strip, lines)):
        flag, equals, text = line.partition("=")
        name = "name" if flag == "--experiment" else flag.removeprefix("--")
        if not equals or not flag.startswith("--") or name not in KINDS:
            raise UserError(f"Expected a line --flag=value. Received: {line!r}")
        settings[name] = from_text(name, text)
    return Experiment(**settings)
