"""Shape checks shared by the figures: what was expected, and what came."""

from collections.abc import Sequence, Sized

import numpy as np


def expect_points(name: str, points: np.ndarray, lengths: Sequence[int] = (1, 2)) -> np.ndarray:
    """Returns `points` as an array of shape [N, d].

    Args:
        name: what the error calls the array.
        points: [N, d], any N.
        lengths: the values of d that are allowed.

    Returns:
        The same values as a numpy array.

    Raises:
        ValueError: if the array has another rank or a length that is not allowed.
    """
    points = np.asarray(points)
    if points.ndim != 2 or points.shape[1] not in lengths:
        shapes = " or ".join(f"[N, {length}]" for length in lengths)
        raise ValueError(f"Expected {name} of shape {shapes}. Received: shape {points.shape}")
    return points


def expect_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns `array` as a numpy array of exactly this shape.

    Args:
        name: what the error calls the array.
        array: of any type that numpy understands.
        shape: the shape it must have.

    Returns:
        The same values as a numpy array.

    Raises:
        ValueError: if the shape differs.
    """
    array = np.asarray(array)
    if array.shape != shape:
        raise ValueError(f"Expected {name} of shape {shape}. Received: shape {array.shape}")
    return array


def expect_some(name: str, items: Sized) -> None:
    """Refuses an empty sequence.

    Args:
        name: what the error calls the items.
        items: anything that has a length.

    Raises:
        ValueError: if there is nothing in it.
    """
    if len(items) == 0:
        raise ValueError(f"Expected at least one of {name}. Received: none")
