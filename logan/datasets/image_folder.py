"""A person's own pictures: a folder of any depth or a zip archive, to one uint8 array."""

import dataclasses
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from logan.datasets.picture_files import ImageFolderError, PictureFiles, picture_files
from logan.datasets.pictures import (
    check_picture_settings,
    crop_box,
    fit,
    gather_frames,
    natural_order,
    read_picture,
)
from logan.errors import UserError
from logan.settings import is_crop

__all__ = [
    "ImageFolderError",
    "Pictures",
    "is_held_out",
    "load_image_folder",
    "load_parts",
    "load_pictures",
]

SPLITS = ("images", "folders")


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Decoded pictures and their names.

    Attributes:
        frames: uint8 [pictures, size, size, channels] in [0, 255].
        names: the path of each within its folder or archive, with "/" between folders.
    """

    frames: np.ndarray
    names: list[str]


def load_pictures(
    path: str | os.PathLike[str],
    *,
    size: int,
    channels: int = 3,
    crop: tuple[int, int, int, int] | None = None,
    skip_unreadable: bool = False,
    minimum_images: int = 1,
    cache_dir: str | os.PathLike[str] | None = None,
    show_progress: bool = False,
) -> Pictures:
    """Loads all pictures of a folder and of its sub-folders, or of a zip archive, with their names.

    Which files are pictures says `logan.datasets.picture_files.picture_files`, and how they are
    decoded `logan.datasets.pictures.read_picture`. They come in natural order of their paths. One
    line on stderr counts the files that are none.

        >>> pictures = load_pictures("faces.zip", size=32)
        >>> pictures.frames.shape, pictures.names[0]
        ((400, 32, 32, 3), 's1/1.pgm')

    Args:
        path: the folder or the archive, which is read in place.
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        crop: (left, top, width, height) in pixels of the upright picture; None means the largest
            square in the middle. A crop that is not square is squeezed into the square.
        skip_unreadable: leave out pictures that cannot be read or are smaller than the crop, and
            name them on stderr, instead of refusing the folder.
        minimum_images: how many readable pictures are needed at least; 1 or more.
        cache_dir: folder to keep the decoded pictures in. They are read from there, mapped into
            memory, until a file (place, size, time of change) or a setting changes.
        show_progress: whether to draw a bar on stderr.

    Returns:
        The pictures; their frames are read-only when they come from a cache.

    Raises:
        UserError: if a setting is out of its range.
        ImageFolderError: if the folder or the archive is missing, damaged or encrypted, holds too
            few pictures, or if pictures cannot be read: all are found in one pass.
    """
    check_picture_settings(size, channels)
    _check_choice(crop, minimum_images, 1)
    with picture_files(Path(path).expanduser()) as files:
        _check_found(files, minimum_images)
        return _decoded(
            files, size, channels, crop, skip_unreadable, minimum_images, cache_dir, show_progress
        )


def load_parts(
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
) -> tuple[Pictures, np.ndarray, np.ndarray]:
    """Loads the pictures of a folder or an archive as `load_pictures` does, in two parts.

        >>> pictures, train, test = load_parts("att_faces", size=32, channels=1)
        >>> pictures.frames.shape, pictures.names[test[0]]
        ((400, 32, 32, 1), 's1/3.pgm')

    Args:
        path: the folder or the archive.
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        test_fraction: share of the pictures, or of the folders, that is held out; between 0 and
            1, exclusive.
        split: "images" holds out pictures by a hash of their relative paths: each stays on its
            side when others come and go, and the share is met on average only. "folders" holds
            out whole folders, evenly spaced in natural order, such as people who have a folder
            each.
        crop: (left, top, width, height) in pixels; None means the largest square in the middle.
        skip_unreadable: leave out pictures that cannot be read, and name them on stderr.
        minimum_images: how many readable pictures are needed at least; 2 or more.
        cache_dir: folder to keep the decoded pictures in.
        show_progress: whether to draw a bar on stderr.

    Returns:
        (pictures, train, test): the pictures, and int64 indices into them, ascending, disjoint,
        together all.

    Raises:
        UserError: if a setting is out of its range.
        ImageFolderError: as in `load_pictures`, and for split="folders" if fewer than two
            sub-folders have pictures.
    """
    check_picture_settings(size, channels)
    _check_split(test_fraction, split)
    _check_choice(crop, minimum_images, 2)
    with picture_files(Path(path).expanduser()) as files:
        _check_found(files, minimum_images)
        if split == "folders":
            _check_folders(files)
        pictures = _decoded(
            files, size, channels, crop, skip_unreadable, minimum_images, cache_dir, show_progress
        )
    is_test = (is_held_out if split == "images" else _test_folders)(pictures.names, test_fraction)
    return pictures, np.flatnonzero(~is_test), np.flatnonzero(is_test)


def load_image_folder(
    path: str | os.PathLike[str], **settings: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `load_parts` with the same settings, without names.

    Returns:
        (frames, train, test): uint8 [pictures, size, size, channels] in [0, 255], read-only when
        it comes from a cache; and int64 indices into it.
    """
    pictures, train, test = load_parts(path, **settings)
    return pictures.frames, train, test


