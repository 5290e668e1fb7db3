"""Distances of rows of features, a block at a time, and what every measure asks of features."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

# Rows in one block: against 50,000 others its distances take 200 MB.
BLOCK_ROWS = 512

# Rows closer than this share of their root mean square length are equal but for the rounding of
# float32, in which extractors compute.
ROUNDING = 1e-6


def squared_distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """float64 [rows of x, rows of y]; exactly 0 for equal rows."""
    scale = np.sum(x**2, axis=1)[:, None] + np.sum(y**2, axis=1)
    distances = scale - 2 * (x @ y.T)
    # What the difference of two nearly equal numbers leaves is rounding, not distance.
    distances[distances < 1e-13 * scale] = 0
    return distances


def equal_below(*sets: np.ndarray) -> float:
    """The squared distance up to which rows of these sets count as equal."""
    squares = [np.mean(np.sum(np.asarray(one, np.float64) ** 2, axis=1)) for one in sets]
    return float(ROUNDING**2 * max(squares))


def fill_own(values: np.ndarray, block: slice, value: float) -> None:
    """Overwrites what each row has with itself, where the columns are all rows."""
    rows = np.arange(len(values))
    values[rows, block.start + rows] = value


def centred(features: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both less the mean of the first, which leaves distances and saves digits of theirs."""
    mean = np.mean(features, axis=0, dtype=np.float64)
    return features - mean, others - mean


def blocks(count: int) -> Iterator[slice]:
    """Slices that cover so many rows, `BLOCK_ROWS` at a time."""
    return (slice(first, first + BLOCK_ROWS) for first in range(0, count, BLOCK_ROWS))


def float64(features: np.ndarray) -> np.ndarray:
    """The same features in float64; as they are if they have it."""
    return np.asarray(features, np.float64)


def as_features(name: str, features: ArrayLike, minimum: int) -> np.ndarray:
    """The features as an array; lists and tensors are converted.

    Raises:
        ValueError: unless they are floating [images, features], finite, of so many images.
    """
    array = np.asarray(features)
    if array.ndim != 2 or not array.shape[1]:
        raise ValueError(
            f"Expected {name} of shape [images, features]. Received: shape={array.shape}."
        )
    if len(array) < minimum:
        raise ValueError(f"Expected {name} of at least {minimum} images. Received: {len(array)}.")
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"Expected floating {name}. Received: dtype={array.dtype}.")
    if not np.isfinite(array).all():
        raise ValueError(f"Expected finite {name}. Received: NaN or infinity among them.")
    return array


def as_pair(
    features: ArrayLike,
    others: ArrayLike,
    minimum: int,
    name: str = "real",
    other_name: str = "generated",
) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of features as arrays, see `as_features`.

    Raises:
        ValueError: likewise, or if they have not equally many features.
    """
    first, second = as_features(name, features, minimum), as_features(other_name, others, minimum)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f"Expected {name} and {other_name} with equally many features. "
            f"Received: {first.shape[1]} and {second.shape[1]}."
        )
    return first, second
