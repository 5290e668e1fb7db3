"""Images with a class each: a folder with a sub-folder for each class, or MNIST's four files."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from logan.datasets.idx import read_idx
from logan.datasets.image_folder import is_held_out, load_pictures
from logan.datasets.pictures import central_square, check_picture_settings, fit, natural_order
from logan.errors import UserError

__all__ = ["LabelledImages", "load_labelled_images"]

TEST_FRACTION = 0.2
FEWEST_OF_A_CLASS = 2  # one to train and one to test on


class LabelledImages(NamedTuple):
    """Images and their classes.

    Attributes:
        frames: uint8 [images, size, size, channels].
        labels: int64 [images], from 0.
        classes: their names, in the order of the labels.
        train: int64, which images are trained on.
        test: int64, which are held out.
        split: how they were chosen, in words.
    """

    frames: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    train: np.ndarray
    test: np.ndarray
    split: str


def load_labelled_images(
    path: str | os.PathLike[str],
    *,
    size: int,
    channels: int,
    skip_unreadable: bool = False,
    show_progress: bool = False,
) -> LabelledImages:
    """Loads the pictures of a folder and their classes.

    A class is a sub-folder, with all that is below it; of each a fifth is held out, chosen by a
    hash of the pictures' names. A folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`,
    `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`, also with .gz behind, is read as MNIST or
    one of its kind, with its own two parts.

    Args:
        path: the folder.
        size: height and width of the result, in pixels.
        channels: 1 for grey, 3 for red, green and blue.
        skip_unreadable: leave out pictures that cannot be read, and name them on stderr.
        show_progress: whether to draw a bar on stderr.

    Raises:
        UserError: if a setting is out of its range, the folder is missing or has pictures outside
            of sub-folders, fewer than two classes or a class of one picture, or if files cannot be
            read.
    """
    check_picture_settings(size, channels)
    root = Path(path).expanduser()
    if _idx_file(root, "train-images-idx3-ubyte") is not None:
        return _load_idx(root, size, channels)
    pictures = load_pictures(
        root,
        size=size,
        channels=channels,
        skip_unreadable=skip_unreadable,
        minimum_images=10,
        show_progress=show_progress,
    )
    frames, names = pictures.frames, pictures.names
    _check_names(root, names)
    classes = _classes(names)
    labels = np.array([classes.index(_class_of(name)) for name in names], np.int64)
    is_test = np.zeros(len(names), bool)
    for label in range(len(classes)):
        own = np.flatnonzero(labels == label)
        is_test[own] = is_held_out([names[index] for index in own], TEST_FRACTION)
    return LabelledImages(
        frames,
        labels,
        classes,
        np.flatnonzero(~is_test),
        np.flatnonzero(is_test),
        f"about {TEST_FRACTION:.0%} of each class, chosen by file name",
    )


def _class_of(name: str) -> str:
    folder, slash, _ = name.partition("/")
    return folder if slash else ""


def _classes(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted({_class_of(name) for name in names}, key=natural_order))


def _check_names(root: Path, names: Sequence[str]) -> None:
    loose = next((name for name in names if not _class_of(name)), None)
    if loose is not None:
        raise UserError(
            f"Expected every picture of {root} in a sub-folder, which is its class. Received: "
            f"{loose}"
        )
    counts = dict.fromkeys(_classes(names), 0)
    for name in names:
        counts[_class_of(name)] += 1
    if len(counts) < 2:
        raise UserError(
            f"Expected at least 2 sub-folders with pictures in {root}, one for each class. "
            f"Received: {len(counts)}"
        )
    few = min(counts, key=lambda name: counts[name])
    if counts[few] < FEWEST_OF_A_CLASS:
        raise UserError(
            f"Expected at least {FEWEST_OF_A_CLASS} pictures of each class in {root}. Received: "
            f"{counts[few]} of {few}"
        )


# ---------------------------------------------------------------------------------- MNIST's files


def _idx_file(root: Path, name: str) -> Path | None:
    """A file of that name, its second dash a dot or not, packed or not."""
    names = [name, name.replace("-idx", ".idx")]
    paths = (root / f"{each}{suffix}" for each in names for suffix in ("", ".gz"))
    return next((path for path in paths if path.is_file()), None)


def _read(root: Path, name: str, axes: int) -> np.ndarray:
    path = _idx_file(root, name)
    if path is None:
        raise UserError(f"Expected {name} in {root}, beside MNIST's other files. Received: no file")
    array = read_idx(path)
    if array.ndim != axes or not array.size:
        raise UserError(f"Expected {axes} axes, none empty, in {path}. Received: {array.shape}")
    return array


def _load_idx(root: Path, size: int, channels: int) -> LabelledImages:
    parts = []
    for part in ("train", "t10k"):
        pictures = _read(root, f"{part}-images-idx3-ubyte", 3)
        labels = _read(root, f"{part}-labels-idx1-ubyte", 1)
        if len(pictures) != len(labels):
            raise UserError(
                f"Expected as many labels as pictures in the part {part} of {root}. Received: "
                f"{len(labels)} and {len(pictures)}"
            )
        parts.append((pictures, labels))
    frames = np.empty((sum(len(labels) for _, labels in parts), size, size, channels), np.uint8)
    for index, picture in enumerate(picture for pictures, _ in parts for picture in pictures):
        image = Image.fromarray(picture)
        frames[index] = fit(image, central_square(image.size), size, channels)
    codes, labels = np.unique(np.concatenate([labels for _, labels in parts]), return_inverse=True)
    count = len(parts[0][1])
    for part, own in (("train", labels[:count]), ("t10k", labels[count:])):
        if missing := set(range(len(codes))) - set(own.tolist()):
            raise UserError(
                f"Expected pictures of every class in the part {part} of {root}. Received: none of "
                f"{codes[min(missing)]}"
            )
    return LabelledImages(
        frames,
        labels.astype(np.int64),
        tuple(map(str, codes.tolist())),
        np.arange(count),
        np.arange(count, len(labels)),
        "the part t10k",
    )
