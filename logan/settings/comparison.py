"""What makes two experiments one run, or their images the same."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from logan.settings.experiment import Experiment
from logan.settings.text import to_text

# What decides the images of a data set and which of them are held out.
IMAGE_FIELDS = (
    "dataset", "video", "frame_interval", "frame_rate", "video_start", "video_stop", "data", "crop",
    "labels", "hold_out", "skip_unreadable", "test_fraction", "frames", "empty_share", "scene",
    "image_size", "channels",
)  # fmt: skip


def with_whole_paths(name: str, value: Any) -> Any:
    """The field's value, of a path the whole one, which holds from any folder."""
    rules = _FIELDS[name].metadata
    if not rules["is_path"] or not value or value in rules["words"]:
        return value
    if isinstance(value, tuple):
        return tuple(map(_whole_path, value))
    return _whole_path(value)


def _whole_path(path: str) -> str:
    return str(Path(path).expanduser().absolute())


def differences(first: Experiment, second: Experiment) -> list[str]:
    """Fields in which two experiments would not be the same run, as "--field: a, not b"."""
    names = [name for name, field in _FIELDS.items() if field.metadata["names_the_run"]]
    return _differences(first, second, names)


def identity(experiment: Experiment) -> str:
    """A text that two experiments share if they compute the same, wherever their data lie."""
    return "\n".join(
        f"--{name}={to_text(getattr(experiment, name))}"
        for name, field in _FIELDS.items()
        if field.metadata["names_the_run"] and not field.metadata["is_path"]
    )


def data_differences(first: Experiment, second: Experiment) -> list[str]:
    """Fields in which two experiments' images are not the same, as "--field: a, not b"."""
    return _differences(first, second, IMAGE_FIELDS)


def _differences(first: Experiment, second: Experiment, names: Iterable[str]) -> list[str]:
    rows = []
    for name in names:
        ours, theirs = (with_whole_paths(name, getattr(each, name)) for each in (first, second))
        if ours != theirs:
            flag = "experiment" if name == "name" else name
            ours, theirs = (to_text(value) or "nothing" for value in (ours, theirs))
            rows.append(f"--{flag}: {ours}, not {theirs}")
    return rows


_FIELDS = {field.name: field for field in dataclasses.fields(Experiment)}
