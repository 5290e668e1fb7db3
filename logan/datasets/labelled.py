"""Images with a class each: a folder with a sub-folder for each class, MNIST or CIFAR-10."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from logan.datasets.cifar10 import KIND_NAMES, is_cifar10, load_cifar10, load_cifar10_labels
from logan.datasets.classes import class_folders, own_parts
from logan.datasets.image_folder import is_held_out, load_pictures
from logan.datasets.mnist import is_mnist, load_mnist, load_mnist_labels
from logan.datasets.pictures import check_picture_settings
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
    hash of the pictures' names. Where all lie in train/ and test/, these are the two parts, and
    the folders within them the classes. A folder with MNIST's four files, and
    CIFAR-10's binary version, are read with their own two parts; see `load_mnist` of
    `logan.datasets.mnist` and `load_cifar10` of `logan.datasets.cifar10`.

    Args:
        path: the folder, or CIFAR-10's archive.
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
    if is_mnist(root):
        return _load_mnist(root, size, channels)
    if is_cifar10(root):
        parts = load_cifar10(root, size=size, channels=channels, show_progress=show_progress)
        return _of_parts(*parts, load_cifar10_labels(root), KIND_NAMES, "the official test part")
    pictures = load_pictures(
        root,
        size=size,
        channels=channels,
        skip_unreadable=skip_unreadable,
        minimum_images=10,
        show_progress=show_progress,
    )
    frames, names = pictures.frames, pictures.names
    labels, classes = class_folders(root, names)
    is_test = own_parts(names)
    split = "the folder test"
    if is_test is None:
        _check_counts(root, labels, classes)
        is_test = _held_out(names, labels, len(classes))
        split = f"about {TEST_FRACTION:.0%} of each class, chosen by file name"
    return LabelledImages(
        frames, labels, classes, np.flatnonzero(~is_test), np.flatnonzero(is_test), split
    )


def _held_out(names: Sequence[str], labels: np.ndarray, classes: int) -> np.ndarray:
    """Which pictures are held out, some of each class; bool [pictures]."""
    is_test = np.zeros(len(names), bool)
    for label in range(classes):
        own = np.flatnonzero(labels == label)
        is_test[own] = is_held_out([names[index] for index in own.tolist()], TEST_FRACTION)
    return is_test


def _check_counts(root: Path, labels: np.ndarray, classes: Sequence[str]) -> None:
    counts = np.bincount(labels, minlength=len(classes))
    few = int(counts.argmin())
    if counts[few] < FEWEST_OF_A_CLASS:
        raise UserError(
            f"Expected at least {FEWEST_OF_A_CLASS} pictures of each class in {root}. Received: "
            f"{counts[few]} of {classes[few]}"
        )


def _load_mnist(root: Path, size: int, channels: int) -> LabelledImages:
    parts = load_mnist(root, size=size, channels=channels)
    return _of_parts(*parts, *load_mnist_labels(root), "the part t10k")


def _of_parts(
    frames: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    labels: np.ndarray,
    classes: tuple[str, ...],
    split: str,
) -> LabelledImages:
    return LabelledImages(frames, labels, classes, train, test, split)
