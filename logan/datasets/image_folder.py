"""A person's own pictures: a folder of any depth, to one uint8 array in two parts."""

import collections
import dataclasses
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import numpy as np

from logan.datasets.frame_cache import fingerprint
from logan.datasets.pictures import (
    PICTURE_SUFFIXES,
    check_picture_settings,
    crop_box,
    fit,
    gather_frames,
    natural_order,
    read_picture,
)
from logan.errors import UserError
from logan.settings import is_crop

__all__ = ["ImageFolderError", "load_image_folder"]

SPLITS = ("images", "folders")


class ImageFolderError(UserError):
    """A folder of pictures that cannot be used; the message names it and says why."""


def load_image_folder(
    path: str | os.PathLike[str],
    *,
    size: int,
    channels: int = 3,
    test_fraction: float = 0.2,
    split: str = "images",
    crop: tuple[int, int, int, int] | None = None,
    skip_unreadable: bool = False,
    minimum_images: int = 10,
    cache_dir: str | os.PathLike[str] | None = None,
    show_progress: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loads all pictures of a folder and of its sub-folders.

    Pictures are found by their suffix and decoded by their content: see
    `logan.datasets.pictures.read_picture`. Hidden files and folders are left out; links are
    followed, and no folder is read twice. Frames come in natural order of their relative paths.

        >>> frames, train, test = load_image_folder("att_faces", size=32, channels=1)
        >>> frames.shape
        (400, 32, 32, 1)

    Args:
        path: the folder.
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        test_fraction: share of the pictures, or of the folders, that is held out; between 0 and
            1, exclusive.
        split: "images" holds out pictures by a hash of their relative paths: each stays on its
            side when others come and go, and the share is met on average only. "folders" holds
            out whole folders, evenly spaced in natural order, such as people who have a folder
            each.
        crop: (left, top, width, height) in pixels of the upright picture; None means the largest
            square in the middle. A crop that is not square is squeezed into the square.
        skip_unreadable: leave out pictures that cannot be read or are smaller than the crop, and
            name them on stderr, instead of refusing the folder.
        minimum_images: how many readable pictures are needed at least; 2 or more.
        cache_dir: folder to keep the decoded pictures in. They are read from there, mapped into
            memory, until a file (place, size, time of change) or a setting changes.
        show_progress: whether to draw a bar on stderr.

    Returns:
        (frames, train, test): uint8 [pictures, size, size, channels] in [0, 255], read-only when
        it comes from a cache; and int64 indices into it, ascending, disjoint, together all.

    Raises:
        UserError: if a setting is out of its range.
        ImageFolderError: if the folder is missing or no folder, holds too few pictures or, for
            split="folders", fewer than two sub-folders with pictures, or if pictures cannot be
            read: all are found in one pass.
    """
    check_picture_settings(size, channels)
    _check_settings(test_fraction, split, crop, minimum_images)
    root = Path(path).expanduser()
    found = _find(root)
    _check_found(root, found, minimum_images, split)

    def decode(name: str) -> np.ndarray:
        image = read_picture(root / name)
        return fit(image, crop_box(image.size, crop), size, channels)

    def check(count: int, left_out: Mapping[int, str]) -> None:
        problems = found.problems | {found.names[index]: left_out[index] for index in left_out}
        if problems and not skip_unreadable:
            raise ImageFolderError(
                f"Expected readable pictures in {root}. Received {_listed(problems)}\n"
                "--skip_unreadable goes on without them."
            )
        if count < minimum_images:
            raise ImageFolderError(
                f"Expected at least {minimum_images} pictures in {root}. Received {count}, and "
                f"{_listed(problems)}"
            )

    frames, left_out = gather_frames(
        lambda: found.names,
        decode,
        shape=(size, size, channels),
        total=len(found.names),
        check=check,
        settings={
            "reader": "image_folder",
            "size": size,
            "channels": channels,
            "crop": list(crop or []),
        },
        sources=lambda: [fingerprint(root, [root / name for name in found.names])],
        cache_dir=cache_dir,
        show_progress=show_progress,
    )
    problems = found.problems | {found.names[index]: left_out[index] for index in left_out}
    if problems:
        print(f"Left out of {root}: {_listed(problems)}", file=sys.stderr)
    names = [name for index, name in enumerate(found.names) if index not in left_out]
    is_test = (_test_images if split == "images" else _test_folders)(names, test_fraction)
    return frames, np.flatnonzero(~is_test), np.flatnonzero(is_test)


def _check_settings(
    test_fraction: float,
    split: str,
    crop: tuple[int, int, int, int] | None,
    minimum_images: int,
) -> None:
    if not 0 < test_fraction < 1:
        raise UserError(
            f"Expected test_fraction between 0 and 1, exclusive. Received: {test_fraction}."
        )
    if split not in SPLITS:
        raise UserError(f"Expected split to be one of {', '.join(SPLITS)}. Received: {split}.")
    if crop is not None and not is_crop(crop):
        raise UserError(
            "Expected crop as (left, top, width, height) in whole pixels, the first two 0 or "
            f"more, the others 1 or more. Received: crop={crop}."
        )
    if minimum_images < 2:
        raise UserError(
            "Expected minimum_images of 2 or more, one to train and one to test on. Received: "
            f"minimum_images={minimum_images}."
        )


# ------------------------------------------------------------------------------ finding pictures


@dataclasses.dataclass
class _Found:
    """What a folder holds.

    Attributes:
        names: pictures by their paths relative to the folder, in natural order.
        problems: what cannot even be opened, with the reason.
        others: files that are no pictures by their suffix.
    """

    names: list[str] = dataclasses.field(default_factory=list)
    problems: dict[str, str] = dataclasses.field(default_factory=dict)
    others: list[str] = dataclasses.field(default_factory=list)


def _find(root: Path) -> _Found:
    """Looks through a folder and all that is below it.

    Raises:
        ImageFolderError: if it is missing or no folder.
    """
    if not root.exists():
        raise ImageFolderError(
            f"Expected a folder of pictures at {root}. Received: nothing is there."
        )
    if not root.is_dir():
        raise ImageFolderError(f"Expected a folder of pictures at {root}. Received: a file.")
    found = _Found()
    visited: set[tuple[int, int]] = set()
    # Linked folders wait until all real ones are seen: a picture that can be reached both ways
    # counts once, under its real name, and a loop of links ends.
    waiting, links = collections.deque([""]), collections.deque[str]()
    while waiting or links:
        folder = waiting.popleft() if waiting else links.popleft()
        try:
            status = (root / folder).stat()
            identity = status.st_dev, status.st_ino
            if identity in visited:
                continue
            visited.add(identity)
            with os.scandir(root / folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            found.problems[f"{folder}/"] = error.strerror or str(error)
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            name = f"{folder}/{entry.name}" if folder else entry.name
            if _is(entry.is_dir):
                (links if entry.is_symlink() else waiting).append(name)
            else:
                _note_file(entry, name, found)
    found.names.sort(key=lambda name: [natural_order(part) for part in name.split("/")])
    return found


def _note_file(entry: "os.DirEntry[str]", name: str, found: _Found) -> None:
    if Path(entry.name).suffix.lower() not in PICTURE_SUFFIXES:
        found.others.append(name)
    elif not _is(entry.is_file):
        found.problems[name] = "a broken link" if entry.is_symlink() else "a device or a pipe"
    elif not os.access(entry.path, os.R_OK):
        # Asked here each time: a change of permissions leaves no trace that the cache would see.
        found.problems[name] = "permission denied"
    else:
        found.names.append(name)


def _is(kind: Callable[[], bool]) -> bool:
    """Whether an entry is of a kind; one that cannot be asked, such as a link to itself, is not."""
    try:
        return kind()
    except OSError:
        return False


def _check_found(root: Path, found: _Found, minimum: int, split: str) -> None:
    if not found.names and not found.problems:
        others = f" It holds other files, such as {found.others[0]}." if found.others else ""
        raise ImageFolderError(
            f"Expected a folder of pictures at {root}. Received: a folder without pictures "
            f"({', '.join(sorted(PICTURE_SUFFIXES))}), also in its sub-folders.{others}"
        )
    if len(found.names) + len(found.problems) < minimum:
        raise ImageFolderError(
            f"Expected at least {minimum} pictures in {root}. Received: {len(found.names)}."
        )
    folders = {_folder(name) for name in found.names} - {""}
    if split == "folders" and len(folders) < 2:
        raise ImageFolderError(
            f'Expected at least 2 sub-folders with pictures in {root} for split="folders". '
            f'Received: {len(folders)}. split="images" holds out single pictures.'
        )


def _listed(problems: Mapping[str, str]) -> str:
    names = sorted(problems, key=natural_order)
    # All of them, however many: the list is what there is to repair.
    lines = "".join(f"\n  {name}: {problems[name]}" for name in names)
    return f"{len(names)} that cannot be read or cropped:{lines}"


# ------------------------------------------------------------------------------------- the split


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _test_images(names: list[str], test_fraction: float) -> np.ndarray:
    """Marks, as bool [names], those whose hash falls into the test share; never all or none."""
    places = np.array([_place(name) for name in names])
    is_test = places < test_fraction
    is_test[places.argmin()], is_test[places.argmax()] = True, False
    return is_test


def _place(name: str) -> float:
    """A number in [0, 1) that depends on the name alone."""
    digest = hashlib.sha256(os.fsencode(name)).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def _test_folders(names: list[str], test_fraction: float) -> np.ndarray:
    """Marks, as bool [names], the pictures of every so many folders; never all or none."""
    folders = list(dict.fromkeys(_folder(name) for name in names))
    # The decimal that was written, not its nearest binary fraction: 10 * 0.3 folders are 3.
    fraction = Fraction(str(test_fraction))
    held_out = set(_evenly(folders, fraction)) or {folders[-1]}
    return np.array([_folder(name) in held_out for name in names])


def _evenly(folders: list[str], fraction: Fraction) -> Iterator[str]:
    """Those at which the running share steps up; with a share below 1, never the first."""
    for index, folder in enumerate(folders):
        if (index + 1) * fraction // 1 > index * fraction // 1:
            yield folder