def _decoded(
    files: PictureFiles,
    size: int,
    channels: int,
    crop: tuple[int, int, int, int] | None,
    skip_unreadable: bool,
    minimum_images: int,
    cache_dir: str | os.PathLike[str] | None,
    show_progress: bool,
) -> Pictures:
    """The frames, and on stderr what is left out."""

    def decode(name: str) -> np.ndarray:
        picture = read_picture(files.open(name))
        return fit(picture, crop_box(picture.size, crop), size, channels)

    def problems(left_out: Mapping[int, str]) -> dict[str, str]:
        return files.problems | {files.names[index]: left_out[index] for index in left_out}

    def check(count: int, left_out: Mapping[int, str]) -> None:
        unreadable = problems(left_out)
        if unreadable and not skip_unreadable:
            raise ImageFolderError(
                f"Expected readable pictures in {files.place}. Received {_listed(unreadable)}\n"
                "--skip_unreadable goes on without them."
            )
        if count < minimum_images:
            raise ImageFolderError(
                f"Expected at least {minimum_images} pictures in {files.place}. Received {count}, "
                f"and {_listed(unreadable)}"
            )

    files.tell_others()
    frames, left_out = gather_frames(
        lambda: files.names,
        decode,
        shape=(size, size, channels),
        total=len(files.names),
        check=check,
        settings={
            "reader": "image_folder",
            "size": size,
            "channels": channels,
            "crop": list(crop or []),
        },
        sources=lambda: [files.fingerprint()],
        cache_dir=cache_dir,
        show_progress=show_progress,
    )
    if unreadable := problems(left_out):
        print(f"Left out of {files.place}: {_listed(unreadable)}", file=sys.stderr)
    names = [name for index, name in enumerate(files.names) if index not in left_out]
    return Pictures(frames, names)


def _check_split(test_fraction: float, split: str) -> None:
    if not 0 < test_fraction < 1:
        raise UserError(
            f"Expected test_fraction between 0 and 1, exclusive. Received: {test_fraction}."
        )
    if split not in SPLITS:
        raise UserError(f"Expected split to be one of {', '.join(SPLITS)}. Received: {split}.")


def _check_choice(crop: tuple[int, int, int, int] | None, minimum_images: int, least: int) -> None:
    if crop is not None and not is_crop(crop):
        raise UserError(
            "Expected crop as (left, top, width, height) in whole pixels, the first two 0 or "
            f"more, the others 1 or more. Received: crop={crop}."
        )
    if minimum_images < least:
        raise UserError(
            f"Expected minimum_images of {least} or more. Received: "
            f"minimum_images={minimum_images}."
        )


def _check_found(files: PictureFiles, minimum: int) -> None:
    if not files.names and not files.problems:
        others = f" It holds other files: {files.told_others()}." if files.others else ""
        raise ImageFolderError(
            f"Expected pictures in {files.place}. Received: none that can be read, also in its "
            f"sub-folders.{others}"
        )
    if len(files.names) + len(files.problems) < minimum:
        raise ImageFolderError(
            f"Expected at least {minimum} pictures in {files.place}. Received: {len(files.names)}."
        )


def _check_folders(files: PictureFiles) -> None:
    folders = {_folder(name) for name in files.names} - {""}
    if len(folders) < 2:
        raise ImageFolderError(
            f'Expected at least 2 sub-folders with pictures in {files.place} for split="folders". '
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


def is_held_out(names: list[str], test_fraction: float) -> np.ndarray:
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
