"""Files that are either whole or absent: written beside their place, then moved into it."""

import contextlib
import errno
import glob
import json
import math
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from logan.errors import UserError

__all__ = [
    "atomic_path",
    "clear_leftovers",
    "flush_to_disk",
    "matching",
    "read_json",
    "write_json",
    "write_text",
]

_TOKEN_BYTES = 4  # of the random part of temporary names


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yields a temporary path to write to; it takes the place of `path` when the block succeeds.

    The temporary file lies in the same folder, because a file can be replaced atomically only
    within one file system, and its name ends like the real one, because many writers choose
    their format by suffix (`.npy`, `.weights.h5`). An error, Ctrl-C included, removes it and
    leaves what was at `path` before. Missing parent folders are created.

    Args:
        path: where the finished file shall be.

    Yields:
        The path that the block must write a file to.

    Raises:
        FileNotFoundError: if the block wrote nothing.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{secrets.token_hex(_TOKEN_BYTES)}-{path.name}"
    try:
        yield temporary
        flush_to_disk(temporary)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise


def write_text(
    path: str | os.PathLike[str], text: str, *, errors: str = "backslashreplace"
) -> None:
    r"""Writes `text` to `path` as UTF-8, atomically.

    Args:
        path: the file to write; its folders are created.
        text: what to write, line ends unchanged.
        errors: how to write what is not text in a file's name, such as "\udce9": as these six
            characters, which JSON reads back as the name, or, "surrogateescape", as its bytes.
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode("utf-8", errors))


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Writes `value` to `path` as indented JSON, atomically and with its keys in order.

    NumPy and TensorFlow scalars and NumPy arrays are written as numbers and lists.

    Args:
        path: the file to write; its folders are created.
        value: dictionaries, lists, strings, booleans, None and finite numbers.

    Raises:
        ValueError: if a number is NaN or infinite: JSON has neither, and a metric that is not a
            number is a fault to be seen, not to be stored.
        TypeError: if `value` holds something that JSON cannot express.
    """
    plain = _plain(value)
    place = _place_of_non_finite(plain)
    if place is not None:
        where, number = place
        raise ValueError(f"Expected finite numbers for {path}. Received: {number} at {where}.")
    write_text(path, json.dumps(plain, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Reads what `write_json` wrote.

    Args:
        path: the file to read.

    Returns:
        The stored value.

    Raises:
        FileNotFoundError: if there is no such file.
        UserError: if the file is not JSON, or has a number that `write_json` would refuse; the
            message names it.
    """
    try:
        value = json.loads(Path(path).read_bytes())
        place = _place_of_non_finite(value)
    except FileNotFoundError:
        raise FileNotFoundError(f"Expected a JSON file at {path}. Received: no file.") from None
    # Lists within lists, deep enough, exhaust Python's stack.
    except (ValueError, RecursionError) as error:
        raise UserError(f"Expected JSON in {path}. Received: {error}.") from error
    if place is not None:
        where, number = place
        raise UserError(f"Expected finite numbers in {path}. Received: {number} at {where}.")
    return value


def clear_leftovers(folder: Path, names: str = "*", *, idle_seconds: float = 0.0) -> None:
    """Removes the temporary files that killed processes left of `atomic_path`.

    Args:
        folder: where they lie, if there is such a folder.
        names: what the files were to be called, as a pattern. None may be in the making.
        idle_seconds: those alone that nothing was written to for so long.
    """
    for leftover in folder.glob(f".{'?' * 2 * _TOKEN_BYTES}-{names}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - leftover.stat().st_mtime >= idle_seconds:
                leftover.unlink()


def flush_to_disk(path: Path) -> None:
    """Waits until a file's bytes, or the names in a folder, are safe from a power cut."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        # Some network file systems cannot do this for folders.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(number)


def _plain(value: Any) -> Any:
    """The same value out of Python's own types, so that JSON can express it."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    # Asked by method, so that this module needs neither NumPy nor TensorFlow.
    if hasattr(value, "numpy"):
        value = value.numpy()
    return value.tolist() if hasattr(value, "tolist") else value


def _place_of_non_finite(value: Any, where: str = "") -> tuple[str, float] | None:
    """Where in nested dictionaries and lists the first NaN or infinity stands, and which."""
    if isinstance(value, float) and not math.isfinite(value):
        return where or "the top", value
    if isinstance(value, dict):
        items = [(f"{where}.{key}" if where else str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        items = [(f"{where}[{index}]", item) for index, item in enumerate(value)]
    else:
        return None
    places = (_place_of_non_finite(item, name) for name, item in items)
    return next((place for place in places if place is not None), None)


def matching(pattern: Path) -> list[Path]:
    """What a pattern with `*`, `?` or `[…]` matches, hidden files left out; in no set order."""
    if not glob.has_magic(str(pattern)):
        return []
    # A folder that exists is no pattern, whatever its name.
    folder = next(parent for parent in pattern.parents if parent.exists())
    # Path.glob takes ** only for a whole name, and refuses others.
    wanted = [part if part == "**" else part.replace("**", "*") for part in pattern.parts]
    found = folder.glob(str(Path(*wanted).relative_to(folder)))
    return [path for path in found if path.name[0] != "."]
