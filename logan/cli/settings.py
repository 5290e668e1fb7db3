"""One flag for each field of `Experiment`, generated from it."""

import dataclasses
import functools
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

from absl import flags

from logan.errors import UserError
from logan.files import matching
from logan.settings import (
    KINDS,
    METHODS,
    PRESETS,
    Experiment,
    from_text,
    preset,
    split_list,
    to_text,
    with_whole_paths,
)


class _Parser(flags.ArgumentParser):
    """Reads a flag's text as the field's kind."""

    def __init__(self, field: str):
        super().__init__()
        self._field = field
        self.syntactic_help = _describe(field)

    def parse(self, argument: Any) -> Any:
        try:
            if not isinstance(argument, str):
                return argument
            if _takes_paths(self._field):
                return joined_paths(split_list(argument))
            return from_text(self._field, argument)
        except UserError as error:
            # absl puts the flag's name in front by itself.
            raise ValueError(str(error).removeprefix(f"--{self._field}: ")) from None

    def flag_type(self) -> str:
        return _describe(self._field)


def joined_paths(parts: Sequence[str]) -> tuple[str, ...]:
    """Puts names together again that were split at commas of their own: `lane 1, north.mp4`.

    Args:
        parts: what stood between commas.

    Returns:
        For each part that is no path the shortest stretch from it on that is one, if there is any.
    """
    paths: list[str] = []
    first = 0
    while first < len(parts):
        ends = range(first + 1, len(parts) + 1)
        names = {end: ",".join(parts[first:end]) for end in ends}
        last = next((end for end, name in names.items() if _exists(name)), first + 1)
        paths.append(names[last])
        first = last
    return tuple(filter(None, paths))


def _exists(name: str) -> bool:
    path = Path(name).expanduser()
    try:
        return bool(name) and (path.exists() or bool(matching(path)))
    except OSError:
        # A list of files that are missing may be too long for one name.
        return False


def _takes_paths(field: str) -> bool:
    is_path = {each.name: each.metadata["is_path"] for each in dataclasses.fields(Experiment)}
    return is_path[field] and get_origin(KINDS[field]) is tuple


class _Serializer(flags.ArgumentSerializer):
    def serialize(self, value: Any) -> str:
        return to_text(value)


def _describe(field: str) -> str:
    kind = KINDS[field]
    names = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
    if get_origin(kind) is tuple:
        return f"{names[get_args(kind)[0]]}, or several with commas"
    return names[kind]


def _default(field: dataclasses.Field) -> str:
    """The field's default, as --help tells it."""
    text = to_text(field.default) or "empty"
    if field.name in _fields_of_presets():
        return f"{text}, unless the experiment or method sets another"
    return text


@functools.cache
def _fields_of_presets() -> set[str]:
    """Fields that some experiment or method sets."""
    settings = [one.settings for one in PRESETS.values()]
    for method in METHODS.values():
        settings += [method.settings, method.toys, method.images, *method.by_experiment.values()]
    return {name for one in settings for name in one}


def define_experiment() -> None:
    flags.DEFINE_string(
        "experiment",
        None,
        "What to learn, a preset; --list shows them. Required. Single flags override its settings.",
        module_name="logan.cli",
    )


def define_settings(without: Collection[str] = ()) -> None:
    """Defines a flag for each field but those named; unset ones come from the preset."""
    for field in dataclasses.fields(Experiment):
        if field.name in ("name", *without):
            continue
        text = field.metadata["help"]
        choices = field.metadata["choices"]
        if choices:
            text += f" One of {', '.join(choices)}."
        if KINDS[field.name] is bool:
            flags.DEFINE_bool(field.name, None, text, module_name="logan.cli")
        else:
            flags.DEFINE(
                _Parser(field.name),
                field.name,
                None,
                text,
                serializer=_Serializer(),
                module_name="logan.cli",
            )
        # The flag itself has none: not given, it leaves the preset's setting as it is.
        flags.FLAGS[field.name].default_as_str = _default(field)


def given_settings(without: Collection[str] = ()) -> dict[str, Any]:
    """The fields that flags set, by name, but those named."""
    return {
        # So that the run can be evaluated from another folder.
        field.name: with_whole_paths(field.name, getattr(flags.FLAGS, field.name))
        for field in dataclasses.fields(Experiment)
        if field.name not in ("name", *without) and getattr(flags.FLAGS, field.name) is not None
    }


def experiment_from_flags() -> Experiment:
    """The preset of --experiment with the given flags in place of its settings.

    Raises:
        UserError: if --experiment is missing or unknown, or a setting is bad.
    """
    name = flags.FLAGS.experiment
    if name is None:
        raise UserError(f"--experiment: expected one of {', '.join(PRESETS)}. Received: nothing")
    given = given_settings()
    return preset(name, given, method=given.pop("method", None))
