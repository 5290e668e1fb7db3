"""Classes of pictures: by the folders that they lie in, or by a CSV file."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from logan.datasets.pictures import natural_order
from logan.errors import UserError

__all__ = ["class_folders", "own_parts", "rows_of_labels"]

TRAIN, TEST = "train", "test"
FEWEST_CLASSES = 2


def own_parts(names: Sequence[str]) -> np.ndarray | None:
    """Which pictures lie in test/, bool [pictures], where all lie in train/ and test/.

    Classes are the folders within the two; None where there are others, or no folders in them.
    """
    places = _places(names)
    if {place[0] for place in places} != {TRAIN, TEST} or min(map(len, places)) < 3:
        return None
    return np.array([place[0] == TEST for place in places])


def class_folders(root: Path, names: Sequence[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The classes of pictures by their folders: the uppermost, or those within train/ and test/.

    Args:
        root: what holds the pictures, for errors.
        names: their paths within it.

    Returns:
        int64 [pictures], classes from 0 in natural order, and what the classes are called.

    Raises:
        UserError: if a picture lies in no folder, there is one class alone, or a class is missing
            in train/ or in test/.
    """
    is_test = own_parts(names)
    level = 0 if is_test is None else 1
    places = _places(names)
    loose = next((name for name, place in zip(names, places, strict=True) if not place[1:]), None)
    if loose is not None:
        raise UserError(
            f"Expected every picture of {root} in a sub-folder, which is its class. Received: "
            f"{loose}"
        )
    folders = [place[level] for place in places]
    classes = tuple(sorted(set(folders), key=natural_order))
    if len(classes) < FEWEST_CLASSES:
        raise UserError(
            f"Expected at least {FEWEST_CLASSES} sub-folders with pictures in {root}, one for each "
            f"class. Received: {len(classes)}"
        )
    number = {name: index for index, name in enumerate(classes)}
    labels = np.array([number[folder] for folder in folders], np.int64)
    if is_test is not None:
        for part, own in ((TRAIN, labels[~is_test]), (TEST, labels[is_test])):
            if missing := set(range(len(classes))) - set(own.tolist()):
                raise UserError(
                    f"Expected pictures of every class in {root}/{part}. Received: none of "
                    f"{classes[min(missing)]}"
                )
    return labels, classes


def _places(names: Sequence[str]) -> list[list[str]]:
    """The folders and the file of each; without those outermost ones that all lie in."""
    places = [name.split("/") for name in names]
    while min(map(len, places)) >= 3 and len({place[0] for place in places}) == 1:
        places = [place[1:] for place in places]
    return places


def rows_of_labels(path: Path, names: Sequence[str], kind: str = "") -> list[str]:
    """The label of each image by a CSV file with the columns file and label.

    Args:
        path: the file; it may have rows of other images.
        names: the images.
        kind: what images they are, for errors, such as "real".

    Raises:
        UserError: naming --labels, if the file cannot be read, or lacks an image or a column.
    """
    if not path.is_file():
        raise UserError(f"--labels: expected a CSV file. Received: {path}: no file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"--labels: expected a CSV file. Received: {path}: {error}") from error
    if not rows or not {"file", "label"} <= set(rows[0]):
        raise UserError(
            f"--labels: expected columns file and label in {path}. Received: "
            f"{', '.join(map(str, rows[0])) if rows else 'no rows'}"
        )
    label_of = {row["file"]: row["label"] or "" for row in rows}
    lacking = [name for name in names if name not in label_of]
    if lacking:
        raise UserError(
            f"--labels: expected a row of every {f'{kind} ' if kind else ''}image in {path}. "
            f"Received: none of {lacking[0]}"
            + (f" and of {len(lacking) - 1:,} others" if lacking[1:] else "")
        )
    return [label_of[name] for name in names]
